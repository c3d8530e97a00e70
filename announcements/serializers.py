"""Announcements on the wire."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers

from announcements.models import Announcement
from core.markdown import safe_html
from core.models import Delivery
from core.serializers import MomentField, WebLinkField, WireModelSerializer
from users.models import User

ALL_FIELDS: Final = [
    *("id", "title", "summary", "content", "contentHtml", "author", "audience", "link", "pinned"),
    *("publishAt", "expiresAt", "state", "acknowledgedAt", "createdAt", "updatedAt"),
]


class AnnouncementSerializer(WireModelSerializer[Announcement]):
    """An announcement, whole. The row comes from ``with_mark_of`` its reader."""

    contentHtml = serializers.SerializerMethodField(  # noqa: N815
        help_text="`content` as HTML that a page may show as it is: no scripts, no images, no foreign styles."
    )
    state = serializers.ChoiceField(choices=Announcement.State.choices)
    acknowledgedAt = serializers.DateTimeField(  # noqa: N815
        source="acknowledged_at", allow_null=True, help_text="When the reader did; null: not yet."
    )

    class Meta:
        model = Announcement
        fields = ALL_FIELDS
        read_only_fields = fields

    def get_contentHtml(self, announcement: Announcement) -> str:  # noqa: N802 - the field's name
        return safe_html(announcement.content)


class AnnouncementDetailSerializer(AnnouncementSerializer):
    """The same by itself; admins read how far it got. ``reach`` is in the context, for them."""

    audienceCount = serializers.SerializerMethodField(  # noqa: N815
        help_text="For how many people it is. Null for whoever is no admin."
    )
    acknowledgedCount = serializers.SerializerMethodField(  # noqa: N815
        help_text="How many of them have acknowledged it. Null for whoever is no admin."
    )

    class Meta(AnnouncementSerializer.Meta):
        fields = [*ALL_FIELDS, "audienceCount", "acknowledgedCount"]
        read_only_fields = fields

    def get_audienceCount(self, announcement: Announcement) -> int | None:  # noqa: N802 - the field's name
        return self.counted("audience_count")

    def get_acknowledgedCount(self, announcement: Announcement) -> int | None:  # noqa: N802 - the field's name
        return self.counted("acknowledged_count")

    def counted(self, name: str) -> int | None:
        reach: dict[str, int] = self.context.get("reach", {})
        return reach.get(name)


class AnnouncementWriteSerializer(WireModelSerializer[Announcement]):
    """What admins write. Without an author it is the programme's; without a link there is none."""

    link = WebLinkField(max_length=200, allow_blank=True, allow_null=True, required=False)
    publishAt = MomentField(  # noqa: N815
        source="publish_at", allow_null=True, required=False, help_text="Null: at once."
    )
    expiresAt = MomentField(  # noqa: N815
        source="expires_at", allow_null=True, required=False, help_text="Null: never."
    )

    class Meta:
        model = Announcement
        fields = [
            *("title", "summary", "content", "author", "audience", "link", "pinned"),
            *("publishAt", "expiresAt"),
        ]
        extra_kwargs = {"content": {"help_text": "Markdown (CommonMark and tables)."}}


class AnnouncementCreateSerializer(AnnouncementWriteSerializer):
    """The same as it is published, with whether it goes by mail too."""

    sendEmail = serializers.BooleanField(  # noqa: N815
        source="send_email",
        write_only=True,
        default=False,
        help_text="Mail it to its audience, when it is published.",
    )

    class Meta(AnnouncementWriteSerializer.Meta):
        fields = [*AnnouncementWriteSerializer.Meta.fields, "sendEmail"]


class SampleSerializer(serializers.Serializer[dict[str, str]]):
    """A mail as the reader would get it."""

    subject = serializers.CharField()
    text = serializers.CharField()
    html = serializers.CharField(help_text="A whole page: show it in a sandboxed frame.")


class MailStatesSerializer(serializers.Serializer[dict[str, int]]):
    """How many people's mail is in which state; all are 0 before people are told of the announcement."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            state.value: serializers.IntegerField(help_text=f"{state.label}.") for state in Delivery.State
        }


class MailReportSerializer(serializers.Serializer[dict[str, Any]]):
    """Whom an announcement reaches by mail, how that looks, and how far it has got."""

    requestedAt = serializers.DateTimeField(  # noqa: N815
        source="requested_at", allow_null=True, help_text="When an admin had it mailed. Null: nobody has."
    )
    recipients = serializers.IntegerField(help_text="How many people it would reach by mail now.")
    audience = serializers.IntegerField(
        help_text="For how many people it is: `atOnce`, `daily`, `off` and `troubled` together."
    )
    atOnce = serializers.IntegerField(  # noqa: N815
        source="at_once",
        help_text="Of the recipients: those who want such mail at once, or after quiet hours.",
    )
    daily = serializers.IntegerField(help_text="Of the recipients: those who get it with their daily mail.")
    off = serializers.IntegerField(help_text="Those who want no such mail.")
    troubled = serializers.IntegerField(help_text="Those whose mailbox gave mail back, or reported it.")
    sample = SampleSerializer()
    states = MailStatesSerializer()
    isUnderWay = serializers.BooleanField(  # noqa: N815
        source="is_under_way", help_text="Whether some of it has yet to leave: ask again in some seconds."
    )


class TestMailSerializer(serializers.Serializer[dict[str, str]]):
    """Where a test goes."""

    to = serializers.EmailField(help_text="The reader's own address.")


class MarkSerializer(serializers.Serializer[Any]):
    """That one has read an announcement, and since when."""

    id = serializers.IntegerField(source="announcement_id", help_text="The announcement's.")
    acknowledgedAt = serializers.DateTimeField(source="acknowledged_at")  # noqa: N815


class ReaderSerializer(WireModelSerializer[User]):
    """A person for whom an announcement is, as admins read of them."""

    acknowledgedAt = serializers.DateTimeField(  # noqa: N815
        source="acknowledged_at", allow_null=True, help_text="Null: not yet."
    )

    class Meta:
        model = User
        fields = ["id", "name", "email", "role", "acknowledgedAt"]
        read_only_fields = fields


class UnreadSerializer(serializers.Serializer[dict[str, int]]):
    """How many announcements are new."""

    unread = serializers.IntegerField(help_text="Published for the reader, and not acknowledged.")
