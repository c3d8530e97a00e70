"""Query parameters of the lists that programme admins read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django_filters import rest_framework as filters

from core.converters import IdConverter
from core.tracks import EVERY_TRACK, on_track
from users.models import StudentSupervisor, User

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from core.prepared import Slot

WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,100}")


class FoldedField(forms.CharField):
    """A word in any case."""

    def clean(self, value: Any) -> str:
        return str(super().clean(value)).lower()


class TrackField(forms.CharField):
    """A track; nothing where every one is meant."""

    def clean(self, value: Any) -> str:
        track = str(super().clean(value))
        return "" if track.lower() in EVERY_TRACK else track


class SpacedField(forms.CharField):
    """Words with one space between them."""

    def clean(self, value: Any) -> str:
        return " ".join(str(super().clean(value)).split())


class FoldedFilter(filters.CharFilter):
    """Narrows by a word in any case."""

    field_class = FoldedField


class TrackFilter(filters.CharFilter):
    """Narrows to a track."""

    field_class = TrackField


class SpacedFilter(filters.CharFilter):
    """Narrows by words."""

    field_class = SpacedField


class PeopleFilter(filters.FilterSet):
    """Which people. A role or status that does not exist finds nobody."""

    role = FoldedFilter(help_text="A role, in any case.")
    status = FoldedFilter(help_text="An account status, in any case.")
    track = TrackFilter(method="narrow_to_track", help_text="A track, in any case; `global` is every one.")
    search = SpacedFilter(method="look_for", help_text="Part of a name (first and last together) or address.")

    class Meta:
        model = User
        fields: list[str] = []

    def narrow_to_track(self, people: QuerySet[User], name: str, value: str | Slot) -> QuerySet[User]:
        return people.filter(on_track(value))

    def look_for(self, people: Any, name: str, value: str | Slot) -> Any:
        return people.matching(value)


class LinkFilter(filters.FilterSet):
    """Which links. An id that is no number is passed over."""

    studentId = filters.CharFilter(method="of_person", help_text="A student's id.")  # noqa: N815
    supervisorId = filters.CharFilter(method="of_person", help_text="A supervisor's id.")  # noqa: N815
    relationshipType = filters.CharFilter(  # noqa: N815
        field_name="relationship_type", help_text="`supervisor`, `guardian` or `mentor`."
    )

    class Meta:
        model = StudentSupervisor
        fields: list[str] = []

    def of_person(
        self, links: QuerySet[StudentSupervisor], name: str, value: str
    ) -> QuerySet[StudentSupervisor]:
        if not WHOLE_NUMBER.fullmatch(value):
            return links
        pk = int(value)
        return (
            links.filter(**{name.removesuffix("Id"): pk}) if 0 < pk <= IdConverter.LARGEST else links.none()
        )
