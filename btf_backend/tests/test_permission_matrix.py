"""Who may call what: every operation of the OpenAPI document has a row here, or the build fails (SAFETY B23).

Each cell is the status of a call with an empty body, for an object that does not exist: 400 and 404 mean
that the person was let in.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django.db import transaction
from django.test import TestCase, override_settings
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from btf_backend.tests.routes import operations
from users.models import User
from users.tests.factories import make_admin, make_superuser, make_user

ROLES: Final = (
    *("anonymous", "pending student", "active mentor", "supervisor", "suspended", "staff", "admin"),
    "superuser",
)
TABLE: Final = """
GET     /api/health/                        200 200 200 200 200 200 200 200
GET     /api/health/live/                   200 200 200 200 200 200 200 200

POST    /api/auth/magic-link/               400 400 400 400 400 400 400 400
POST    /api/auth/verify-otp/               400 400 400 400 400 400 400 400
GET     /api/auth/verify/                   400 400 400 400 400 400 400 400
POST    /api/auth/verify/                   400 400 400 400 400 400 400 400
POST    /api/auth/refresh/                  400 400 400 400 400 400 400 400
POST    /api/auth/logout/                   400 400 400 400 400 400 400 400
GET     /api/auth/sessions/                 401 200 200 200 401 200 200 200
DELETE  /api/auth/sessions/                 401 204 204 204 401 204 204 204
DELETE  /api/auth/sessions/{id}/            401 404 404 404 401 404 404 404

POST    /api/ws/ticket/                     401 201 201 201 401 201 201 201

GET     /api/users/me/                      401 200 200 200 401 200 200 200
PUT     /api/users/me/                      401 200 200 200 401 200 200 200
PATCH   /api/users/me/                      401 200 200 200 401 200 200 200
GET     /api/users/me/supervisors/          401 200 200 200 401 200 200 200
PATCH   /api/users/me/supervisors/{id}/     401 404 404 404 401 404 404 404
GET     /api/users/me/export/               401 202 202 202 401 202 202 202
GET     /api/users/me/calendar/             401 200 200 200 401 200 200 200
POST    /api/users/me/calendar/             401 201 201 201 401 201 201 201
DELETE  /api/users/me/calendar/             401 204 204 204 401 204 204 204

GET     /api/groups/                                       401 200 200 200 401 200 200 200
POST    /api/groups/                                       401 403 403 403 401 403 400 400
GET     /api/groups/my-groups/                             401 200 200 200 401 200 200 200
GET     /api/groups/{id}/                                  401 404 404 404 401 404 404 404
PATCH   /api/groups/{id}/                                  401 403 403 403 401 403 404 404
DELETE  /api/groups/{id}/                                  401 403 403 403 401 403 404 404
POST    /api/groups/{id}/restore/                          401 403 403 403 401 403 404 404
POST    /api/groups/{id}/members/                          401 403 403 403 401 403 404 404
DELETE  /api/groups/{id}/members/                          401 403 403 403 401 403 404 404
DELETE  /api/groups/{id}/members/{user_id}/                401 403 403 403 401 403 404 404
GET     /api/groups/{id}/history/                          401 404 404 404 401 404 404 404
POST    /api/groups/{id}/milestones/                       401 404 404 404 401 404 404 404
PUT     /api/groups/{id}/milestones/order/                 401 404 404 404 401 404 404 404
PATCH   /api/groups/{id}/milestones/{milestone_id}/        401 404 404 404 401 404 404 404
DELETE  /api/groups/{id}/milestones/{milestone_id}/        401 404 404 404 401 404 404 404
POST    /api/groups/{id}/milestones/{milestone_id}/tasks/  401 404 404 404 401 404 404 404
PUT     /api/groups/{id}/milestones/{milestone_id}/tasks/order/ 401 404 404 404 401 404 404 404
GET     /api/groups/{id}/tasks/                            401 404 404 404 401 404 404 404
PUT     /api/groups/{id}/tasks/{task_id}/                  401 404 404 404 401 404 404 404
PATCH   /api/groups/{id}/tasks/{task_id}/                  401 404 404 404 401 404 404 404
DELETE  /api/groups/{id}/tasks/{task_id}/                  401 404 404 404 401 404 404 404
GET     /api/tasks/mine/                                   401 200 200 200 401 200 200 200

