"""Events on the wire: the one document, and what admins write."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.media.fields import FileLinkField
from core.serializers import MomentField, WebLinkField, WireModelSerializer
from events.models import Event


class EventSerializer(WireModelSerializer[Event]):
    """An event, and how it stands with whoever asks; ``with_seats`` has counted."""

    coverImage = FileLinkField(source="cover_image", allow_null=True)  # noqa: N815
    # No URL to readers of the document: blank where there is none.
    registerLink = serializers.CharField(  # noqa: N815
        source="register_link", help_text="Where set, people register there and not with us."
    )
    isRegistered = serializers.BooleanField(source="is_registered", help_text="Whoever asks has a seat.")  # noqa: N815
    registrationCount = serializers.IntegerField(  # noqa: N815
        source="registration_count", help_text="Seats that are taken."
    )
    isWaitlisted = serializers.BooleanField(  # noqa: N815
        source="is_waitlisted", help_text="Whoever asks is on the waiting list."
    )
    waitlistCount = serializers.IntegerField(source="waitlist_count")  # noqa: N815
    spotsLeft = serializers.SerializerMethodField(help_text="Free seats. Null: no limit.")  # noqa: N815

    class Meta:
        model = Event
        fields = [
            *("id", "title", "description", "longDescription"),
            *("date", "time", "startAt", "endAt", "timezone"),
            *("location", "type", "coverImage", "registerLink", "capacity", "createdAt", "updatedAt"),
            *("isRegistered", "registrationCount", "isWaitlisted", "waitlistCount", "spotsLeft"),
        ]
        read_only_fields = fields

    def get_spotsLeft(self, event: Any) -> int | None:  # noqa: N802
        return None if event.capacity is None else max(0, event.capacity - event.registration_count)


class EventWriteSerializer(WireModelSerializer[Event]):
    """What an admin writes of an event."""

    startAt = MomentField(  # noqa: N815
        source="start_at", validators=Event.start_at.field.validators, allow_null=True, required=False
    )
    endAt = MomentField(  # noqa: N815
        source="end_at", validators=Event.end_at.field.validators, allow_null=True, required=False
    )
    registerLink = WebLinkField(  # noqa: N815
        source="register_link",
        max_length=200,
        allow_blank=True,
        allow_null=True,
        required=False,
        help_text="http or https; null is the same as blank.",
    )

    class Meta:
        model = Event
        fields = [
            *("title", "description", "longDescription", "date", "time", "startAt", "endAt", "timezone"),
            *("location", "type", "registerLink", "capacity"),
        ]
        extra_kwargs = {
            "date": {"required": False, "help_text": "Required without `startAt`, which gives it otherwise."},
            "time": {"required": False, "help_text": "Required without `startAt`, which gives it otherwise."},
        }

    def validate_registerLink(self, link: str | None) -> str:  # noqa: N802 - the framework's
        return link or ""


class NewEventSerializer(EventWriteSerializer):
    """A new event."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Ask for day and time where no start gives them."""
        fields = super().get_fields()
        sent = getattr(self, "initial_data", None)
        if isinstance(sent, dict) and not sent.get("startAt"):
            fields["date"].required = fields["time"].required = True
        return fields
