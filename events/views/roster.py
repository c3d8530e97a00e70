"""Who comes to an event: for platform admins alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.negotiation import WhateverIsAccepted
from core.pagination import ContentPagination
from core.permissions import IsPlatformAdmin
from core.schema import TOO_MANY_EXPORTS
from core.spreadsheets import CsvResponse
from core.throttling import ExportsPerPerson
from events.models import Event, EventRegistration
from events.serializers.people import AttendanceSerializer, RosterRowSerializer, WaitingRowSerializer
from events.services.roster import export_roster, mark_attendance

if TYPE_CHECKING:
    from core.http import SignedInRequest


@extend_schema(tags=["Events"])
class RosterViewSet(GenericViewSet[EventRegistration]):
    """Participants never learn who else comes."""

    request: SignedInRequest
    queryset = EventRegistration.objects.all()
    permission_classes = [IsPlatformAdmin]
    serializer_class = RosterRowSerializer
    pagination_class = ContentPagination

    def page_of(self, rows: Any) -> Response:
        page: Any = self.paginate_queryset(rows.filter(event=self.event()).select_related("user"))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def event(self) -> Event:
        return get_object_or_404(Event, pk=self.kwargs["pk"])

    @extend_schema(summary="List who comes to an event")
    def list(self, request: SignedInRequest, pk: int) -> Response:
        """List who has a seat, in the order of registering."""
        return self.page_of(EventRegistration.objects.all())

    @extend_schema(
        operation_id="events_roster_waiting_list",
        summary="List who waits",
        responses=WaitingRowSerializer(many=True),
    )
    def waiting(self, request: SignedInRequest, pk: int) -> Response:
        """List who waits for a seat, first come first."""
        return self.page_of(EventRegistration.waiting.all())

    @extend_schema(
        summary="Export who comes as CSV",
        responses={(200, "text/csv"): OpenApiTypes.STR, 429: TOO_MANY_EXPORTS},
    )
    def export(self, request: SignedInRequest, pk: int) -> CsvResponse:
        """Stream who has a seat, as UTF-8 CSV that no spreadsheet runs. The export is audited."""
        event = self.event()
        return CsvResponse(f"event-{event.pk}-roster.csv", export_roster(event, by=request.user))

    @extend_schema(summary="Mark who came", request=AttendanceSerializer, responses=RosterRowSerializer)
    def mark(self, request: SignedInRequest, pk: int) -> Response:
        """Write down whether somebody came; marking twice keeps the first moment. It is audited."""
        event = self.event()
        body = AttendanceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = mark_attendance(event.pk, by=request.user, **body.validated_data)
        return Response(RosterRowSerializer(row).data)


roster = RosterViewSet.as_view({"get": "list"})
waiting = RosterViewSet.as_view({"get": "waiting"}, serializer_class=WaitingRowSerializer)
export = RosterViewSet.as_view(
    {"get": "export"},
    pagination_class=None,
    content_negotiation_class=WhateverIsAccepted,
    throttle_classes=[ExportsPerPerson],
)
attendance = RosterViewSet.as_view({"put": "mark"})
