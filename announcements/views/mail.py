"""The mail of an announcement: whom it reaches, a test, sending it, how far it has got. For admins alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import APIView

from announcements.models import Announcement
from announcements.serializers import MailReportSerializer, TestMailSerializer
from announcements.services.mail_report import mail_report
from announcements.services.mailing import ask_for_mail, send_test
from core.permissions import IsPlatformAdmin

if TYPE_CHECKING:
    from core.http import SignedInRequest


@extend_schema(tags=["Announcements"])
class MailView(APIView):
    """The mail of one announcement."""

    permission_classes = [IsPlatformAdmin]

    @extend_schema(
        summary="Read of an announcement's mail",
        operation_id="announcements_mail_retrieve",
        responses=MailReportSerializer,
    )
    def get(self, request: SignedInRequest, pk: int) -> Response:
        """Return how many people it reaches by mail, a sample of it, and what became of each mail."""
        return Response(self.document(request, get_object_or_404(Announcement, pk=pk)))

    @extend_schema(
        summary="Mail an announcement",
        operation_id="announcements_mail_create",
        request=None,
        responses={
            202: MailReportSerializer,
            400: OpenApiResponse(description="It has expired."),
            409: OpenApiResponse(description="Its mail has been asked for before: `already_mailed`."),
        },
    )
    def post(self, request: SignedInRequest, pk: int) -> Response:
        """Mail it to its audience, now or when it is published. Once: then 409. 400 where it has expired."""
        announcement = get_object_or_404(Announcement, pk=pk)
        ask_for_mail(announcement, by=request.user)
        announcement.refresh_from_db()
        return Response(self.document(request, announcement), status.HTTP_202_ACCEPTED)

    @staticmethod
    def document(request: SignedInRequest, announcement: Announcement) -> dict[str, Any]:
        return dict(MailReportSerializer(mail_report(announcement, to=request.user)).data)


@extend_schema(tags=["Announcements"])
class TestMailView(APIView):
    """A test of the mail of one announcement."""

    permission_classes = [IsPlatformAdmin]

    @extend_schema(
        summary="Test an announcement's mail",
        operation_id="announcements_mail_test_create",
        request=None,
        responses={202: TestMailSerializer},
    )
    def post(self, request: SignedInRequest, pk: int) -> Response:
        """Mail it, as it is now, to oneself alone; its subject begins with `[Test]`."""
        send_test(get_object_or_404(Announcement, pk=pk), by=request.user)
        return Response({"to": request.user.email}, status.HTTP_202_ACCEPTED)
