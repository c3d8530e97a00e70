"""What we hold of a person, as a ZIP for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from core.negotiation import WhateverIsAccepted
from core.schema import waits
from core.streaming import StoredFileResponse
from users.serializers.archive import ArchiveOnItsWaySerializer, ArchiveQuerySerializer
from users.services.archive import request_archive

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

    from core.http import SignedInRequest

ASK_AGAIN_SECONDS = 5
NOT_KEPT = {"Cache-Control": "private, no-store"}
ASK_AGAIN = waits(202)


@extend_schema(tags=["My account"])
class MyArchiveView(APIView):
    """One's own data, to take away."""

    permission_classes = [IsAuthenticated]
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(
        summary="My data as a ZIP",
        parameters=[ArchiveQuerySerializer, ASK_AGAIN],
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            202: ArchiveOnItsWaySerializer,
            429: OpenApiResponse(description="More than six fresh ones, or 20 downloads, in an hour."),
        },
    )
    def get(self, request: SignedInRequest) -> HttpResponseBase:
        """Return a ZIP of all that we hold of the caller, as JSON and files, or 202 while it is put together.

        It is built in the background: ask again after `Retry-After` seconds. For 24 hours the same ZIP
        is answered; `fresh=true` has another one made, at most six in an hour. Then ask without `fresh`.
        """
        query = ArchiveQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        archive, file = request_archive(request.user, fresh=query.validated_data["fresh"])
        if file is None:
            headers = {**NOT_KEPT, "Retry-After": str(ASK_AGAIN_SECONDS)}
            return Response(
                ArchiveOnItsWaySerializer(archive).data, status.HTTP_202_ACCEPTED, headers=headers
            )
        filename = f"my-data-{archive.requested_at:%Y%m%d}.zip"
        sent: Any = file
        headers = {**NOT_KEPT, "Content-Length": str(archive.size)}
        return StoredFileResponse(
            sent, as_attachment=True, filename=filename, content_type="application/zip", headers=headers
        )
