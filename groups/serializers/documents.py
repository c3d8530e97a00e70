"""Groups on their way out, made of the rows of ``groups.reading`` as the serializers of this package say."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from rest_framework import serializers

from core.reading import in_utc
from users.names import Somebody, full_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from core.registry import ConversationRow
    from users.models import User
    from users.names import Named

MOMENT: Final = serializers.DateTimeField()


def person(somebody: Named, viewer: User) -> dict[str, Any]:
    """Return somebody by id and by the name that the viewer may read."""
    return {"id": somebody.pk, "name": somebody.name_for(viewer)}


class People:
    """Documents of people as one viewer may read them: each is made once. Nobody is null."""

    def __init__(self, viewer: User) -> None:
        self.viewer = viewer
        self.told: dict[int | None, Any] = {None: None}

    def __call__(self, pk: Any, first_name: Any, last_name: Any, email: Any, role: Any) -> Any:
        if pk in self.told:
            return self.told[pk]
        # Most have a name, and whoever has one is called so by everybody.
        name = full_name(first_name, last_name)
        if not name:
            name = Somebody(pk, first_name, last_name, email, role).name_for(self.viewer)
        self.told[pk] = told = {"id": pk, "name": name}
        return told


def summaries(rows: Iterable[Any], viewer: User) -> list[dict[str, Any]]:
    """Return rows of ``SUMMARY`` as documents in a list."""
    people = People(viewer)
    return [
        {
            "id": pk,
            "name": name,
            "members": members,
            "status": status,
            "mentor": people(mentor, first_name, last_name, email, role),
            "track": track,
        }
        for pk, name, status, track, mentor, first_name, last_name, email, role, members in rows
    ]


def own_summaries(rows: list[Any], viewer: User, told: dict[str, ConversationRow]) -> list[dict[str, Any]]:
    """Return rows of ``SUMMARY`` and ``PROGRESS``, with what is told of each conversation beside."""
    documents = summaries((row[:-4] for row in rows), viewer)
    for document, row in zip(documents, rows, strict=True):
        conversation = told.get(document["id"])
        document["progress"] = progress(*row[-4:])
        document["unread"] = conversation["unread"] if conversation else 0
        document["lastMessage"] = conversation["last_message"] if conversation else None
    return documents


def progress(total: int, done: int, overdue: int, last_activity_at: datetime) -> dict[str, Any]:
    return {
        "tasksTotal": total,
        "tasksDone": done,
        "tasksOverdue": overdue,
        "lastActivityAt": in_utc(last_activity_at, MOMENT.to_representation),
    }


def detail(row: Any, viewer: User) -> dict[str, Any]:
    """Return a whole group, of the row that ``document`` brings."""
    pk, name, status, track, *mentor, last_activity_at, members, milestones, tasks = row
    people = People(viewer)
    plan, counts = tasks_by_milestone(tasks or [], people)
    return {
        "id": pk,
        "name": name,
        "members": [
            {**people(*somebody), "role": role} for _joined, _id, role, *somebody in sorted(members or [])
        ],
        "status": status,
        "mentor": people(*mentor),
        "track": track,
        "milestones": [
            {
                "id": milestone,
                "title": title,
                "description": description,
                "order_index": order_index,
                "dueDate": due_date,
                "tasks": plan[milestone],
            }
            for order_index, milestone, title, description, due_date in sorted(milestones or [])
        ],
        "progress": progress(*counts, last_activity_at),
    }


def tasks_by_milestone(tasks: list[Any], people: People) -> tuple[dict[int, list[Any]], tuple[int, int, int]]:
    """Return documents of tasks in their order, and how many there are, are done, and are overdue."""
    found: dict[int, list[Any]] = defaultdict(list)
    done = late = 0
    for _place, _created, pk, milestone, name, completed, due_date, *somebody, is_overdue in sorted(tasks):
        # Numbers, where the database has no truth values.
        document = {"id": pk, "name": name, "completed": bool(completed), "assignedTo": people(*somebody)}
        found[milestone].append({**document, "dueDate": due_date})
        done += bool(completed)
        late += bool(is_overdue)
    return found, (len(tasks), done, late)
