"""Query parameters of the audit log. A value that cannot be one is a 400 that names its parameter."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, time
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django_filters import rest_framework as filters

from core.converters import IdConverter
from core.models import AuditEvent

ACTIONS: Final = (
    "account_provisioned",
    "added",
    "announcement_changed",
    "announcement_created",
    "announcement_deleted",
    "announcement_mailed",
    "attendance_marked",
    "audit_forgotten",
    "calendar_feed_renewed",
    "calendar_feed_revoked",
    "changed",
    "chat_text_opened",
    "cover_replaced",
    "deleted",
    "event_changed",
    "event_created",
    "event_deleted",
    "events_exported",
    "group_archived",
    "group_changed",
    "group_created",
    "group_purged",
    "group_restored",
    "join_permission_decided",
    "link_changed",
    "link_created",
    "link_deleted",
    "mail_allowed",
    "mail_sent_again",
    "mail_suppressed",
    "member_removed",
    "members_added",
    "message_moderated",
    "message_removed",
    "message_reported",
    "milestone_removed",
    "milestone_restored",
    "own_data_requested",
    "people_exported",
    "people_import_checked",
    "people_import_committed",
    "people_import_rejected_rows_read",
    "people_import_undone",
    "proved",
    "refresh_reuse",
    "report_settled",
    "resource_changed",
    "resource_created",
    "resource_deleted",
    "resources_exported",
    "roster_exported",
    "seats_freed",
    "seats_given",
    "session_ended_by_admin",
    "signed_in",
    "signed_out",
    "signed_out_everywhere",
    "task_removed",
    "task_restored",
    "task_run_again",
    "template_applied",
    "template_changed",
    "template_created",
    "template_deleted",
    "template_run_finished",
    "user_changed",
    "user_created",
    "user_deleted",
)
AS_TIME: Final = "A date, or a timestamp with its offset from UTC, such as 2026-11-25T09:30:00Z."


class MomentField(forms.CharField):
    """A moment in UTC. A bare date is a whole day: from where it begins, or to where it ends."""

    default_error_messages = {"invalid": AS_TIME}

    def __init__(self, *args: Any, at: time, **kwargs: Any) -> None:
        self.at = at
        super().__init__(*args, **kwargs)

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        # Well-formed but impossible (30 February) is a ValueError; year 1 in the far east, an OverflowError.
        with suppress(ValueError, OverflowError):
            if day := parse_date(text):
                return datetime.combine(day, self.at, UTC)
            moment = parse_datetime(text)
            if moment and timezone.is_aware(moment):
                return moment.astimezone(UTC)
        raise forms.ValidationError(self.error_messages["invalid"], code="invalid")


class MomentFilter(filters.CharFilter):
    """Takes ``at``: where in its day a bare date lies."""

    field_class = MomentField


class IdFilter(filters.NumberFilter):
    """A whole number."""

    field_class = forms.IntegerField


class AddressFilter(filters.CharFilter):
    """An IP address of either kind."""

    field_class = forms.GenericIPAddressField


class AuditFilter(filters.FilterSet):
    """Which events. Each narrows by an index that is in the order of the list."""

    action = filters.CharFilter(help_text=f"What was done: {', '.join(ACTIONS)}.")
    actor = IdFilter(
        field_name="actor_id", min_value=1, max_value=IdConverter.LARGEST, help_text="The id of who did it."
    )
    objectType = filters.CharFilter(  # noqa: N815
        field_name="object_type", help_text="To what kind of thing, such as `users.user`."
    )
    objectId = filters.CharFilter(field_name="object_id", help_text="To which thing.")  # noqa: N815
    requestId = filters.CharFilter(  # noqa: N815
        field_name="request_id", help_text="In which request: the `requestId` of a refusal, or X-Request-ID."
    )
    address = AddressFilter(help_text="From which IP address; kept of the acts of admins and staff alone.")
    since = MomentFilter(
        field_name="at", lookup_expr="gte", at=time.min, help_text=f"From then on. {AS_TIME}"
    )
    until = MomentFilter(
        field_name="at",
        lookup_expr="lte",
        at=time.max,
        help_text=f"Up to then; a date is included. {AS_TIME}",
    )

    class Meta:
        model = AuditEvent
        fields: list[str] = []
