"""The cover of whatever has one: the same action on each viewset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import decorators
from rest_framework.response import Response

from core.media.serializers import CoverLinkSerializer, CoverSerializer
from core.parsers import BoundedMultiPartParser
from core.uploads.covers import replace_cover

if TYPE_CHECKING:
    from core.http import SignedInRequest


class HasCover:
    """Gives a viewset ``PUT .../cover/``; who may, the viewset's permission says."""

    cover_folder: ClassVar[str]
    action: Any
    get_object: Any

    def document_in(self, data: Any) -> Any:
        return None if self.action == "cover" else data

    @extend_schema(summary="Replace the cover", request=CoverSerializer, responses=CoverLinkSerializer)
    @decorators.action(
        detail=True, methods=["put"], url_name="update-cover", parser_classes=[BoundedMultiPartParser]
    )
    def cover(self, request: SignedInRequest, pk: int) -> Response:
        """Store a picture as the cover; the one before it is deleted.

        A PNG, JPEG, GIF or WebP that decodes, of at most 10 MB and 12.5 million pixels (a JPEG of up to 50
        million is halved); anything else is 400 `upload_refused`.
        """
        row = self.get_object()
        body = CoverSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            replace_cover(row, body.validated_data["cover_image"], by=request.user, folder=self.cover_folder)
        except ObjectDoesNotExist as error:
            raise Http404 from error
        return Response(CoverLinkSerializer(row, context={"request": request}).data)
