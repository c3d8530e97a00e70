"""Who may call what on a group: the table that the tests walk and ``docs/ARCHITECTURE.md`` prints.

Each cell is the status of a call with a good body, for a group that exists with what hangs on it. Every
call finds the same state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLES: Final = (
    *("anonymous", "outsider", "member", "mentor", "linked supervisor", "other supervisor", "staff only"),
    *("superuser", "admin", "suspended member", "past member"),
)
TABLE: Final = """
GET     /api/groups/                                            401 200 200 200 200 200 200 200 200 401 200
POST    /api/groups/                                            401 403 403 403 403 403 403 201 201 401 403
GET     /api/groups/my-groups/                                  401 200 200 200 200 200 200 200 200 401 200
GET     /api/tasks/mine/                                        401 200 200 200 200 200 200 200 200 401 200

GET     /api/groups/{id}/                                       401 404 200 200 200 404 404 200 200 401 404
PATCH   /api/groups/{id}/                                       401 403 403 403 403 403 403 200 200 401 403
DELETE  /api/groups/{id}/                                       401 403 403 403 403 403 403 204 204 401 403
POST    /api/groups/{id}/restore/                               401 403 403 403 403 403 403 200 200 401 403
POST    /api/groups/{id}/members/                               401 403 403 403 403 403 403 201 201 401 403
DELETE  /api/groups/{id}/members/                               401 403 403 403 403 403 403 204 204 401 403
DELETE  /api/groups/{id}/members/{user_id}/                     401 403 403 403 403 403 403 204 204 401 403
GET     /api/groups/{id}/history/                               401 404 200 200 200 404 404 200 200 401 404

POST    /api/groups/{id}/milestones/                            401 404 201 201 201 404 404 201 201 401 404
PUT     /api/groups/{id}/milestones/order/                      401 404 200 200 200 404 404 200 200 401 404
PATCH   /api/groups/{id}/milestones/{milestone_id}/             401 404 200 200 200 404 404 200 200 401 404
DELETE  /api/groups/{id}/milestones/{milestone_id}/             401 404 204 204 204 404 404 204 204 401 404
POST    /api/groups/{id}/milestones/{milestone_id}/tasks/       401 404 201 201 201 404 404 201 201 401 404
PUT     /api/groups/{id}/milestones/{milestone_id}/tasks/order/ 401 404 200 200 200 404 404 200 200 401 404
GET     /api/groups/{id}/tasks/                                 401 404 200 200 200 404 404 200 200 401 404
PUT     /api/groups/{id}/tasks/{task_id}/                       401 404 200 200 200 404 404 200 200 401 404
PATCH   /api/groups/{id}/tasks/{task_id}/                       401 404 200 200 200 404 404 200 200 401 404
DELETE  /api/groups/{id}/tasks/{task_id}/                       401 404 204 204 204 404 404 204 204 401 404

GET     /api/admin/groups/health/                               401 403 403 403 403 403 403 200 200 401 403
GET     /api/admin/milestone-templates/                         401 403 403 403 403 403 403 200 200 401 403
POST    /api/admin/milestone-templates/                         401 403 403 403 403 403 403 201 201 401 403
GET     /api/admin/milestone-templates/{id}/                    401 403 403 403 403 403 403 200 200 401 403
PUT     /api/admin/milestone-templates/{id}/                    401 403 403 403 403 403 403 200 200 401 403
PATCH   /api/admin/milestone-templates/{id}/                    401 403 403 403 403 403 403 200 200 401 403
DELETE  /api/admin/milestone-templates/{id}/                    401 403 403 403 403 403 403 204 204 401 403
POST    /api/admin/milestone-templates/{id}/apply/              401 403 403 403 403 403 403 202 202 401 403
GET     /api/admin/template-runs/                               401 403 403 403 403 403 403 200 200 401 403
GET     /api/admin/template-runs/{id}/                          401 403 403 403 403 403 403 200 200 401 403
GET     /api/admin/template-runs/{id}/groups/                   401 403 403 403 403 403 403 200 200 401 403
"""


def statuses(table: str) -> dict[str, list[int]]:
    """Return the statuses of each operation, in the order of the roles."""
    rows = [line.split() for line in table.splitlines() if line]
    return {f"{method} {path}": [int(status) for status in cells] for method, path, *cells in rows}


def as_markdown(table: str, roles: Sequence[str]) -> str:
    """Return a table as the document prints it."""
    head = " | ".join(["Operation", *(role.capitalize() for role in roles)])
    lines = [f"| {head} |", "|---" * (len(roles) + 1) + "|"]
    for operation, cells in statuses(table).items():
        lines.append(f"| `{operation}` | {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ""])
