"""The inbox and its settings on the wire."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.utils import html

from core.converters import IdConverter
from core.notifications.kinds import Pace
from core.registry import notification_kinds
from core.serializers import BoundedListField, StrictCharField

MOST_IDS: Final = 500
CLOCK: Final = "%H:%M"
NAMED: Final = re.compile(r"\w+\[([^\]]*)\]")


class NoticeSerializer(serializers.Serializer[Any]):
    """A row of somebody's inbox, in their language (``core.notifications.inbox.Row``)."""

    id = serializers.IntegerField()
    kind = serializers.CharField(help_text="Such as `announcement`; clients may meet kinds they do not know.")
    title = serializers.CharField()
    body = serializers.CharField(help_text="May be empty.")
    url = serializers.CharField(help_text="Where in the web client it leads; empty: nowhere.")
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    readAt = serializers.DateTimeField(  # noqa: N815
        source="read_at", allow_null=True, help_text="Null: not read yet."
    )


class UnreadNoticesSerializer(serializers.Serializer[Any]):
    """The number on a badge."""

    unread = serializers.IntegerField(help_text="How much of the inbox is not read.")


class ReadSerializer(serializers.Serializer[Any]):
    """What has been read."""

    ids = BoundedListField(
        child=serializers.IntegerField(min_value=1, max_value=IdConverter.LARGEST),
        max_length=MOST_IDS,
        required=False,
        help_text="Ids that are not in one's inbox do nothing. An empty body: all of it.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take all for what is meant only where nothing else is said, such as ``id``."""
        if "ids" not in attrs and self.initial_data:
            raise serializers.ValidationError({"ids": ["Send ids, or nothing at all."]})
        return attrs


class OneClickSerializer(serializers.Serializer[Any]):
    """What a mail program sends (RFC 8058), or the page."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "List-Unsubscribe": serializers.ChoiceField(["One-Click"], required=False),
            "again": serializers.ChoiceField(
                ["yes"], required=False, help_text="The page's other button (urlencoded): get them again."
            ),
        }


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "example": "21:00"})
class ClockField(serializers.TimeField):
    """Hours and minutes; a `time` of JSON Schema would have seconds and an offset (RFC 3339)."""


class LanguageSerializer(serializers.Serializer[Any]):
    """A language that can be chosen."""

    code = serializers.CharField()
    label = serializers.CharField(  # type: ignore[assignment]  # a serializer's own label is none of ours
        help_text="In that language.", source="name"
    )


class KindSerializer(serializers.Serializer[Any]):
    """Of what one is told, and when by mail."""

    kind = serializers.CharField()
    label = serializers.CharField(help_text="In the reader's language.")  # type: ignore[assignment]
    pace = serializers.ChoiceField(Pace.choices, help_text="When mail comes: at once, once a day, or never.")
    paces = serializers.ListField(
        child=serializers.ChoiceField(Pace.choices), help_text="Which can be chosen."
    )
    isMandatory = serializers.BooleanField(  # noqa: N815
        source="is_mandatory", help_text="Mail that nobody can switch off, such as of a sign-in."
    )
    usual = serializers.ChoiceField(Pace.choices, help_text="The pace of whoever has chosen nothing.")


class PreferencesSerializer(serializers.Serializer[Any]):
    """How one is told of things (``core.notifications.preferences.Preferences``)."""

    language = serializers.CharField(help_text="That of mail and inbox.")
    timeZone = serializers.CharField(source="time_zone", help_text="An IANA name.")  # noqa: N815
    quietFrom = ClockField(  # noqa: N815
        source="quiet_from", format=CLOCK, allow_null=True, help_text="By one's own clock. Null: never quiet."
    )
    quietUntil = ClockField(source="quiet_until", format=CLOCK, allow_null=True)  # noqa: N815
    languages = LanguageSerializer(many=True, help_text="Those that can be chosen.")
    kinds = KindSerializer(many=True)


class KindsField(serializers.DictField):
    """Values by kind, counted before any of them is looked at; in forms ``kinds[announcement]``."""

    default_error_messages: ClassVar = {"too_many": "There are only {most} kinds."}

    def get_value(self, dictionary: Any) -> Any:
        """Return what was sent, as it was sent: the framework passes over what a form has of it."""
        if not html.is_html_input(dictionary):
            return super().get_value(dictionary)
        named = {name: NAMED.fullmatch(name) for name in dictionary if name.startswith(self.field_name)}
        sent = {found[1]: dictionary[name] for name, found in named.items() if found}
        return sent or dictionary.get(self.field_name, serializers.empty)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict) and len(data) > len(notification_kinds.entries):
            self.fail("too_many", most=len(notification_kinds.entries))
        values: dict[str, Any] = super().to_internal_value(data)
        return values


class PreferencesWriteSerializer(serializers.Serializer[Any]):
    """Any part of it."""

    language = StrictCharField(
        max_length=10, allow_null=True, required=False, help_text="Null: as the programme."
    )
    timeZone = StrictCharField(  # noqa: N815
        source="time_zone",
        max_length=64,
        allow_null=True,
        required=False,
        help_text="An IANA name, such as `America/Sao_Paulo`. Null: as the programme.",
    )
    quietFrom = ClockField(  # noqa: N815
        source="quiet_from",
        input_formats=[CLOCK],
        allow_null=True,
        required=False,
        help_text="From then on no mail comes but mandatory mail. Null, both of them: never quiet.",
    )
    quietUntil = ClockField(  # noqa: N815
        source="quiet_until",
        input_formats=[CLOCK],
        allow_null=True,
        required=False,
        help_text="May be earlier than `quietFrom`: then it is on the next day.",
    )
    kinds = KindsField(
        child=serializers.ChoiceField(Pace.choices),
        required=False,
        help_text="Paces by kind; of kinds that are left out nothing changes.",
    )
