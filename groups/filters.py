"""Query parameters of lists of groups and tasks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django_filters import rest_framework as filters

from core.converters import IdConverter
from core.tracks import on_track
from groups.models import Group, Task, TemplateRunGroup

if TYPE_CHECKING:
    from django.db.models import QuerySet

ME, NOBODY = "me", "none"
WHOLE_NUMBER = re.compile("[0-9]{1,19}")


class GroupFilter(filters.FilterSet):
    """Which groups. A track or status that does not exist finds none."""

    archived = filters.BooleanFilter(
        method="show_archived", help_text="`true`, for admins: archived groups instead of the others."
    )
    track = filters.CharFilter(
        method="narrow_to_track", help_text="A track, in any case; `global` is every one."
    )
    status = filters.CharFilter(method="narrow_to_status", help_text="A status, in any case.")

    class Meta:
        model = Group
        fields: list[str] = []

    def show_archived(self, groups: QuerySet[Group], name: str, value: bool) -> QuerySet[Group]:  # noqa: FBT001 - the library's
        """Comes first: the others narrow what it returns."""
        if not value:
            return groups
        may_see = getattr(getattr(self.request, "user", None), "is_platform_admin", False)
        return Group.everything.exclude(archived_at=None) if may_see else groups.none()

    def narrow_to_track(self, groups: QuerySet[Group], name: str, value: str) -> QuerySet[Group]:
        return groups.filter(on_track(value))

    def narrow_to_status(self, groups: QuerySet[Group], name: str, value: str) -> QuerySet[Group]:
        return groups.filter(Exact(Lower("status"), Lower(Value(value))))


class OwnTaskFilter(filters.FilterSet):
    """Which of one's own tasks."""

    overdue = filters.BooleanFilter(
        method="narrow_to_overdue",
        help_text="`true`: open, and their day is over (UTC). `false`: the others.",
    )
    completed = filters.BooleanFilter(help_text="`true`: done. `false`: open.")

    class Meta:
        model = Task
        fields: list[str] = []

    def narrow_to_overdue(self, tasks: QuerySet[Task], name: str, value: bool) -> QuerySet[Task]:  # noqa: FBT001 - the library's
        return tasks.filter(Task.is_overdue()) if value else tasks.exclude(Task.is_overdue())


class AssigneeField(forms.CharField):
    """``me``, ``none``, or a person's id."""

    default_error_messages = {"invalid": "Say `me`, `none`, or a person's id."}

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if text in {"", ME, NOBODY}:
            return text
        if WHOLE_NUMBER.fullmatch(text) and 0 < int(text) <= IdConverter.LARGEST:
            return int(text)
        raise forms.ValidationError(self.error_messages["invalid"], code="invalid")


class AssigneeFilter(filters.CharFilter):
    """Whose tasks."""

    field_class = AssigneeField


class TaskFilter(OwnTaskFilter):
    """Which tasks of a group."""

    assignee = AssigneeFilter(method="narrow_to_assignee", help_text="`me`, `none`, or a person's id.")

    def narrow_to_assignee(self, tasks: QuerySet[Task], name: str, value: Any) -> QuerySet[Task]:
        whose = {ME: getattr(self.request, "user", None), NOBODY: None}.get(value, value)
        return tasks.filter(assigned_to=whose)


class RunGroupFilter(filters.FilterSet):
    """Which groups of a run. A state that does not exist finds none."""

    state = filters.CharFilter(help_text=f"{', '.join(TemplateRunGroup.State.values)}.")

    class Meta:
        model = TemplateRunGroup
        fields: list[str] = []
