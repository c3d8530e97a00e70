"""Query parameters of the lists that programme admins read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django_filters import rest_framework as filters

from core.converters import IdConverter
from core.tracks import on_track
from users.models import StudentSupervisor, User

if TYPE_CHECKING:
    from django.db.models import QuerySet

WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,100}")


class PeopleFilter(filters.FilterSet):
    """Which people. A role or status that does not exist finds nobody."""

    role = filters.CharFilter(method="fold", help_text="A role, in any case.")
    status = filters.CharFilter(method="fold", help_text="An account status, in any case.")
    track = filters.CharFilter(
        method="narrow_to_track", help_text="A track, in any case; `global` is every one."
    )
    search = filters.CharFilter(
        method="look_for", help_text="Part of a name (first and last together) or address."
    )

    class Meta:
        model = User
        fields: list[str] = []

    def fold(self, people: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return people.filter(**{name: value.lower()})

    def narrow_to_track(self, people: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return people.filter(on_track(value))

    def look_for(self, people: Any, name: str, value: str) -> Any:
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
