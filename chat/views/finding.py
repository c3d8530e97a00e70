"""Finding messages over all the groups that one sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated

from chat.access import reader
from chat.filters import SearchQuerySerializer
from chat.models import Message
from chat.rendering import document_of, render, with_links
from chat.serializers.messages import FoundMessageSerializer
from core.uploads.links import links_of

if TYPE_CHECKING:
    from rest_framework.response import Response

    from chat.models.messages import MessageQuerySet
    from core.http import SignedInRequest


class FindingView(GenericAPIView[Message]):
    """Pages of messages, newest first, each with its group."""

    request: SignedInRequest
    queryset = Message.objects.all()
    permission_classes = [IsAuthenticated]
    serializer_class = FoundMessageSerializer
    filterset_class = None

    def answer(self, messages: MessageQuerySet) -> Response:
        rows = messages.select_related("group").with_details().newest_first()
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([self.shown(message) for message in page])

    def shown(self, message: Message) -> dict[str, Any]:
        who = reader(self.request.user, message.group)
        rendered = render(document_of(message), who, sight=message.sight)
        return {**with_links(rendered, links_of(self.request)), "groupId": message.group_id}


@extend_schema(tags=["Chat"])
class SearchView(FindingView):
    """What was said, by its words."""

    @extend_schema(
        summary="Search messages",
        parameters=[SearchQuerySerializer],
        responses=FoundMessageSerializer(many=True),
    )
    def get(self, request: SignedInRequest) -> Response:
        """Find messages in whose text the words occur, whatever their case, in all groups that one sees."""
        asked = SearchQuerySerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        found = Message.objects.in_sight_for(request.user).matching(asked.validated_data["q"])
        group = asked.validated_data.get("group")
        return self.answer(found.filter(group=group) if group else found)


@extend_schema(tags=["Chat"])
class MentionsView(FindingView):
    """Where one was named."""

    @extend_schema(summary="List one's mentions", responses=FoundMessageSerializer(many=True))
    def get(self, request: SignedInRequest) -> Response:
        """List messages that name one (`@` and the name), in the groups that one sees."""
        return self.answer(Message.objects.in_sight_for(request.user).filter(mentions__user=request.user))
