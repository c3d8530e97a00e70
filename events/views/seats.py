"""Seats: everybody takes and gives up their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import APIView

from events.serializers.people import DoneSerializer
from events.services.seats import give_up_seat, join_waitlist, leave_waitlist, take_seat

if TYPE_CHECKING:
    from core.http import SignedInRequest


class SeatView(APIView):
    """Refusals say ``success`` and ``message`` too, which the web client reads (CONTRACT 12)."""

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        response.data |= {"success": False, "message": response.data["error"]}
        return response


def done(message: str) -> Response:
    return Response({"success": True, "message": message}, status.HTTP_201_CREATED)


@extend_schema(tags=["Events"])
class RegisterView(SeatView):
    """One's seat at an event."""

    @extend_schema(
        summary="Register for an event",
        request=None,
        responses={
            201: DoneSerializer,
            400: OpenApiResponse(description="Registered already, or the event is over."),
            409: OpenApiResponse(description="Full: `event_full`. One can join the waiting list."),
        },
    )
    def post(self, request: SignedInRequest, pk: int) -> Response:
        """Take a seat. A refusal also has `success` (false) and `message`."""
        take_seat(pk, by=request.user)
        return done("You are registered.")

    @extend_schema(
        operation_id="events_unregister",
        summary="Give up one's seat",
        responses={
            204: OpenApiResponse(description="Nobody's any more, also where it was not one's own."),
            400: OpenApiResponse(description="The event is over."),
        },
    )
    def delete(self, request: SignedInRequest, pk: int) -> Response:
        """Give up one's seat, at once to whoever waits longest."""
        give_up_seat(pk, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["Events"])
class WaitlistView(SeatView):
    """One's place on the waiting list of an event."""

    @extend_schema(
        summary="Join a waiting list",
        request=None,
        responses={
            201: DoneSerializer,
            400: OpenApiResponse(description="Registered or waiting already, or the event is over."),
            409: OpenApiResponse(description="There are free seats: `seats_free`. Register instead."),
        },
    )
    def post(self, request: SignedInRequest, pk: int) -> Response:
        """Wait for a seat: the first that becomes free goes to whoever waits longest."""
        join_waitlist(pk, by=request.user)
        return done("You are on the waiting list.")

    @extend_schema(
        operation_id="events_waitlist_leave",
        summary="Leave a waiting list",
        responses={204: OpenApiResponse(description="Not on it any more.")},
    )
    def delete(self, request: SignedInRequest, pk: int) -> Response:
        """Wait no longer. Who joins again stands at the end."""
        leave_waitlist(pk, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
