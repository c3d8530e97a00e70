"""The audit log, for programme admins to read. Nobody writes here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView

from core.audit_log.filters import AuditFilter
from core.audit_log.serializers import AuditEventSerializer, names_of
from core.models import AuditEvent
from core.permissions import IsPlatformAdmin

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response


class AuditLogView(ListAPIView[AuditEvent]):
    """Who did what, newest first."""

    queryset = AuditEvent.objects.all()
    serializer_class = AuditEventSerializer
    permission_classes = [IsPlatformAdmin]
    filterset_class = AuditFilter

    @extend_schema(tags=["People"], summary="Read the audit log")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List who did what to which object, newest first; an event cannot be changed or deleted.

        `changes` names what changed; values are told only where they are not personal. People are
        named as they are called today.
        """
        events = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        context = {**self.get_serializer_context(), "names": names_of(events)}
        return self.get_paginated_response(AuditEventSerializer(events, many=True, context=context).data)
