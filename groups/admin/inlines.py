"""The tabs of a group's page: who is in it, who was, and its milestones with how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, Q

from core.admin import LookOnly
from core.admin.inlines import PagedInline
from core.admin.library import Select
from groups.models import Group, GroupMember, MembershipRole, Milestone, PastMember

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class MemberForm(forms.ModelForm):
    """Somebody who joins."""

    class Meta:
        labels: ClassVar = {"user": "person"}

    role = forms.ChoiceField(choices=MembershipRole.choices, initial=MembershipRole.STUDENT, widget=Select)


class MemberInline(PagedInline):
    """Who belongs to the group: people come and go, a membership itself does not change."""

    model = GroupMember
    form = MemberForm
    fields = ["user", "role", "joined_at"]
    readonly_fields = ["joined_at"]
    autocomplete_fields = ["user"]
    extra = 0
    tab = True
    hide_title = True  # it says the ids of person and group
    verbose_name_plural = "members"

    def get_queryset(self, request: HttpRequest) -> QuerySet[GroupMember]:
        return super().get_queryset(request).select_related("user")

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return False


class PastMemberInline(LookOnly, PagedInline):
    """Who belonged to the group or mentored it: a record."""

    model = PastMember
    fields = ["name", "role", "joined_at", "left_at"]
    readonly_fields = ["name"]
    tab = True
    hide_title = True
    verbose_name_plural = "past members"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PastMember]:
        return super().get_queryset(request).select_related("user")


class MilestoneInline(PagedInline):
    """The steps of the group's project; what they mean stands on their own pages."""

    model = Milestone
    fields = ["title", "due_date", "tasks_done", "order_index"]
    readonly_fields = ["tasks_done", "order_index"]
    extra = 0
    show_change_link = True
    tab = True
    verbose_name_plural = "milestones"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Milestone]:
        there = Q(tasks__removed_at=None, tasks__isnull=False)
        counts = {"total": Count("tasks", there), "done": Count("tasks", there & Q(tasks__completed=True))}
        rows: QuerySet[Milestone] = super().get_queryset(request).annotate(**counts)
        return rows.order_by("order_index", "pk")

    @admin.display(description="tasks done")
    def tasks_done(self, milestone: Any) -> str:
        # A row that is being added has counted nothing.
        return f"{milestone.done} of {milestone.total}" if milestone.pk else "-"
