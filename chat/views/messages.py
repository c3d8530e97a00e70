"""A group's conversation over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from chat.access import access_conversation, reader
from chat.filters import HistoryQuerySerializer
from chat.models import Message
from chat.rendering import document_of, render, with_links
from chat.serializers.messages import (
    HistorySerializer,
    MessageChangeSerializer,
    MessageSerializer,
    NewMessageSerializer,
)
from chat.services.history import changes_after
from chat.services.moderation import change_message, remove_message
from chat.services.pages import page_before
from chat.services.posting import ClientIdReused, Draft, name_by, post_message
from core.checking import checked
from core.conditional import Conditional, Tagged
from core.idempotency import REPLAYED_HEADER, KeyReused, key_of
from core.schema import retry_safe
from core.uploads.links import links_of

if TYPE_CHECKING:
    from chat.models.messages import MessageQuerySet
    from core.http import SignedInRequest
    from groups.models import Group


NAMED_BY_KEY: Final = retry_safe("Counts as `clientId` where the body has none.", replays=[200])


class ConversationView(APIView):
    """What is below one group's conversation."""

    request: SignedInRequest
    permission_classes = [IsAuthenticated]
    refuses_some = True

    def shown(self, message: Message, group: Group) -> dict[str, Any]:
        rendered = render(document_of(message), reader(self.request.user, group), sight=message.sight)
        return with_links(rendered, links_of(self.request))


class MessageTold(Tagged, ConversationView):
    """Answers with a message, and with the ETag that an edit of it may be sent with."""

    def document_in(self, data: Any) -> Any:
        """Return the message; what is left of a removed one is nothing that its author could edit."""
        return None if data["isDeleted"] else data


@extend_schema(tags=["Chat"])
class MessagesView(MessageTold):
    """A group's messages. Outsiders get 403, an unknown group 404."""

    @extend_schema(
        summary="Read a conversation", parameters=[HistoryQuerySerializer], responses=HistorySerializer
    )
    def get(self, request: SignedInRequest, group_id: str) -> Response:
        """Return messages newest first, older than `before`; `after`: what changed since, oldest first.

        What is removed or rejected is for moderators; what waits for review for them and its author. With
        `after` it is a tombstone for those who may have seen it.
        """
        group = access_conversation(request.user, group_id)
        asked = checked(HistoryQuerySerializer, request.query_params.dict())
        who, links = reader(request.user, group), links_of(request)
        if "after" in asked:
            page = changes_after(group, who, links, after=asked["after"], limit=asked["limit"])
        else:
            page = page_before(group, who, links, before=asked.get("before"), limit=asked["limit"])
        return Response({"messages": page.messages, "hasMore": page.has_more, "revision": page.revision})

    @extend_schema(
        summary="Post a message",
        request=NewMessageSerializer,
        responses={201: MessageSerializer, 200: MessageSerializer},
        parameters=NAMED_BY_KEY,
    )
    def post(self, request: SignedInRequest, group_id: str) -> Response:
        """Post a text, files, or both. The same `clientId` again answers 200 with the same message.

        `Idempotency-Key` is taken for it where the body has none.
        """
        key = key_of(request)
        try:
            draft = Draft(**checked(NewMessageSerializer, request.data))
        except ValidationError:
            # Whoever is outside learns of that, and not of their body.
            access_conversation(request.user, group_id)
            raise
        if key and not draft.client_id:
            return self.post_by_key(draft, group_id, key)
        message, is_new = post_message(group_id=group_id, author=request.user, draft=draft)
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self.shown(message, message.group), code)

    def post_by_key(self, draft: Draft, group_id: str, key: str) -> Response:
        """Post what its client named in the header; a repeat is marked. Raises KeyReused (422)."""
        named = replace(draft, client_id=name_by(key))
        try:
            message, is_new = post_message(group_id=group_id, author=self.request.user, draft=named)
        except ClientIdReused as error:
            raise KeyReused from error
        shown = self.shown(message, message.group)
        return Response(shown, 201) if is_new else Response(shown, 200, headers={REPLAYED_HEADER: "true"})


class OneMessageView(ConversationView):
    """What is below one message."""

    def rows(self, group: Group) -> MessageQuerySet:
        as_moderator = reader(self.request.user, group).is_moderator
        return Message.objects.filter(group=group).readable(self.request.user, as_moderator=as_moderator)

    def message(self, group: Group, message_id: int) -> Message:
        return get_object_or_404(self.rows(group), pk=message_id)


@extend_schema(tags=["Chat"])
class MessageView(Conditional, OneMessageView):
    """One message: its author changes it for a while, moderators judge it."""

    def current(self) -> dict[str, Any]:
        group = access_conversation(self.request.user, self.kwargs["group_id"])
        message = get_object_or_404(self.rows(group).with_details(), pk=self.kwargs["message_id"])
        return self.shown(message, group)

    def own_or_readable(self, group: Group, message_id: int) -> Message:
        """Find one's own message where it is removed already, too: a phone may ask again."""
        own = Message.objects.filter(group=group, author=self.request.user, pk=message_id).first()
        return own or self.message(group, message_id)

    @extend_schema(
        summary="Edit or moderate a message", request=MessageChangeSerializer, responses=MessageSerializer
    )
    def patch(self, request: SignedInRequest, group_id: str, message_id: int) -> Response:
        """Its author changes the text for some minutes; moderators approve, reject, note and restore."""
        group = access_conversation(request.user, group_id)
        message = self.message(group, message_id)
        values = checked(MessageChangeSerializer, request.data)
        return Response(self.shown(change_message(message, by=request.user, values=values), group))

    @extend_schema(summary="Remove a message", responses={200: MessageSerializer})
    def delete(self, request: SignedInRequest, group_id: str, message_id: int) -> Response:
        """Hide a message: moderators at any time, its author for some minutes. Answers what is left of it."""
        group = access_conversation(request.user, group_id)
        message = remove_message(self.own_or_readable(group, message_id), by=request.user)
        return Response(self.shown(message, group))
