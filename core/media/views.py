"""Files in, and files out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from core.idempotency import once
from core.media.serializers import FileSerializer, UploadSerializer
from core.models import Upload
from core.negotiation import WhateverIsAccepted
from core.parsers import BoundedMultiPartParser
from core.schema import RETRY_SAFE
from core.uploads.delivery import answer_with, begins_download
from core.uploads.quotas import store_within_quota
from core.uploads.rights import note_opened, opened_by

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

    from core.http import SignedInRequest


class UploadsView(APIView):
    """Where files come in that people attach to messages."""

    permission_classes = [IsAuthenticated]
    parser_classes = [BoundedMultiPartParser]

    @extend_schema(
        operation_id="uploads_create",
        summary="Upload a file",
        tags=["Files"],
        request=FileSerializer,
        responses={201: UploadSerializer},
        parameters=RETRY_SAFE,
    )
    def post(self, request: SignedInRequest) -> Response:
        """Store a file of one's own, to be attached to a message by its `url`.

        Name, type and content must agree; pictures are written anew without EXIF and GPS. Refused: what a
        browser or a computer would run, archives that unpack to too much, documents with macros, what a
        virus scanner knows (400 `upload_refused`), and more than 200 files or 1 GiB in 24 hours (429
        `upload_quota`).
        """
        sent = FileSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        file = sent.validated_data["file"]
        upload, headers = once(
            request,
            lambda: store_within_quota(file, owner=request.user),
            among=Upload.objects.filter(owner=request.user),
        )
        body = UploadSerializer(upload, context={"request": request}).data
        return Response(body, status.HTTP_201_CREATED, headers=headers)


@extend_schema(exclude=True)
class FileView(APIView):
    """A click on a file link, which is the credential: clients open it without a header (D19)."""

    permission_classes = [AllowAny]
    throttle_classes: list[Any] = []
    content_negotiation_class = WhateverIsAccepted

    def get(self, request: Request, token: str, key: str) -> HttpResponseBase:
        """Answer with the file, as an attachment, or a part of it."""
        upload, viewer = opened_by(token, key, besides=signed_in(request))
        response = answer_with(upload, request._request)  # noqa: SLF001 - documented for such uses
        if begins_download(request._request) and response.status_code < status.HTTP_400_BAD_REQUEST:  # noqa: SLF001
            note_opened(viewer, upload)
        return response


def signed_in(request: Request) -> Any:
    """Return who a request says it comes from: by token, or by a session of the admin site."""
    if request.user.is_authenticated:
        return request.user
    at_admin_site = get_user(request._request)  # noqa: SLF001 - whose own user REST framework has replaced
    return at_admin_site if at_admin_site.is_authenticated else None
