"""Which part of a conversation is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django_filters import rest_framework as filters
from rest_framework import serializers

from chat.models import MessageReport

if TYPE_CHECKING:
    from datetime import datetime

LARGEST_BIGINT: Final = 2**63 - 1
USUAL: Final = 50
MOST: Final = 100
WHOLE: Final = re.compile(r"[+-]?[0-9]+")
FINDABLE: Final = re.compile(r"[^\W_]{3}")


class ReportFilter(filters.FilterSet):
    """Which reports."""

    open = filters.BooleanFilter(
        field_name="resolved_at",
        lookup_expr="isnull",
        help_text="`true`: not dealt with. `false`: done.",
    )

    class Meta:
        model = MessageReport
        fields: list[str] = []


class WholeField(serializers.IntegerField):
    """A whole number in plain digits: the original takes 1.0 and 1_0 as well."""

    def to_internal_value(self, data: Any) -> int:
        if not WHOLE.fullmatch(str(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class MomentField(serializers.CharField):
    """A moment with its offset from UTC, as a message tells it. Blank is none."""

    default_error_messages = {"moment": "Send a timestamp as a message has it, such as 2026-11-25T09:30:00Z."}

    def to_internal_value(self, data: Any) -> datetime | None:  # type: ignore[override]
        text = super().to_internal_value(data)
        try:
            moment = parse_datetime(text) if text else None
            if text and (moment is None or timezone.is_naive(moment)):
                self.fail("moment")
            # Year 1 in the far east has no moment in UTC.
            return moment.astimezone(timezone.get_default_timezone()) if moment else None
        except (ValueError, OverflowError):
            self.fail("moment")


class SearchQuerySerializer(serializers.Serializer[dict[str, Any]]):
    """Query parameters of the search."""

    q = serializers.CharField(
        max_length=200,
        help_text="What to find, as it stands there: with three letters or digits in a row, or more.",
    )
    group = serializers.CharField(required=False, allow_blank=True, help_text="In this group alone.")

    def validate_q(self, q: str) -> str:
        """Refuse what no trigram index can help with: it would read every message there is."""
        if not FINDABLE.search(q):
            raise serializers.ValidationError("Write at least three letters or digits in a row.")
        return q


class HistoryQuerySerializer(serializers.Serializer[dict[str, Any]]):
    """Query parameters of a conversation."""

    limit = WholeField(default=USUAL, help_text="1 to 100; beyond that it is the nearest of them.")
    before = MomentField(
        required=False, allow_blank=True, help_text="Messages older than this `timestamp`, newest first."
    )
    after = WholeField(
        required=False,
        min_value=0,
        max_value=LARGEST_BIGINT,
        help_text="Whatever changed after this `revision`, oldest change first. Not with `before`.",
    )

    def validate_limit(self, limit: int) -> int:
        return max(1, min(limit, MOST))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "after" in attrs and attrs.get("before"):
            raise serializers.ValidationError({"after": ["Send before or after, not both."]})
        return attrs
