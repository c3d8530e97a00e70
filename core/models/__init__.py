"""The tables that belong to no app."""

from core.models.audit import AuditEvent
from core.models.files import Upload
from core.models.platform import IdempotentWrite, PeriodicRun

__all__ = ["AuditEvent", "IdempotentWrite", "PeriodicRun", "Upload"]
