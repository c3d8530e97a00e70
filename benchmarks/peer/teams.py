"""A group's document."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from benchmarks.peer.access import SEES
from benchmarks.peer.answers import MISSING, Refused

if TYPE_CHECKING:
    from asyncpg import Record

    from benchmarks.peer.access import Database, Viewer

GROUP: Final = f"""
    SELECT g.id, g.name, g.status, g.track, g.created_at, c.last_created_at, g.mentor_id,
           u.first_name, u.last_name, u.email, u.role
    FROM groups_group g
    LEFT JOIN users u ON u.id = g.mentor_id
    LEFT JOIN chat_conversation c ON c.group_id = g.id
    WHERE g.id = $1 AND g.archived_at IS NULL AND {SEES}
"""  # noqa: S608 - our own words
MEMBERS: Final = """
    SELECT m.user_id, m.role AS member_role, u.first_name, u.last_name, u.email, u.role
    FROM groups_groupmember m JOIN users u ON u.id = m.user_id
    WHERE m.group_id = $1 ORDER BY m.joined_at, m.id
"""
PLAN: Final = """
    SELECT s.id AS step, s.title, s.description, s.order_index, s.due_date AS step_due,
           s.updated_at AS step_changed, t.id, t.name, t.completed, t.due_date, t.updated_at,
           t.assigned_to_id, u.first_name, u.last_name, u.email, u.role
    FROM groups_milestone s
    LEFT JOIN groups_task t ON t.milestone_id = s.id AND t.removed_at IS NULL
    LEFT JOIN users u ON u.id = t.assigned_to_id
    WHERE s.group_id = $1 AND s.removed_at IS NULL
    ORDER BY s.order_index, s.id, t.place, t.created_at, t.id
"""


async def group_document(viewer: Viewer, group_id: str, database: Database) -> dict[str, Any]:
    """Return a group with its members, its mentor and its plan. Raises Refused (404)."""
    group = await database.fetchrow(GROUP, group_id, viewer.id, viewer.is_admin, viewer.is_supervisor)
    if group is None:
        raise Refused(*MISSING)
    members = await database.fetch(MEMBERS, group_id)
    plan = await database.fetch(PLAN, group_id)
    return {
        "id": group["id"],
        "name": group["name"],
        "members": [member_of(row, viewer) for row in members],
        "status": group["status"],
        "mentor": person(group["mentor_id"], group, viewer),
        "track": group["track"],
        "milestones": milestones_of(plan, viewer),
        "progress": progress_of(group, plan),
    }


def member_of(row: Record, viewer: Viewer) -> dict[str, Any]:
    user = row["user_id"]
    return {"id": user, "name": viewer.name_of(user, row), "role": row["member_role"]}


def person(user_id: int | None, row: Record, viewer: Viewer) -> dict[str, Any] | None:
    return None if user_id is None else {"id": user_id, "name": viewer.name_of(user_id, row)}


def milestones_of(plan: list[Record], viewer: Viewer) -> list[dict[str, Any]]:
    """Return milestones with their tasks; a row is a task, or a milestone that has none."""
    steps: dict[int, dict[str, Any]] = {}
    for row in plan:
        step = steps.get(row["step"])
        if step is None:
            step = steps[row["step"]] = {
                "id": row["step"],
                "title": row["title"],
                "description": row["description"],
                "order_index": row["order_index"],
                "dueDate": row["step_due"],
                "tasks": [],
            }
        if row["id"] is not None:
            step["tasks"].append(task_of(row, viewer))
    return list(steps.values())


def task_of(row: Record, viewer: Viewer) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "completed": row["completed"],
        "assignedTo": person(row["assigned_to_id"], row, viewer),
        "dueDate": row["due_date"],
    }


def progress_of(group: Record, plan: list[Record]) -> dict[str, Any]:
    """Count tasks, and find when something last happened. Overdue is by the day in UTC."""
    today = datetime.now(UTC).date()
    tasks = [row for row in plan if row["id"] is not None]
    late = [row for row in tasks if not row["completed"] and row["due_date"] and row["due_date"] < today]
    moments = [group["created_at"], group["last_created_at"]]
    moments += [row["step_changed"] for row in plan] + [row["updated_at"] for row in tasks]
    return {
        "tasksTotal": len(tasks),
        "tasksDone": sum(row["completed"] for row in tasks),
        "tasksOverdue": len(late),
        "lastActivityAt": max(moment for moment in moments if moment),
    }
