"""What groups write to people: that tasks of theirs are due."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.mail import Fact, Letter, Line, one_line
from core.notifications.kinds import Kind, Told
from groups.services.reminders import KIND, data_of, still_awaited

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def task_due_letter(told: Told) -> Letter:
    """Say how many are due and on which day: neither "today" nor "tomorrow", since it may be read later.

    What a task is called somebody else has written: it stands in the list, below what the programme says.
    """
    number = len(told.data["ids"])
    words = {"number": number, "day": told.reader.day(date.fromisoformat(told.data["due"]))}
    return Letter(
        subject=ngettext("%(number)d task is due on %(day)s", "%(number)d tasks are due on %(day)s", number)
        % words,
        opening=ngettext(
            "This open task of yours is due on %(day)s.",
            "These open tasks of yours are due on %(day)s.",
            number,
        )
        % words,
        facts=(Fact(_("Plan"), link_to(told.data["tasks"][0]["group"]), action=_("See the plan")),),
        lines=tuple(lines_of(told.data)),
    )


def lines_of(data: Mapping[str, list[dict[str, str]]]) -> Iterator[Line]:
    for one in data["tasks"]:
        words = {"task": one_line(one["name"], most=255), "group": one_line(one["groupName"], most=255)}
        yield Line(_("%(task)s (group: %(group)s)") % words, link_to(one["group"]))
    if more := len(data["ids"]) - len(data["tasks"]):
        yield Line(ngettext("and %(number)d more", "and %(number)d more", more) % {"number": more})


def link_to(group_id: str) -> str:
    return f"{settings.FRONTEND_BASE_URL.rstrip('/')}/#/groups/{group_id}"


def still_due(told: Told) -> Letter | None:
    """Write the mail of the tasks as they are when it leaves, without what is done, moved or gone."""
    due = date.fromisoformat(told.data["due"])
    tasks = still_awaited(told.data["ids"], person=told.person.pk, due=due)
    return task_due_letter(replace(told, data=data_of(due, tasks))) if tasks else None


TASK_DUE: Final = Kind(
    name=KIND, label=gettext_lazy("Tasks that are due"), write=task_due_letter, mail=still_due
)
