"""Teams at the admin site."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin

from core.admin import HouseAdmin, TakesAlong
from groups.models import Group, GroupMember, Milestone, Task

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class MemberInline(admin.TabularInline):
    """Who belongs to the group: people come and go, a membership itself does not change."""

    model = GroupMember
    autocomplete_fields = ["user"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[GroupMember]:
        return super().get_queryset(request).select_related("user")

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return False


class MilestoneInline(admin.TabularInline):
    """The steps of the group's project; what they mean stands on their own pages."""

    model = Milestone
    fields = ["title", "order_index"]
    extra = 0
    show_change_link = True


@admin.register(Group)
class GroupAdmin(TakesAlong):
    fields = ["id", "name", "track", "status", "mentor"]
    list_display = ["id", "name", "track", "status", "mentor", "created_at"]
    list_filter = ["status", "track"]
    list_select_related = ["mentor"]
    search_fields = ["id", "name"]
    autocomplete_fields = ["mentor"]
    date_hierarchy = "created_at"
    inlines: ClassVar = [MemberInline, MilestoneInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> list[str]:
        return ["id"] if obj else []


class TaskInline(admin.TabularInline):
    """What is to be done for the milestone; whose it is stands on the task's own page."""

    model = Task
    fields = ["name", "completed", "due_date"]
    extra = 0
    show_change_link = True


@admin.register(Milestone)
class MilestoneAdmin(HouseAdmin):
    list_display = ["title", "group", "order_index", "created_at"]
    list_select_related = ["group"]
    search_fields = ["title", "group__id", "group__name"]
    autocomplete_fields = ["group"]
    date_hierarchy = "created_at"
    inlines: ClassVar = [TaskInline]


@admin.register(Task)
class TaskAdmin(HouseAdmin):
    list_display = ["name", "milestone", "assigned_to", "due_date", "completed"]
    list_filter = ["completed"]
    list_select_related = ["milestone", "assigned_to"]
    search_fields = ["name", "milestone__title", "milestone__group__id"]
    autocomplete_fields = ["milestone", "assigned_to"]
    date_hierarchy = "created_at"
