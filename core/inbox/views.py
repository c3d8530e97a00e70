"""What somebody was told of, and how they want to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core.conditional import Conditional
from core.inbox.filters import InboxFilter
from core.inbox.serializers import (
    NoticeSerializer,
    PreferencesSerializer,
    PreferencesWriteSerializer,
    ReadSerializer,
    UnreadNoticesSerializer,
)
from core.models import Delivery
from core.notifications.inbox import inbox_of, mark_read, rows_of, unread_count
from core.notifications.preferences import change_preferences, preferences_of

if TYPE_CHECKING:
    from core.http import SignedInRequest


@extend_schema(tags=["Notifications"])
class InboxViewSet(GenericViewSet[Delivery]):
    """One's own inbox; other people's rows do not exist."""

    request: SignedInRequest
    queryset = Delivery.objects.none()
    permission_classes = [IsAuthenticated]
    serializer_class = NoticeSerializer
    filterset_class = InboxFilter

    def get_queryset(self) -> Any:
        reader = self.request.user
        if not reader.is_authenticated:
            return Delivery.objects.none()  # the schema is being read
        return inbox_of(reader)

    @extend_schema(summary="List my notifications")
    def list(self, request: SignedInRequest) -> Response:
        """List what one was told of, newest first, in one's own language. It is kept for 180 days."""
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(
            NoticeSerializer(rows_of(page, person=request.user), many=True).data
        )

    @extend_schema(summary="Count unread notifications", responses=UnreadNoticesSerializer, filters=False)
    def unread(self, request: SignedInRequest) -> Response:
        """Count what is not read: the number on a badge. The socket `/ws/notifications/` tells it unasked."""
        return Response({"unread": unread_count(request.user)})

    @extend_schema(
        operation_id="notifications_read_one",
        summary="Mark a notification as read",
        request=None,
        responses=UnreadNoticesSerializer,
    )
    def read_one(self, request: SignedInRequest, pk: int) -> Response:
        """Mark one as read; again is harmless. Answers how much is unread now."""
        return Response({"unread": mark_read(request.user, [self.get_object().pk])})

    @extend_schema(
        operation_id="notifications_read",
        summary="Mark notifications as read",
        request=ReadSerializer,
        responses=UnreadNoticesSerializer,
        filters=False,
    )
    def read_many(self, request: SignedInRequest) -> Response:
        """Mark some as read by their `ids`, or all by an empty body. Answers how much is unread now."""
        body = ReadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"unread": mark_read(request.user, body.validated_data.get("ids"))})


@extend_schema(tags=["Notifications"])
class PreferencesView(Conditional, APIView):
    """How one wants to be told."""

    permission_classes = [IsAuthenticated]

    def current(self) -> Any:
        return PreferencesSerializer(preferences_of(self.request.user)).data

    @extend_schema(summary="Read my notification settings", responses=PreferencesSerializer)
    def get(self, request: SignedInRequest) -> Response:
        """Return language, clock and quiet hours, and of which kinds of things mail comes, and when."""
        return Response(self.current())

    @extend_schema(
        summary="Change my notification settings",
        request=PreferencesWriteSerializer,
        responses=PreferencesSerializer,
    )
    def patch(self, request: SignedInRequest) -> Response:
        """Change any part. It counts for mail that is queued already, too: what is off is not sent."""
        body = PreferencesWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        change_preferences(request.user, kinds=values.pop("kinds", {}), values=values)
        return Response(self.current())