GET     /api/groups/{group_id}/messages                        401 404 404 404 401 404 404 404
POST    /api/groups/{group_id}/messages                        401 404 404 404 401 404 404 404
PATCH   /api/groups/{group_id}/messages/{message_id}           401 404 404 404 401 404 404 404
DELETE  /api/groups/{group_id}/messages/{message_id}           401 404 404 404 401 404 404 404
PUT     /api/groups/{group_id}/messages/{message_id}/reactions/{sign} 401 404 404 404 401 404 404 404
DELETE  /api/groups/{group_id}/messages/{message_id}/reactions/{sign} 401 404 404 404 401 404 404 404
POST    /api/groups/{group_id}/messages/{message_id}/report    401 404 404 404 401 404 404 404
GET     /api/groups/{group_id}/read                            401 404 404 404 401 404 404 404
POST    /api/groups/{group_id}/read                            401 404 404 404 401 404 404 404
GET     /api/groups/{group_id}/reports/                        401 404 404 404 401 404 404 404
GET     /api/groups/{group_id}/reports/{id}/                   401 404 404 404 401 404 404 404
PATCH   /api/groups/{group_id}/reports/{id}/                   401 404 404 404 401 404 404 404
GET     /api/mentions/                                         401 200 200 200 401 200 200 200
GET     /api/messages/search/                                  401 400 400 400 401 400 400 400

GET     /api/announcements/                        401 200 200 200 401 200 200 200
POST    /api/announcements/                        401 403 403 403 401 403 400 400
GET     /api/announcements/unread/                 401 200 200 200 401 200 200 200
GET     /api/announcements/{id}/                   401 404 404 404 401 404 404 404
PATCH   /api/announcements/{id}/                   401 403 403 403 401 403 404 404
DELETE  /api/announcements/{id}/                   401 403 403 403 401 403 404 404
POST    /api/announcements/{id}/ack/               401 404 404 404 401 404 404 404
GET     /api/announcements/{id}/acknowledgements/  401 403 403 403 401 403 404 404
GET     /api/announcements/{id}/mail/              401 403 403 403 401 403 404 404
POST    /api/announcements/{id}/mail/              401 403 403 403 401 403 404 404
POST    /api/announcements/{id}/mail/test/         401 403 403 403 401 403 404 404

GET     /api/notifications/                        401 200 200 200 401 200 200 200
GET     /api/notifications/unread/                 401 200 200 200 401 200 200 200
POST    /api/notifications/read/                   401 200 200 200 401 200 200 200
POST    /api/notifications/{id}/read/              401 404 404 404 401 404 404 404
GET     /api/notifications/preferences/            401 200 200 200 401 200 200 200
PATCH   /api/notifications/preferences/            401 200 200 200 401 200 200 200
GET     /api/notifications/unsubscribe/{token}/    404 404 404 404 404 404 404 404
POST    /api/notifications/unsubscribe/{token}/    404 404 404 404 404 404 404 404

POST    /api/uploads/                       401 415 415 415 401 415 415 415
GET     /api/resources/                     401 200 200 200 401 200 200 200
POST    /api/resources/                     401 403 403 403 401 403 415 415
GET     /api/resources/{id}/                401 404 404 404 401 404 404 404
PATCH   /api/resources/{id}/                401 403 403 403 401 403 404 404
DELETE  /api/resources/{id}/                401 403 403 403 401 403 404 404
PUT     /api/resources/{id}/cover/          401 403 403 403 401 403 404 404
GET     /api/resources/{id}/download/       401 404 404 404 401 404 404 404

GET     /api/events/                        401 200 200 200 401 200 200 200
POST    /api/events/                        401 403 403 403 401 403 400 400
GET     /api/events/{id}/                   401 404 404 404 401 404 404 404
PATCH   /api/events/{id}/                   401 403 403 403 401 403 404 404
DELETE  /api/events/{id}/                   401 403 403 403 401 403 404 404
PUT     /api/events/{id}/cover/             401 403 403 403 401 403 404 404
POST    /api/events/{id}/register/          401 404 404 404 401 404 404 404
DELETE  /api/events/{id}/register/          401 404 404 404 401 404 404 404
POST    /api/events/{id}/waitlist/          401 404 404 404 401 404 404 404
DELETE  /api/events/{id}/waitlist/          401 404 404 404 401 404 404 404
GET     /api/events/{id}/calendar.ics       401 404 404 404 401 404 404 404
GET     /api/events/{id}/roster/            401 403 403 403 401 403 404 404
GET     /api/events/{id}/roster/waiting/    401 403 403 403 401 403 404 404
GET     /api/events/{id}/roster/export/     401 403 403 403 401 403 404 404
PUT     /api/events/{id}/attendance/        401 403 403 403 401 403 404 404

