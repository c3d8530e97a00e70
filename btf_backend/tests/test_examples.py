"""The examples of the OpenAPI document: operations have them, they fit, and the server takes the bodies."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from django.core.cache import cache
from django.core.management.color import no_style
from django.db import connection
from django.test import TestCase, override_settings
from rest_framework.test import APIClient

from announcements.tests.factories import make_announcement
from authentication.sessions import open_session
from authentication.tests.signing_in import bearer, mailed
from btf_backend.examples import EXAMPLES, JSON
from btf_backend.tests.routes import operations, schema
from chat.models import MessageReport
from chat.tests.factories import make_message
from core.contract_testing import faults, validator_of
from core.models import Delivery, Notice
from core.testing import undone
from events.models import Event
from events.tests.factories import make_event, seat
from groups.models import Group, Milestone, MilestoneTemplate, Task
from groups.tests.factories import make_group, make_milestone, make_task, make_template
from resources.models import Resource
from resources.tests.factories import make_resource
from users.models import StudentSupervisor, User
from users.tests.factories import make_admin, make_link, make_user

# What lies at a path, by what stands before its id, or by the name of the part.
PLACES: Final[dict[str, Any]] = {
    "announcements": 91,
    "events": 81,
    "groups": "BTF046",
    "message-reports": 151,
    "message_id": 502,
    "milestone-templates": 111,
    "milestone_id": 61,
    "reports": 151,
    "resources": 101,
    "student-supervisors": 131,
    "supervisors": 131,
    "task_id": 71,
    "users": 34,
}
SENDERS: Final = {
    "reportMessage": "alan",
    "updateMySupervisor": "lin",
    **dict.fromkeys(("logOut", "refreshToken", "requestMagicLink", "verifyCode", "verifyLinkByPost"), ""),
    **dict.fromkeys(("markNotificationsRead", "moveReadCursor", "sendMessage", "updateMessage"), "ada"),
    **dict.fromkeys(("replaceMe", "updateMe", "updateNotificationPreferences"), "ada"),
}
MODELS: Final = [
    *(Delivery, Event, MessageReport, Milestone, MilestoneTemplate, Resource, StudentSupervisor, Task, User),
]


def examples() -> list[tuple[str, dict[str, Any], Any]]:
    """Return the name, the schema and the value of every example."""
    found = []
    for _, _, operation in operations():
        answers = operation["responses"].items()
        bodies = [("request", operation.get("requestBody", {})), *answers]
        for place, body in bodies:
            for kind in body.get("content", {}).values():
                values = [one["value"] for one in kind.get("examples", {}).values()]
                found += [(f"{operation['operationId']} {place}", kind["schema"], one) for one in values]
    return found


def sent() -> list[tuple[str, str, str, Any, set[str]]]:
    """Return name, method, path, body and good statuses of everything that has an example to send."""
    return [
        (operation["operationId"], method, path_of(path), one["value"], set(operation["responses"]))
        for method, path, operation in operations()
        for one in operation.get("requestBody", {})
        .get("content", {})
        .get(JSON, {})
        .get("examples", {})
        .values()
    ]


def path_of(template: str) -> str:
    """Fill in a path: `{id}` is of what stands before it, the other parts have names."""

    def value(match: re.Match[str]) -> str:
        return str(PLACES[match[1] if match[2] in {"id", "group_id"} else match[2]])

    return re.sub(r"(?<=/)([\w-]+)/\{(\w+)\}", lambda match: f"{match[1]}/{value(match)}", template)


class DocumentTests(TestCase):
    def test_every_operation_says_what_it_is(self) -> None:
        described = {tag["name"] for tag in schema()["tags"] if tag["description"]}
        for method, path, operation in operations():
            with self.subTest(f"{method} {path}"):
                self.assertTrue(operation["summary"])
                self.assertTrue(operation["description"])
                self.assertLessEqual(set(operation["tags"]), described)
                self.assertTrue(all(one.get("description") for one in operation.get("parameters", [])))

    def test_every_json_body_and_every_json_answer_has_an_example(self) -> None:
        for method, path, operation in operations():
            bodies = [operation.get("requestBody", {})]
            bodies += [answer for status, answer in operation["responses"].items() if status < "300"]
            for body in bodies:
                with self.subTest(f"{method} {path}"):
                    self.assertTrue(
                        JSON not in body.get("content", {}) or "examples" in body["content"][JSON]
                    )

    def test_every_example_fits(self) -> None:
        self.assertGreater(len(examples()), 100)
        for name, kind, value in examples():
            with self.subTest(name):
                self.assertEqual(faults(validator_of(kind), value), [])

    def test_no_example_is_left_over(self) -> None:
        shown = [value for _, _, value in examples()]
        rows = [row for value in shown if isinstance(value, dict) for row in value.get("results", [])]

        self.assertEqual([name for name, one in EXAMPLES.items() if one not in shown and one not in rows], [])


@override_settings(API_WRITES_PER_USER="")
class SendingTests(TestCase):
    """Every body that the document shows is taken, in a world where what it names exists."""

    people: ClassVar[dict[str, User]]

    @classmethod
    def setUpTestData(cls) -> None:
        active: dict[str, Any] = {"status": User.Status.ACTIVE}
        cls.people = {
            "sam": make_admin(pk=2, email="sam@example.org"),
            "grace": make_user(pk=12, role="mentor", **active),
            "lin": make_user(pk=27, role="supervisor", **active),
            "ada": make_user(pk=34, role="student", email="ada@example.org", **active),
            "alan": make_user(pk=35, role="student", **active),
            "rosa": make_user(pk=36, role="student", **active),
        }
        ada, alan, grace, lin = (cls.people[name] for name in ("ada", "alan", "grace", "lin"))
        make_link(ada, lin, pk=131)
        group = make_group(pk="BTF046", name="Biofilm Busters", mentor=grace, members=[ada, alan])
        make_group(pk="BTF047")
        milestone = make_milestone(group, pk=61)
        make_milestone(group, pk=62)
        make_task(milestone, pk=71)
        make_task(milestone, pk=72)
        make_template(pk=111, name="Term 1")
        cls.say(group)
        seat(make_event(pk=81), ada)
        make_announcement(pk=91)
        make_resource(pk=101)
        notice = Notice.objects.create(kind="daily", subject="x", data={"parts": [], "more": 0})
        Delivery.objects.create(pk=7, notice=notice, person=ada)
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), MODELS):
                cursor.execute(statement)

    @classmethod
    def say(cls, group: Group) -> None:
        ada, alan, grace = (cls.people[name] for name in ("ada", "alan", "grace"))
        make_message(pk=501, group=group, author=grace, seq=1, revision=1)
        make_message(pk=502, group=group, author=ada, seq=2, revision=2)
        spam = make_message(pk=503, group=group, author=alan, seq=3, revision=3)
        MessageReport.objects.create(pk=151, message=spam, reporter=ada, category="spam")

    def client_of(self, operation: str) -> APIClient:
        client, name = APIClient(), SENDERS.get(operation, "sam")
        if name:
            client.credentials(**bearer(open_session(self.people[name], user_agent="").access))
        return client

    def with_secrets(self, body: Any) -> Any:
        """Put real ones where an example has the word for a secret."""
        if "email" in body and "code" in body:
            return {**body, "code": mailed(APIClient(), body["email"]).code}
        if "token" in body:
            return {"token": mailed(APIClient(), "ada@example.org").token}
        if "refresh_token" in body:
            return {"refresh_token": open_session(self.people["ada"], user_agent="").refresh}
        return body

    def test_the_server_takes_every_body_that_is_shown(self) -> None:
        self.assertGreater(len(sent()), 30)
        for name, method, path, body, statuses in sent():
            with self.subTest(name), undone():
                cache.clear()
                client: Any = self.client_of(name)
                response = getattr(client, method.lower())(path, self.with_secrets(body), format="json")

                self.assertLess(response.status_code, 300, response.content[:300])
                self.assertIn(str(response.status_code), statuses)
