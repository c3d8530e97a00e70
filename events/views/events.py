"""Events: everyone reads them; platform admins publish, change and withdraw them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.conditional import Conditional
from core.idempotency import once
from core.listing import PreparedListMixin
from core.media.covers import HasCover
from core.pagination import ContentPagination
from core.permissions import AdminWrites
from core.schema import RETRY_SAFE
from events.filters import EventFilter
from events.models import Event
from events.serializers.events import EventSerializer, EventWriteSerializer, NewEventSerializer
from events.services.calendars import calendar_of
from events.services.events import change_event, create_event, delete_event
from events.services.feeds import entry_of
from events.views.calendars import CalendarResponse

if TYPE_CHECKING:
    from django.http import HttpResponse
    from rest_framework.request import Request

    from core.http import SignedInRequest
    from core.listing import SomeViewer
    from events.models import EventQuerySet
    from users.models import User


@extend_schema(tags=["Events"])
class EventViewSet(HasCover, Conditional, PreparedListMixin, RetrieveModelMixin, GenericViewSet[Event]):
    """Every signed-in person sees every event."""

    request: SignedInRequest
    queryset = Event.objects.all()
    permission_classes = [AdminWrites]
    serializer_class = EventSerializer
    filterset_class = EventFilter
    pagination_class = ContentPagination
    lookup_value_converter = "id"
    cover_folder = Event.COVER_FOLDER

    @staticmethod
    def rows_for(viewer: User | SomeViewer) -> EventQuerySet:
        return Event.objects.with_seats(viewer).defer("over_at", "uid", "sequence")

    def get_queryset(self) -> EventQuerySet:
        return Event.objects.with_seats(self.request.user)

    def document(self, event_id: int) -> dict[str, Any]:
        """Return an event's whole document, read anew."""
        return dict(self.get_serializer(get_object_or_404(self.get_queryset(), pk=event_id)).data)

    def current(self) -> dict[str, Any]:
        return self.document(self.kwargs["pk"])

    @extend_schema(summary="List events")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List events by day and time, narrowed by `upcoming`, `type` and `search`."""
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Read an event")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return an event, and whether one is registered or waits for a seat."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Publish an event",
        request=NewEventSerializer,
        responses={201: EventSerializer},
        parameters=RETRY_SAFE,
    )
    def create(self, request: SignedInRequest) -> Response:
        """Publish an event. It needs `date` and `time`, or `startAt`, which gives both in its zone."""
        body = NewEventSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        event, headers = once(
            request,
            lambda: create_event(by=request.user, **body.validated_data),
            among=Event.objects.all(),
        )
        return Response(self.document(event.pk), status.HTTP_201_CREATED, headers=headers)

    @extend_schema(summary="Change an event", request=EventWriteSerializer(partial=True))
    def partial_update(self, request: SignedInRequest, pk: int) -> Response:
        """Change an event. Seats that this makes free go to those who wait; with fewer, all keep theirs.

        With a new `startAt` or `timezone`, `date` and `time` follow it where they are not sent.
        """
        event = self.get_object()
        body = EventWriteSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        change_event(event.pk, by=request.user, values=dict(body.validated_data))
        return Response(self.document(event.pk))

    @extend_schema(summary="Delete an event", responses={204: OpenApiResponse(description="Gone.")})
    def destroy(self, request: SignedInRequest, pk: int) -> Response:
        """Delete an event with its registrations, its waiting list and its cover."""
        delete_event(pk, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Read an event as a calendar file", responses={(200, "text/calendar"): OpenApiTypes.STR}
    )
    def calendar(self, request: SignedInRequest, pk: int) -> HttpResponse:
        """Return an event for one's own calendar program (RFC 5545); without a start it takes the day."""
        event = self.get_object()
        text = calendar_of([entry_of(event)], name=event.title)
        return CalendarResponse.to(request, text, filename=f"event-{event.pk}.ics")
