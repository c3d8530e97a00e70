"""Messages on the wire, and what clients send of them."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chat.models import Message, Reaction
from core.serializers import BoundedListField, StrictCharField

ATTACHMENTS_AT_ONCE: Final = 10
LONGEST_TEXT: Final = 10_000  # characters: what MESSAGE_MAX_CHARS may be at most
LARGEST_BIGINT: Final = 2**63 - 1
SCHEMES: Final = {"http", "https"}
# Browsers take a backslash for a slash, and so may go to another host than the one we read (RFC 3986, 2).
NEVER_IN_LINKS: Final = frozenset(' \\"<>^`{|}')
ALIASES: Final = {"file_url": "url", "file_size": "size", "mime_type": "mimeType"}


class LinkField(StrictCharField):
    """An absolute http(s) link of at most 2,048 characters, without spaces or control characters."""

    default_error_messages = {"link": "Enter an absolute http or https link."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=2048, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            parts = urlsplit(text)
            is_link = parts.scheme in SCHEMES and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            is_link = False
        if not is_link or not text.isprintable() or NEVER_IN_LINKS & set(text):
            self.fail("link")
        return text


class NewAttachmentSerializer(serializers.Serializer[dict[str, Any]]):
    """A file that was uploaded before: the document with which the upload was answered."""

    url = LinkField(source="file_url")
    filename = StrictCharField(max_length=255)
    size = serializers.IntegerField(
        source="file_size", min_value=0, max_value=LARGEST_BIGINT, default=0, help_text="Bytes."
    )
    mimeType = StrictCharField(  # noqa: N815
        source="mime_type", max_length=255, default="application/octet-stream"
    )

    def to_internal_value(self, data: Any) -> Any:
        """Take the names under which a message is read, too."""
        if isinstance(data, dict):
            data = {ALIASES.get(name, name): value for name, value in data.items()}
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "maxLength": LONGEST_TEXT})
class TextField(StrictCharField):
    """A message's text, as long as the settings let it be. Null is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_blank=True, allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if len(text) > settings.MESSAGE_MAX_CHARS:
            raise serializers.ValidationError(
                f"At most {settings.MESSAGE_MAX_CHARS} characters.", "max_length"
            )
        return text


class NewMessageSerializer(serializers.Serializer[dict[str, Any]]):
    """A message to post: a text, files, or both."""

    text = TextField(required=False)
    attachments = BoundedListField(
        child=NewAttachmentSerializer(), max_length=ATTACHMENTS_AT_ONCE, required=False
    )
    clientId = StrictCharField(  # noqa: N815
        source="client_id",
        max_length=64,
        allow_blank=True,
        required=False,
        help_text="The client's own name for it: the same again is answered with the same message.",
    )

    replyTo = serializers.IntegerField(  # noqa: N815
        source="reply_to_id",
        min_value=1,
        max_value=LARGEST_BIGINT,
        allow_null=True,
        required=False,
        help_text="The id of a message that it quotes.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["text"] = attrs.get("text") or ""
        if not attrs["text"] and not attrs.get("attachments"):
            raise serializers.ValidationError({"text": ["Write a text, or attach a file."]})
        return attrs


@extend_schema_field(OpenApiTypes.BOOL)
class TrueField(serializers.Field):  # type: ignore[type-arg]
    """``true`` and nothing else: a text that sounds like it restores nothing (B78)."""

    default_error_messages = {"invalid": "Send true, or leave it out."}

    def to_internal_value(self, data: Any) -> bool:
        if data is not True:
            self.fail("invalid")
        return True

    def to_representation(self, value: bool) -> bool:  # noqa: FBT001 - the framework's
        return value


class MessageChangeSerializer(serializers.Serializer[dict[str, Any]]):
    """What is changed of a message: its text by its author, the rest by moderators. At least one."""

    text = TextField(required=False)
    moderationStatus = serializers.ChoiceField(  # noqa: N815
        source="moderation_status", choices=Message.Moderation.choices, required=False
    )
    moderationNote = StrictCharField(  # noqa: N815
        source="moderation_note", max_length=5000, allow_blank=True, required=False
    )
    restore = TrueField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Send text, moderationStatus, moderationNote or restore.")
        if "text" in attrs:
            attrs["text"] = attrs["text"] or ""
        return attrs


class AuthorSerializer(serializers.Serializer[Any]):
    """Who wrote it; id 0 is a former member."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class AttachmentSerializer(serializers.Serializer[Any]):
    """A file that came with a message."""

    file_url = serializers.CharField()
    filename = serializers.CharField()
    file_size = serializers.IntegerField(help_text="Bytes.")
    mime_type = serializers.CharField()


class ModerationSerializer(serializers.Serializer[Any]):
    """What moderators have said of it. The note is for them and for the author."""

    status = serializers.ChoiceField(choices=Message.Moderation.choices)
    note = serializers.CharField(allow_null=True)
    moderatedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    moderatedBy = serializers.IntegerField(allow_null=True)  # noqa: N815


class QuoteSerializer(serializers.Serializer[Any]):
    """The message that another quotes, cut short."""

    id = serializers.IntegerField()
    author = AuthorSerializer()
    text = serializers.CharField(help_text="At most 200 characters.")
    isDeleted = serializers.BooleanField()  # noqa: N815


class ReactionsSerializer(serializers.Serializer[Any]):
    """Who has set a sign."""

    sign = serializers.ChoiceField(choices=Reaction.Sign.choices)
    userIds = serializers.ListField(child=serializers.IntegerField())  # noqa: N815


class MessageSerializer(serializers.Serializer[Any]):
    """A message as ``chat.rendering`` makes it: this class describes it, for the schema."""

    id = serializers.IntegerField()
    author = AuthorSerializer()
    text = serializers.CharField()
    timestamp = serializers.DateTimeField()
    attachments = AttachmentSerializer(many=True)
    isDeleted = serializers.BooleanField(help_text="Removed or rejected.")  # noqa: N815
    deletedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    deletedBy = serializers.IntegerField(allow_null=True)  # noqa: N815
    moderation = ModerationSerializer()
    editedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    seq = serializers.IntegerField(help_text="Its place in the conversation, for good.")
    revision = serializers.IntegerField(help_text="The number of its last change in the conversation.")
    clientId = serializers.CharField(allow_null=True, help_text="For its author alone.")  # noqa: N815
    replyTo = QuoteSerializer(allow_null=True)  # noqa: N815
    reactions = ReactionsSerializer(many=True)
    mentions = serializers.ListField(
        child=serializers.IntegerField(), help_text="Ids of people of the group whom the text names."
    )


class FoundMessageSerializer(MessageSerializer):
    """A message that was found, with its group."""

    groupId = serializers.CharField()  # noqa: N815


class HistorySerializer(serializers.Serializer[Any]):
    """Messages, and whether there are more beyond them."""

    messages = MessageSerializer(many=True)
    hasMore = serializers.BooleanField()  # noqa: N815
    revision = serializers.IntegerField(
        help_text="With `after`: up to where this answer goes. Else where the conversation stands."
    )
