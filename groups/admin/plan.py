"""Milestones and tasks at the admin site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin

from core.admin import actor
from core.admin.confirming import Deed, ask_then_do
from core.admin.inlines import PagedInline
from groups.admin.desk import GoneFilter, RestoringAdmin
from groups.models import Milestone, Task
from groups.services import plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

MILESTONES: Final = ("milestone", "milestones")
TASKS: Final = ("task", "tasks")


def removing(noun: tuple[str, str], do: Callable[..., object], says: str) -> Deed:
    """Say what it means to take rows out of a plan."""
    return Deed(
        title=f"Remove {noun[1]}",
        says=f"{says} They can be restored for 30 days.",
        verb="Remove",
        done="removed. They can be restored for 30 days.",
        do=do,
        why_not=lambda row: "It is removed already." if row.removed_at else "",
        noun=noun,
        is_grave=True,
    )


def restoring(noun: tuple[str, str], do: Callable[..., object], says: str) -> Deed:
    """Say what it means to bring rows back into a plan."""
    return Deed(
        title=f"Restore {noun[1]}",
        says=says,
        verb="Restore",
        done="restored.",
        do=do,
        why_not=lambda row: "" if row.removed_at else "It is not removed.",
        noun=noun,
    )


class TaskInline(PagedInline):
    """What is to be done for the milestone; whose it is stands on the task's own page."""

    model = Task
    fields = ["name", "completed", "due_date"]
    extra = 0
    show_change_link = True


class RemovedFilter(GoneFilter):
    """What was removed from plans."""

    title, parameter_name, column = "removed", "removed", "removed_at"


@admin.register(Milestone)
class MilestoneAdmin(RestoringAdmin):
    """Those of archived groups are on the group's page alone, until it is restored."""

    gone, takes_away = RemovedFilter, "remove"
    fields = ["group", "title", "description", "due_date", "order_index"]
    list_display = ["title", "group", "order_index", "due_date", "created_at"]
    list_filter = [RemovedFilter]
    list_select_related = ["group"]
    search_fields = ["title", "group__id", "group__name"]
    autocomplete_fields = ["group"]
    date_hierarchy = "created_at"
    inlines: ClassVar = [TaskInline]
    actions = ["remove", "restore"]

    def everything(self) -> QuerySet[Milestone]:
        return super().everything().filter(group__archived_at=None)

    def get_readonly_fields(self, request: HttpRequest, obj: Milestone | None = None) -> list[str]:
        """A milestone does not change groups; its place is changed with all others'."""
        return ["order_index", *(["group"] if obj else [])]

    def save_model(self, request: HttpRequest, obj: Milestone, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Write by the same services as the API."""
        sent = form.cleaned_data
        if change:
            values = {name: sent[name] for name in form.changed_data}
            plan.change_milestone(obj, by=actor(request), values=values)
        else:
            obj.pk = plan.add_milestone(sent.pop("group"), by=actor(request), **sent).pk
        obj.refresh_from_db()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """The tasks of the milestone go the same way."""
        formset.save(commit=False)
        by = actor(request)
        for task in formset.deleted_objects:
            plan.remove_task(task, by=by)
        for task, changed in formset.changed_objects:
            plan.change_task(task, by=by, values={name: getattr(task, name) for name in changed})
        for task in formset.new_objects:
            values = {name: getattr(task, name) for name in ("name", "completed", "due_date")}
            plan.add_task(form.instance, by=by, **values)

    @admin.action(description="Remove selected milestones", permissions=["take_away"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Milestone]) -> HttpResponse | None:
        """Remove milestones with their tasks; they can be restored for 30 days."""
        deed = removing(MILESTONES, plan.remove_milestone, "They leave their plans, with their tasks.")
        return ask_then_do(self, request, queryset, deed)

    @admin.action(description="Restore selected milestones", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Milestone]) -> HttpResponse | None:
        """Bring removed milestones back, with the tasks that went with them."""
        says = "They come back into their plans, with the tasks that went with them."
        return ask_then_do(self, request, queryset, restoring(MILESTONES, plan.restore_milestone, says))


@admin.register(Task)
class TaskAdmin(RestoringAdmin):
    """Those of archived groups and removed milestones come back with these."""

    gone, takes_away = RemovedFilter, "remove"
    beside = {"assignedTo": "assigned_to"}
    fields = ["milestone", "name", "completed", "assigned_to", "due_date"]
    list_display = ["name", "milestone", "assigned_to", "due_date", "completed"]
    list_filter = [RemovedFilter, "completed"]
    list_select_related = ["milestone", "assigned_to"]
    search_fields = ["name", "milestone__title", "milestone__group__id"]
    autocomplete_fields = ["milestone", "assigned_to"]
    date_hierarchy = "created_at"
    actions = ["remove", "restore"]

    def everything(self) -> QuerySet[Task]:
        return super().everything().filter(milestone__group__archived_at=None, milestone__removed_at=None)

    def get_readonly_fields(self, request: HttpRequest, obj: Task | None = None) -> list[str]:
        return ["milestone"] if obj else []

    def save_model(self, request: HttpRequest, obj: Task, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Write by the same services as the API."""
        sent = {name: form.cleaned_data[name] for name in form.changed_data}
        if "assigned_to" in sent:
            sent["assigned_to_id"] = getattr(sent.pop("assigned_to"), "pk", None)
        if change:
            plan.change_task(obj, by=actor(request), values=sent)
        else:
            obj.pk = plan.add_task(sent.pop("milestone"), by=actor(request), **sent).pk
        obj.refresh_from_db()

    @admin.action(description="Remove selected tasks", permissions=["take_away"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Task]) -> HttpResponse | None:
        """Remove tasks from their milestones; they can be restored for 30 days."""
        deed = removing(TASKS, plan.remove_task, "They leave their milestones.")
        return ask_then_do(self, request, queryset, deed)

    @admin.action(description="Restore selected tasks", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Task]) -> HttpResponse | None:
        """Bring removed tasks back into their milestones."""
        says = "They come back into their milestones; one of somebody who left the group is nobody's."
        return ask_then_do(self, request, queryset, restoring(TASKS, plan.restore_task, says))
