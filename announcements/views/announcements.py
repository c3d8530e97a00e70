"""Announcements: everyone reads what is for them and acknowledges it; platform admins write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from announcements.filters import AnnouncementFilter, ReaderFilter
from announcements.models import Announcement
from announcements.serializers import (
    AnnouncementCreateSerializer,
    AnnouncementDetailSerializer,
    AnnouncementSerializer,
    AnnouncementWriteSerializer,
    MarkSerializer,
    ReaderSerializer,
    UnreadSerializer,
)
from announcements.services.announcements import (
    acknowledge,
    change_announcement,
    create_announcement,
    delete_announcement,
)
from core.conditional import Conditional
from core.idempotency import once
from core.listing import PreparedListMixin
from core.pagination import ContentPagination
from core.permissions import AdminWrites, IsPlatformAdmin
from core.schema import RETRY_SAFE
from users.models import User

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from announcements.models import AnnouncementQuerySet
    from core.http import SignedInRequest
    from core.listing import SomeViewer


@extend_schema(tags=["Announcements"])
class AnnouncementViewSet(Conditional, PreparedListMixin, GenericViewSet[Announcement]):
    """News. What is not for one, or not published, does not exist (404); admins alone write (403)."""

    request: SignedInRequest
    queryset = Announcement.objects.all()
    permission_classes = [AdminWrites]
    serializer_class = AnnouncementSerializer
    filterset_class = AnnouncementFilter
    pagination_class = ContentPagination
    lookup_value_converter = "id"

    @staticmethod
    def rows_for(viewer: User | SomeViewer) -> AnnouncementQuerySet:
        rows = Announcement.objects.visible_to(viewer).with_mark_of(viewer)
        return rows.defer("appears_at", "mail_requested_at", "told_at")

    def get_queryset(self) -> AnnouncementQuerySet:
        reader = self.request.user
        if not reader.is_authenticated:
            return Announcement.objects.none()  # the schema is being read
        return Announcement.objects.visible_to(reader).with_mark_of(reader)

    def document(self, pk: int) -> dict[str, Any]:
        """Return an announcement's whole document, read anew; for admins with how far it got."""
        announcement = get_object_or_404(self.get_queryset(), pk=pk)
        reach = announcement.reach() if self.request.user.is_platform_admin else {}
        return dict(AnnouncementDetailSerializer(announcement, context={"reach": reach}).data)

    def current(self) -> dict[str, Any]:
        return self.document(self.kwargs["pk"])

    @extend_schema(summary="List announcements")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what is for the reader: pinned ones first, then the newest. Admins see all there is."""
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Read an announcement", responses=AnnouncementDetailSerializer)
    def retrieve(self, request: SignedInRequest, pk: int) -> Response:
        """Return an announcement; for admins with how many people it is for, and how many acknowledged it."""
        return Response(self.document(pk))

    @extend_schema(
        summary="Publish an announcement",
        request=AnnouncementCreateSerializer,
        responses={201: AnnouncementDetailSerializer},
        parameters=RETRY_SAFE,
    )
    def create(self, request: SignedInRequest) -> Response:
        """Publish an announcement, at once or at `publishAt`, until `expiresAt` or for good.

        Its audience reads of it in their inboxes then, and by mail where `sendEmail` says so.
        """
        body = AnnouncementCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        announcement, headers = once(
            request,
            lambda: create_announcement(by=request.user, **body.validated_data),
            among=Announcement.objects.all(),
        )
        return Response(self.document(announcement.pk), status.HTTP_201_CREATED, headers=headers)

    @extend_schema(
        summary="Change an announcement",
        request=AnnouncementWriteSerializer(partial=True),
        responses=AnnouncementDetailSerializer,
    )
    def partial_update(self, request: SignedInRequest, pk: int) -> Response:
        """Change some of an announcement. Whoever has acknowledged it is not asked again."""
        announcement = self.get_object()
        body = AnnouncementWriteSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        change_announcement(announcement, by=request.user, values=dict(body.validated_data))
        return Response(self.document(pk))

    @extend_schema(summary="Delete an announcement", responses={204: OpenApiResponse(description="Gone.")})
    def destroy(self, request: SignedInRequest, pk: int) -> Response:
        """Delete an announcement, and with it who has acknowledged it."""
        delete_announcement(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Acknowledge an announcement",
        request=None,
        responses={
            201: MarkSerializer,
            200: OpenApiResponse(MarkSerializer, description="It was acknowledged before."),
        },
    )
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])
    def ack(self, request: SignedInRequest, pk: int) -> Response:
        """Say that one has read it. The first time counts; again is harmless."""
        mark, is_new = acknowledge(self.get_object(), by=request.user)
        return Response(MarkSerializer(mark).data, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    @extend_schema(summary="Count new announcements", responses=UnreadSerializer, filters=False)
    @action(detail=False, filterset_class=None, pagination_class=None)
    def unread(self, request: SignedInRequest) -> Response:
        """Count what is published for the reader, and not acknowledged: the number on a badge."""
        return Response({"unread": Announcement.objects.unread_by(request.user).count()})


@extend_schema(tags=["Announcements"])
class ReadersViewSet(ListModelMixin, GenericViewSet[User]):
    """For whom one announcement is; ``pk`` in the path is the announcement's id."""

    queryset = User.objects.all()
    permission_classes = [IsPlatformAdmin]
    serializer_class = ReaderSerializer
    filterset_class = ReaderFilter

    def get_queryset(self) -> QuerySet[User]:
        if "pk" not in self.kwargs:
            return super().get_queryset()  # the schema is being read
        announcement = get_object_or_404(Announcement.objects.only("audience"), pk=self.kwargs["pk"])
        return announcement.people().by_name()

    @extend_schema(summary="List who has acknowledged an announcement")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List for whom it is by name, and when each acknowledged it; `acknowledged=false` is who has not."""
        return super().list(request, *args, **kwargs)