GET     /api/admin/users/                       401 403 403 403 401 403 200 200
POST    /api/admin/users/                       401 403 403 403 401 403 400 400
GET     /api/admin/users/{id}/                  401 403 403 403 401 403 404 404
PUT     /api/admin/users/{id}/                  401 403 403 403 401 403 404 404
PATCH   /api/admin/users/{id}/                  401 403 403 403 401 403 404 404
DELETE  /api/admin/users/{id}/                  401 403 403 403 401 403 404 404
PUT     /api/admin/users/{id}/status/           401 403 403 403 401 403 404 404
PATCH   /api/admin/users/{id}/status/           401 403 403 403 401 403 404 404
GET     /api/admin/users/filters/               401 403 403 403 401 403 200 200
GET     /api/admin/users/export/                401 403 403 403 401 403 200 200
GET     /api/admin/users/import/                401 403 403 403 401 403 200 200
POST    /api/admin/users/import/                401 403 403 403 401 403 415 415
GET     /api/admin/users/import/{id}/           401 403 403 403 401 403 404 404
POST    /api/admin/users/import/{id}/commit/    401 403 403 403 401 403 404 404
POST    /api/admin/users/import/{id}/undo/      401 403 403 403 401 403 404 404
GET     /api/admin/users/import/{id}/rejected/  401 403 403 403 401 403 404 404
GET     /api/admin/groups/health/               401 403 403 403 401 403 200 200
GET     /api/admin/message-reports/             401 403 403 403 401 403 200 200
GET     /api/admin/message-reports/{id}/        401 403 403 403 401 403 404 404
PATCH   /api/admin/message-reports/{id}/        401 403 403 403 401 403 404 404
GET     /api/admin/milestone-templates/         401 403 403 403 401 403 200 200
POST    /api/admin/milestone-templates/         401 403 403 403 401 403 400 400
GET     /api/admin/milestone-templates/{id}/    401 403 403 403 401 403 404 404
PUT     /api/admin/milestone-templates/{id}/    401 403 403 403 401 403 404 404
PATCH   /api/admin/milestone-templates/{id}/    401 403 403 403 401 403 404 404
DELETE  /api/admin/milestone-templates/{id}/    401 403 403 403 401 403 404 404
POST    /api/admin/milestone-templates/{id}/apply/ 401 403 403 403 401 403 404 404
GET     /api/admin/template-runs/               401 403 403 403 401 403 200 200
GET     /api/admin/template-runs/{id}/          401 403 403 403 401 403 404 404
GET     /api/admin/template-runs/{id}/groups/   401 403 403 403 401 403 404 404
GET     /api/admin/stats/                       401 403 403 403 401 403 200 200
GET     /api/admin/stats/trends/                401 403 403 403 401 403 200 200
GET     /api/admin/audit/                       401 403 403 403 401 403 200 200
GET     /api/admin/student-supervisors/         401 403 403 403 401 403 200 200
POST    /api/admin/student-supervisors/         401 403 403 403 401 403 400 400
GET     /api/admin/student-supervisors/{id}/    401 403 403 403 401 403 404 404
PUT     /api/admin/student-supervisors/{id}/    401 403 403 403 401 403 404 404
PATCH   /api/admin/student-supervisors/{id}/    401 403 403 403 401 403 404 404
DELETE  /api/admin/student-supervisors/{id}/    401 403 403 403 401 403 404 404
"""
UNKNOWN_ID: Final = str(2**62)


def table() -> dict[str, list[int]]:
    """Return the statuses of each operation, in the order of ROLES."""
    rows = [line.split() for line in TABLE.splitlines() if line]
    return {f"{method} {path}": [int(status) for status in cells] for method, path, *cells in rows}


@override_settings(
    API_WRITES_PER_USER="", MAGIC_LINK_PER_SOURCE="", MAGIC_LINK_PER_ADDRESS="", VERIFY_PER_SOURCE=""
)
class PermissionMatrixTests(TestCase):
    clients: dict[str, APIClient]

    @classmethod
    def setUpTestData(cls) -> None:
        suspended = make_user()
        cls.clients = {
            "anonymous": APIClient(),
            "pending student": signed_in_client(make_user()),
            "active mentor": signed_in_client(make_user(role="mentor", status=User.Status.ACTIVE)),
            "supervisor": signed_in_client(make_user(role="supervisor")),
            "suspended": signed_in_client(suspended),
            "staff": signed_in_client(make_user(is_staff=True)),
            "admin": signed_in_client(make_admin()),
            "superuser": signed_in_client(make_superuser()),
        }
        User.objects.filter(pk=suspended.pk).update(status=User.Status.INACTIVE)

    def status(self, role: str, method: str, path: str) -> int:
        """Call as that role, and undo whatever the call did."""
        url = re.sub(r"\{\w+\}", UNKNOWN_ID, path)
        client: Any = self.clients[role]
        with transaction.atomic():
            response = client.generic(method, url, b"{}", content_type="application/json")
            transaction.set_rollback(True)
        return int(response.status_code)

    def test_every_operation_has_a_row_and_every_row_an_operation(self) -> None:
        """SAFETY B23."""
        self.assertEqual(set(table()), {f"{method} {path}" for method, path, _ in operations()})

    def test_each_role_gets_what_its_row_says(self) -> None:
        """SAFETY B23, B8."""
        for operation, expected in table().items():
            with self.subTest(operation):
                statuses = [self.status(role, *operation.split()) for role in ROLES]
                self.assertEqual(
                    dict(zip(ROLES, statuses, strict=True)), dict(zip(ROLES, expected, strict=True))
                )
