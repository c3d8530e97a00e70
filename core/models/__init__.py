"""The tables that belong to no app."""

from core.models.audit import AuditEvent
from core.models.dead_letters import DeadLetter
from core.models.files import Upload
from core.models.notices import Delivery, Notice
from core.models.platform import IdempotentWrite, PeriodicRun
from core.models.wishes import MailTrouble, NotificationChoice, NotificationSettings

__all__ = [
    "AuditEvent",
    "DeadLetter",
    "Delivery",
    "IdempotentWrite",
    "MailTrouble",
    "Notice",
    "NotificationChoice",
    "NotificationSettings",
    "PeriodicRun",
    "Upload",
]
