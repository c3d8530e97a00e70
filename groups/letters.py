"""What groups write to people: that a task of theirs is due."""

from __future__ import annotations

from datetime import date
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.mail import Fact, Letter, one_line
from core.notifications.kinds import Kind, Told
from groups.services.reminders import KIND, still_awaited


def task_due_letter(told: Told) -> Letter:
    """Name the task and its day: neither "today" nor "tomorrow", since it may be read later."""
    day, data = told.reader.day(date.fromisoformat(told.data["due"])), told.data
    link = f"{settings.FRONTEND_BASE_URL.rstrip('/')}/#/groups/{data['group']}"
    return Letter(
        subject=_("Due on %(day)s: %(task)s") % {"day": day, "task": one_line(data["name"])},
        opening=_("A task of yours is due on %(day)s.") % {"day": day},
        facts=(
            Fact(_("Task"), one_line(data["name"], most=255)),
            Fact(_("Group"), one_line(data["group_name"], most=255)),
            Fact(_("Plan"), link, action=_("See the plan")),
        ),
    )


def still_due(told: Told) -> Letter | None:
    """Write the mail of a task as it is when the mail leaves; none of one that is done, moved or gone."""
    due = date.fromisoformat(told.data["due"])
    task = still_awaited(told.data["task"], person=told.person.pk, due=due)
    return task_due_letter(Told(told.person, task.data, told.reader)) if task else None


TASK_DUE: Final = Kind(
    name=KIND, label=gettext_lazy("Tasks that are due"), write=task_due_letter, mail=still_due
)
