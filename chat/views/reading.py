"""How far the people of a group have read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from chat.access import access_conversation
from chat.serializers.reading import ReadCursorSerializer, ReadersSerializer, ReadUpToSerializer
from chat.services.reading import mark_read, seen_by

if TYPE_CHECKING:
    from core.http import SignedInRequest


@extend_schema(tags=["Chat"])
class ReadView(APIView):
    """Read cursors: one for each person and conversation."""

    permission_classes = [IsAuthenticated]
    refuses_some = True

    @extend_schema(summary="See who has read how far", responses=ReadersSerializer)
    def get(self, request: SignedInRequest, group_id: str) -> Response:
        """Return how far each person of the group has read: a message is seen by those at its `seq`."""
        group = access_conversation(request.user, group_id)
        return Response({"readers": ReadCursorSerializer(seen_by(group), many=True).data})

    @extend_schema(summary="Mark as read", request=ReadUpToSerializer, responses=ReadCursorSerializer)
    def post(self, request: SignedInRequest, group_id: str) -> Response:
        """Move one's own cursor to a message's `seq`, or to the end of the conversation; never back."""
        access_conversation(request.user, group_id)
        body = ReadUpToSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        cursor = mark_read(group_id, by=request.user, **body.validated_data)
        return Response(ReadCursorSerializer(cursor).data)
