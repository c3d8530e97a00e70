"""Query parameters of lists of announcements and of their readers."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters

from announcements.models import Announcement
from core.roles import Audience
from users.models import User


class AnnouncementFilter(filters.FilterSet):
    """Which announcements."""

    audience = filters.ChoiceFilter(choices=Audience.choices, help_text="For whom, exactly.")
    state = filters.ChoiceFilter(
        choices=Announcement.State.choices,
        method="narrow_to_state",
        help_text="Whoever is no admin sees what is published alone.",
    )
    search = filters.CharFilter(
        method="look_for",
        max_length=200,
        help_text="Part of title, summary or content, as it stands there, in any case.",
    )

    class Meta:
        model = Announcement
        fields: list[str] = []

    def narrow_to_state(self, rows: Any, name: str, value: str) -> Any:
        return rows.in_state(value)

    def look_for(self, rows: Any, name: str, value: str) -> Any:
        return rows.matching(value)


class ReaderFilter(filters.FilterSet):
    """Which of those for whom an announcement is."""

    acknowledged = filters.ChoiceFilter(
        choices=[("true", "Yes"), ("false", "No")],
        method="narrow_to_marked",
        help_text="`true`: who have acknowledged it. `false`: who have not.",
    )

    class Meta:
        model = User
        fields: list[str] = []

    def narrow_to_marked(self, people: Any, name: str, value: str) -> Any:
        return people.filter(acknowledged_at__isnull=value == "false")
