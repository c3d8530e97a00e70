"""Signs on messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from chat.access import access_conversation
from chat.models import Reaction
from chat.serializers.messages import MessageSerializer
from chat.services.reactions import react
from chat.views.messages import MessageTold, OneMessageView

if TYPE_CHECKING:
    from core.http import SignedInRequest

SIGN = OpenApiParameter("sign", str, OpenApiParameter.PATH, enum=Reaction.Sign.values)
ANSWERS = {200: MessageSerializer, 400: OpenApiResponse(description="The sign is none of the few.")}


@extend_schema(tags=["Chat"], parameters=[SIGN], request=None, responses=ANSWERS)
class ReactionView(MessageTold, OneMessageView):
    """One's own sign on a message, of a fixed few."""

    tagged = {"PUT", "DELETE"}

    def set_sign(self, group_id: str, message_id: int, sign: str, *, is_set: bool) -> Response:
        group = access_conversation(self.request.user, group_id)
        message = self.message(group, message_id)
        if sign not in Reaction.Sign.values:
            raise ValidationError({"sign": f"One of {' '.join(Reaction.Sign.values)}"})
        return Response(self.shown(react(message, by=self.request.user, sign=sign, is_set=is_set), group))

    @extend_schema(summary="React to a message")
    def put(self, request: SignedInRequest, group_id: str, message_id: int, sign: str) -> Response:
        """Set a sign on a message; again changes nothing."""
        return self.set_sign(group_id, message_id, sign, is_set=True)

    @extend_schema(summary="Take a reaction back")
    def delete(self, request: SignedInRequest, group_id: str, message_id: int, sign: str) -> Response:
        """Take a sign back; again changes nothing."""
        return self.set_sign(group_id, message_id, sign, is_set=False)
