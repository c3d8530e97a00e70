"""Reports of messages: told by anybody in a group, read by its moderators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from chat.access import access_conversation
from chat.filters import ReportFilter
from chat.models import MessageReport
from chat.serializers.reports import (
    NewReportSerializer,
    OwnReportSerializer,
    ReportSerializer,
    SettleSerializer,
)
from chat.services.reports import report_message, settle_report
from chat.views.messages import OneMessageView
from core.checking import checked
from core.conditional import Conditional
from core.permissions import IsPlatformAdmin
from core.refusals import Forbidden
from core.viewing import TellsViewer
from groups.access import can_moderate

if TYPE_CHECKING:
    from rest_framework.request import Request

    from core.http import SignedInRequest


@extend_schema(tags=["Chat"])
class ReportMessageView(OneMessageView):
    """Telling the moderators."""

    @extend_schema(
        summary="Report a message",
        request=NewReportSerializer,
        responses={201: OwnReportSerializer, 200: OwnReportSerializer},
    )
    def post(self, request: SignedInRequest, group_id: str, message_id: int) -> Response:
        """Tell the moderators of a message. Its author does not learn who did; again answers 200."""
        group = access_conversation(request.user, group_id)
        message = self.message(group, message_id)
        values = checked(NewReportSerializer, request.data)
        report, is_new = report_message(message, by=request.user, **values)
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(OwnReportSerializer(report).data, code)


class ReportsViewSet(
    Conditional, TellsViewer, ListModelMixin, RetrieveModelMixin, GenericViewSet[MessageReport]
):
    """Reports as those read them who deal with them."""

    request: SignedInRequest
    queryset = MessageReport.objects.with_details()
    serializer_class = ReportSerializer
    filterset_class = ReportFilter

    def current(self) -> Any:
        return self.get_serializer(self.get_object()).data

    def settled(self) -> Response:
        report = self.get_object()
        body = SettleSerializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        settled = settle_report(report, by=self.request.user, **body.validated_data)
        return Response(self.get_serializer(settled).data)


@extend_schema(tags=["Chat"])
class GroupReportsViewSet(ReportsViewSet):
    """Reports of one group, for its moderators; nobody judges what was said of themselves."""

    permission_classes = [IsAuthenticated]
    refuses_some = True

    def get_queryset(self) -> Any:
        if "group_id" not in self.kwargs:
            return super().get_queryset()  # the schema is being read
        group = access_conversation(self.request.user, self.kwargs["group_id"])
        if not can_moderate(self.request.user, group):
            raise Forbidden
        rows = MessageReport.objects.filter(message__group=group)
        return rows.for_moderator(self.request.user).with_details()

    @extend_schema(summary="List a group's reports")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List reports, newest first. Who told is for platform admins alone."""
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Read a report")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return a report. Who told is for platform admins alone."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(summary="Settle a report", request=SettleSerializer, responses=ReportSerializer)
    def partial_update(self, request: SignedInRequest, group_id: str, pk: int) -> Response:
        """Say that a report is dealt with, or open it again."""
        return self.settled()


@extend_schema(tags=["Chat"])
class AllReportsViewSet(ReportsViewSet):
    """Reports of all groups, for platform admins."""

    permission_classes = [IsPlatformAdmin]
    lookup_value_converter = "id"

    def get_queryset(self) -> Any:
        return MessageReport.objects.for_moderator(self.request.user).with_details()

    @extend_schema(summary="List all reports")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List reports of all groups, newest first, with who told."""
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Read any report")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return a report, with who told."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(summary="Settle any report", request=SettleSerializer, responses=ReportSerializer)
    def partial_update(self, request: SignedInRequest, pk: int) -> Response:
        """Say that a report is dealt with, or open it again."""
        return self.settled()
