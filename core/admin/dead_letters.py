"""Background tasks at the admin site: what waits and runs; what failed for good, and another try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import admin
from django.utils.html import format_html
from django_tasks_db import admin as _  # noqa: F401 - it registers its page first, which shows every argument
from django_tasks_db.models import DBTaskResult

from core import dead_letters
from core.admin.confirming import Deed, Meanwhile, ask_then_do
from core.admin.house import LookOnly, Narrowed, actor
from core.models import DeadLetter

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from users.models import User


admin.site.unregister(DBTaskResult)


def run_again(letter: DeadLetter, *, by: User) -> None:
    """Raises TaskGone (400), Meanwhile (404)."""
    if not dead_letters.run_again(letter.pk, by=by):
        raise Meanwhile


RUN_AGAIN: Final = Deed(
    title="Run again",
    says="They start anew, as their first try. What they had done before they failed may be done twice.",
    verb="Run",
    done="started again.",
    do=run_again,
    noun=("task", "tasks"),
)


@admin.register(DBTaskResult)
class TaskAdmin(LookOnly, Narrowed):
    """What a task was given is not shown: it may name a person, or sign somebody in."""

    list_display = [
        "task_path",
        "queue_name",
        "status",
        "priority",
        "enqueued_at",
        "run_after",
        "finished_at",
    ]
    list_filter = ["status", "queue_name", "task_path"]
    search_fields = ["task_path"]
    search_help_text = "Part of a task's name."
    ordering = ["-enqueued_at"]
    date_hierarchy = "enqueued_at"
    fields = readonly_fields = (
        *("task_path", "queue_name", "status", "priority"),
        *("enqueued_at", "run_after", "started_at", "finished_at"),
    )


@admin.register(DeadLetter)
class DeadLetterAdmin(LookOnly, Narrowed):
    """What a task was given is shown where it is ids: the rest may name a person, or sign somebody in."""

    list_display = ["short_name", "queue_name", "finished_at", "fault", "attempts"]
    list_filter = ["task_path", "queue_name"]
    search_fields = ["task_path"]
    search_help_text = "Part of a task's name."
    ordering = ["-finished_at"]
    date_hierarchy = "finished_at"
    fields = readonly_fields = (
        *("task_path", "queue_name", "enqueued_at", "started_at", "finished_at"),
        *("attempts", "fault", "arguments", "where"),
    )
    actions = ["run_again"]

    @admin.display(description="task", ordering="task_path")
    def short_name(self, letter: DeadLetter) -> str:
        return letter.short_name

    @admin.display(description="fault")
    def fault(self, letter: DeadLetter) -> str:
        return letter.fault

    @admin.display(description="attempts")
    def attempts(self, letter: DeadLetter) -> int:
        return letter.attempts

    @admin.display(description="arguments")
    def arguments(self, letter: DeadLetter) -> str:
        return ", ".join(f"{name}: {value}" for name, value in letter.shown_arguments.items())

    @admin.display(description="traceback")
    def where(self, letter: DeadLetter) -> str:
        return format_html("<pre>{}</pre>", letter.traceback)

    def has_run_again_permission(self, request: HttpRequest) -> bool:
        return actor(request).is_platform_admin

    @admin.action(description="Run again", permissions=["run_again"])
    def run_again(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse | None:
        return ask_then_do(self, request, queryset, RUN_AGAIN)
