"""The head of a group's page: what matters of it, at one glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from core.admin.progress import Progress
from groups.models import Group
from groups.models.health import SILENT_DAYS, Problem, silent_since

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

    from users.models import User


@dataclass(frozen=True, kw_only=True)
class Overview:
    """How a group stands, and where its conversation is moderated."""

    mentor: User | None
    member_count: int
    is_active: bool
    progress: Progress
    overdue: int
    last_activity_at: datetime
    problems: list[str]
    links: list[tuple[str, str]]


def overview_of(group: Group, request: HttpRequest) -> Overview:
    """Look at a group, in one query."""
    rows: Any = Group.everything.filter(pk=group.pk)
    seen = rows.with_summary().with_health().get()
    progress = Progress(says="Tasks done", done=seen.tasks_done, total=seen.tasks_total, is_under_way=False)
    return Overview(
        mentor=seen.mentor,
        member_count=seen.member_count,
        is_active=is_active(seen),
        progress=progress,
        overdue=seen.tasks_overdue,
        last_activity_at=seen.last_activity_at,
        problems=problems_of(seen),
        links=conversation_links(group, request),
    )


def is_active(group: Group) -> bool:
    """Tell whether a group is one of which something can be amiss."""
    return group.archived_at is None and group.status.lower() == "active"


def problems_of(seen: Any) -> list[str]:
    """Name what is wrong with an active group, as its health says; ``seen`` comes from ``with_health``."""
    if not is_active(seen):
        return []
    found = {
        Problem.NO_MENTOR: seen.without_mentor,
        Problem.SILENT: seen.last_activity_at < silent_since(SILENT_DAYS),
        Problem.OVERDUE: seen.has_overdue,
    }
    return [str(problem.label) for problem, is_so in found.items() if is_so]


def conversation_links(group: Group, request: HttpRequest) -> list[tuple[str, str]]:
    """Lead to what is above this app, for those to whom it opens."""
    pages = [("Reported messages", "messagereport"), ("Messages", "message")]
    links = []
    for words, model in pages:
        if request.user.has_perm(f"chat.view_{model}"):
            links.append((words, f"{reverse(f'admin:chat_{model}_changelist')}?q={group.pk}"))
    return links
