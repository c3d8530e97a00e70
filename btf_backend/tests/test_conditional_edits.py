"""Every edit of the API with ``If-Match``: done where the document is as it was read, else 412.

The edits are read from the OpenAPI document: one that is new fails the walk until it has a line here.
"""

from __future__ import annotations

import tempfile
from functools import partial
from typing import Any, ClassVar, Final
from urllib.parse import quote
from uuid import uuid4

from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import TestCase, TransactionTestCase, override_settings, skipUnlessDBFeature, tag
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from announcements.tests.factories import make_announcement
from authentication.tests.signing_in import signed_in_client
from btf_backend.tests.routes import operations
from chat.models import MessageReport
from chat.tests.factories import make_message
from core.conditional import etag_of
from core.models import AuditEvent, Upload
from core.renderers import OrjsonRenderer
from core.testing import in_parallel, undone
from core.tests.files import picture
from events.tests.factories import make_event
from groups.tests.factories import make_group, make_milestone, make_task, make_template
from resources.models import Resource
from users.models import User
from users.tests.factories import make_admin, make_link, make_user

# Operation, with the body that it gets; what is edited lies at its path, up to the bar.
EDITS: Final[dict[str, dict[str, Any]]] = {
    "PUT /api/users/me/": {"profile": {"bio": "New"}},
    "PATCH /api/users/me/": {"track": "AUS-NSW"},
    "DELETE /api/users/me/calendar/": {},
    "PATCH /api/users/me/supervisors/{mine}/": {"joinPermissionGranted": True},
    "PATCH /api/notifications/preferences/": {"language": "pt-br"},
    "PUT /api/admin/users/{person}/": {"email": "new@example.org"},
    "PATCH /api/admin/users/{person}/": {"track": "AUS-NSW"},
    "DELETE /api/admin/users/{person}/": {},
    "PUT /api/admin/users/{person}/|status/": {"status": "active"},
    "PATCH /api/admin/users/{person}/|status/": {"status": "active"},
    "PUT /api/admin/student-supervisors/{link}/": {
        "studentId": "{person}",
        "supervisorId": "{supervisor}",
        "relationshipType": "guardian",
    },
    "PATCH /api/admin/student-supervisors/{link}/": {"notes": "New"},
    "DELETE /api/admin/student-supervisors/{link}/": {},
    "PATCH /api/groups/{group}/": {"name": "New"},
    "DELETE /api/groups/{group}/": {},
    "DELETE /api/groups/{group}/|members/": {"userId": "{person}"},
    "DELETE /api/groups/{group}/|members/{person}/": {},
    "PATCH /api/groups/{group}/milestones/{milestone}/": {"title": "New"},
    "DELETE /api/groups/{group}/milestones/{milestone}/": {},
    "PUT /api/groups/{group}/milestones/{milestone}/|tasks/order/": {"order": ["{later}", "{task}"]},
    "PUT /api/groups/{group}/tasks/{task}/": {"completed": True},
    "PATCH /api/groups/{group}/tasks/{task}/": {"name": "New"},
    "DELETE /api/groups/{group}/tasks/{task}/": {},
    "PATCH /api/groups/{group}/messages/{message}": {"moderationNote": "New"},
    "DELETE /api/groups/{group}/messages/{message}": {},
    "PATCH /api/groups/{group}/reports/{report}/": {"resolved": True},
    "PATCH /api/admin/message-reports/{report}/": {"resolved": True},
    "PUT /api/admin/milestone-templates/{template}/": {"name": "New", "milestones": [{"title": "New"}]},
    "PATCH /api/admin/milestone-templates/{template}/": {"description": "New"},
    "DELETE /api/admin/milestone-templates/{template}/": {},
    "PATCH /api/announcements/{news}/": {"title": "New"},
    "DELETE /api/announcements/{news}/": {},
    "PATCH /api/events/{event}/": {"title": "New"},
    "DELETE /api/events/{event}/": {},
    "PUT /api/events/{event}/|cover/": {"coverImage": "{picture}"},
    "PATCH /api/resources/{resource}/": {"title": "New"},
    "DELETE /api/resources/{resource}/": {},
    "PUT /api/resources/{resource}/|cover/": {"coverImage": "{picture}"},
}
# What is read there holds less than the document, or nothing: no ETag but where one was sent.
IN_PART: Final = ("|status/", "|cover/")
OWN: Final = {"/api/users/me/", "/api/notifications/preferences/"}
# What makes a document without a GET of its own, with its body; where that lies then, and two edits of it.
CHAINS: Final[dict[str, tuple[dict[str, Any], str, tuple[dict[str, Any], ...]]]] = {
    "/api/admin/student-supervisors/": (
        {"studentId": "{person}", "supervisorId": "{admin}", "relationshipType": "guardian"},
        "/api/users/me/supervisors/{made}/",
        ({"joinPermissionGranted": True}, {"joinPermissionGranted": False}),
    ),
    "/api/groups/{group}/milestones/": (
        {"title": "Plan", "description": "All of it", "dueDate": "2031-04-05"},
        "/api/groups/{group}/milestones/{made}/",
        ({"title": "New"}, {"title": "Newer"}),
    ),
    "/api/groups/{group}/milestones/{milestone}/tasks/": (
        {"name": "Order agar", "assignedTo": "{person}", "dueDate": "2031-04-05"},
        "/api/groups/{group}/tasks/{made}/",
        ({"completed": True}, {"name": "Newer"}),
    ),
    "/api/groups/{group}/messages": (
        {
            "text": "Look, @Ada",
            "replyTo": "{message}",
            "attachments": [{"url": "{file}", "filename": "plan.txt"}],
        },
        "/api/groups/{group}/messages/{made}",
        ({"text": "New"}, {"moderationNote": "New"}),
    ),
}
STALE: Final = {"If-Match": 'W/"0f3c"'}


def make_scene(admin: User) -> dict[str, Any]:
    """Make one of everything that can be edited, and return their ids."""
    person, supervisor = make_user(role="student", first_name="Ada"), make_user(role="supervisor")
    group = make_group(members=[person, admin])
    milestone = make_milestone(group)
    message = make_message(group=group, author=person)
    rows = {
        "admin": admin,
        "person": person,
        "supervisor": supervisor,
        "link": make_link(person, supervisor),
        "mine": make_link(person, admin),
        "group": group,
        "milestone": milestone,
        "task": make_task(milestone, assigned_to=person),
        "later": make_task(milestone),
        "message": message,
        "report": MessageReport.objects.create(message=message, reporter=supervisor, category="spam"),
        "template": make_template(),
        "news": make_announcement(),
        "event": make_event(),
        "resource": Resource.objects.create(title="Guide", type="guide", file_url="https://x.example/g.txt"),
    }
    return {name: row.pk for name, row in rows.items()}


def tag_at(path: str, client: Any, user: User) -> str:
    """Return the tag of what lies at a path as its GET tells it, else as ``If-Match`` is compared with it."""
    answer = client.get(path)
    if answer.status_code != 405:
        return str(answer.headers["ETag"])
    found: Any = resolve(path)
    view = found.func.cls(**found.func.initkwargs)
    view.setup(Request(APIRequestFactory().get(path)), **found.kwargs)
    view.request.user, view.format_kwarg = user, None
    return etag_of(OrjsonRenderer().render(view.current()))


def bare(path: str) -> str:
    """Return a path, or an operation, without the names of what varies in it."""
    return "{}".join(part.rpartition("}")[2] for part in path.replace("|", "").split("{"))


class EditingCase:
    """Sends the edits of the table."""

    ids: ClassVar[dict[str, Any]]
    admin: Any
    user: User

    def filled(self, value: Any) -> Any:
        if value == "{picture}":
            return SimpleUploadedFile("cover.png", picture(), "image/png")
        if isinstance(value, str) and value[:1] == "{":
            return self.ids[value.strip("{}")]
        if isinstance(value, dict):
            return {name: self.filled(item) for name, item in value.items()}
        return [self.filled(item) for item in value] if isinstance(value, list) else value

    def edit(self, operation: str, client: Any = None, /, **headers: str) -> Any:
        method, path = operation.format(**self.ids).replace("|", "").split()
        body = self.filled(EDITS[operation])
        send = getattr(client or self.admin, method.lower())
        kind = "multipart" if "coverImage" in body else "json"
        return send(path, body, format=kind, headers=headers)

    def etag(self, operation: str) -> str:
        path = operation.format(**self.ids).split()[1].partition("|")[0]
        return tag_at(path, self.admin, self.user)


@override_settings(API_WRITES_PER_USER="")
class ConditionalEditTests(EditingCase, TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cache.clear()
        cls.user = make_admin()
        key = f"uploads/{uuid4().hex}.txt"
        Upload.objects.create(owner=cls.user, key=key, filename="plan.txt", size=4, mime_type="text/plain")
        cls.ids = {**make_scene(cls.user), "file": f"http://testserver/media/x/{key}"}

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.enterContext(override_settings(MEDIA_ROOT=folder.name))
        self.admin = signed_in_client(self.user)

    def test_every_edit_that_takes_the_header_is_in_the_table(self) -> None:
        documented = {
            bare(f"{method} {path}")
            for method, path, operation in operations()
            if method != "GET"
            and any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", []))
        }

        self.assertEqual(documented, set(map(bare, EDITS)))

    def test_what_has_changed_is_left_alone_and_what_has_not_is_edited_and_told_with_its_next_etag(
        self,
    ) -> None:
        for operation in EDITS:
            with self.subTest(operation), undone():
                before, events = self.etag(operation), AuditEvent.objects.count()

                stale = self.edit(operation, **STALE)
                self.assertEqual((stale.status_code, stale.json()["code"]), (412, "precondition_failed"))
                self.assertEqual(AuditEvent.objects.count(), events)

                # Which is the one that there was before: the stale edit has changed nothing.
                answer = self.edit(operation, **{"If-Match": f'"other", {before}'})
                self.assertIn(answer.status_code, {200, 204})
                if "DELETE" not in operation:
                    self.assertNotEqual(answer.headers["ETag"], before)
                    self.assertEqual(answer.headers["ETag"], self.etag(operation))
                    self.assertEqual(self.edit(operation, **{"If-Match": before}).status_code, 412)

    def test_without_the_header_edits_are_done_and_tell_the_etag_of_a_whole_document(self) -> None:
        for operation in EDITS:
            with self.subTest(operation), undone():
                answer = self.edit(operation)

                self.assertIn(answer.status_code, {200, 204})
                if "DELETE" in operation or operation.endswith(IN_PART):
                    self.assertNotIn("ETag", answer.headers)
                else:
                    self.assertEqual(answer.headers["ETag"], self.etag(operation))

    def test_a_star_is_fulfilled_by_whatever_there_is(self) -> None:
        for operation in EDITS:
            with self.subTest(operation), undone():
                self.assertIn(self.edit(operation, **{"If-Match": "*"}).status_code, {200, 204})

    def test_who_may_not_edit_learns_nothing_by_the_header(self) -> None:
        """401, 403 and 404 come before 412 (RFC 9110, 13.2.1)."""
        nobody, student = APIClient(), signed_in_client(make_user())
        for operation in EDITS:
            is_own = any(part in operation for part in ("/me/", "/preferences/"))
            for client in (nobody,) if is_own else (nobody, student):
                with self.subTest(operation, is_nobody=client is nobody), undone():
                    plain, conditional = self.edit(operation, client), self.edit(operation, client, **STALE)

                    self.assertIn(plain.status_code, {401, 403, 404})
                    self.assertEqual(plain.status_code, conditional.status_code)

    def test_a_body_that_is_not_valid_is_told_before_the_condition(self) -> None:
        path = f"/api/events/{self.ids['event']}/"

        answer = self.admin.patch(path, {"type": "x"}, format="json", headers=STALE)

        self.assertEqual(answer.status_code, 400)

    def test_what_is_no_list_of_tags_is_said_and_not_left_out(self) -> None:
        operation = "PATCH /api/events/{event}/"
        for header in ("", "x", 'W/"a" "b"', '"a', "**", '"a\x7fb"'):
            with self.subTest(header), undone():
                answer = self.edit(operation, **{"If-Match": header})

                self.assertEqual((answer.status_code, answer.json()["code"]), (400, "validation_error"))
                self.assertIn("If-Match", answer.json())

    def test_an_own_message_that_is_removed_is_not_there_for_the_condition(self) -> None:
        author = User.objects.get(pk=self.ids["person"])
        client, operation = signed_in_client(author), "DELETE /api/groups/{group}/messages/{message}"
        self.edit(operation, client)

        self.assertEqual(self.edit(operation, client).status_code, 200)
        self.assertEqual(self.edit(operation, client, **{"If-Match": "*"}).status_code, 412)

    def test_what_has_no_get_is_edited_from_answer_to_answer(self) -> None:
        for where, (body, at, edits) in CHAINS.items():
            with self.subTest(where), undone():
                made, again = self.make(where, body), self.make(where, body)
                path, tag = at.format(**self.ids, made=made.json()["id"]), made.headers["ETag"]

                self.assertEqual((made.status_code, again.headers["Idempotent-Replayed"]), (201, "true"))
                self.assertEqual([again.headers["ETag"], tag_at(path, self.admin, self.user)], [tag] * 2)
                for values in edits:
                    seen, tag = tag, self.edit_from(path, values, tag)
                    self.assertNotEqual(tag, seen)

    def make(self, where: str, body: dict[str, Any]) -> Any:
        key = {"Idempotency-Key": "k-1"}
        return self.admin.post(where.format(**self.ids), self.filled(body), format="json", headers=key)

    def edit_from(self, path: str, values: dict[str, Any], tag: str) -> str:
        """Edit on the condition of a tag, which is good once, and return the next one."""
        edit = partial(self.admin.patch, path, values, format="json", headers={"If-Match": tag})
        answers = [edit(), edit()]
        self.assertEqual([answer.status_code for answer in answers], [200, 412])
        return str(answers[0].headers["ETag"])

    def test_a_reaction_tells_the_next_tag_of_its_message(self) -> None:
        path, sign = "/api/groups/{group}/messages/{message}".format(**self.ids), quote("👍")
        seen = tag_at(path, self.admin, self.user)
        for send, again in ((self.admin.put, False), (self.admin.put, True), (self.admin.delete, False)):
            before, told = seen, send(f"{path}/reactions/{sign}")

            seen = told.headers["ETag"]
            self.assertEqual((told.status_code, seen), (200, tag_at(path, self.admin, self.user)))
            self.assertEqual(seen == before, again)
        self.edit_from(path, {"moderationNote": "New"}, seen)

    def test_what_tells_the_first_tag_says_so_in_the_schema(self) -> None:
        telling = {
            bare(path)
            for method, path, operation in operations()
            for answer in operation["responses"].values()
            if method == "POST" and "ETag" in answer.get("headers", {})
        }

        self.assertEqual(telling, set(map(bare, CHAINS)))

    def test_a_message_that_is_removed_since_has_no_tag_when_it_is_sent_again(self) -> None:
        client = signed_in_client(User.objects.get(pk=self.ids["person"]))
        path, body = f"/api/groups/{self.ids['group']}/messages", {"text": "Hello", "clientId": "a"}
        made = client.post(path, body, format="json")
        client.delete(f"{path}/{made.json()['id']}")

        again = client.post(path, body, format="json")

        self.assertEqual((again.status_code, again.json()["isDeleted"]), (200, True))
        self.assertNotIn("ETag", again.headers)

    def test_the_header_costs_the_reading_of_one_document(self) -> None:
        operation = "PATCH /api/events/{event}/"
        with CaptureQueriesContext(connection) as reading:
            etag = self.etag(operation)
        with undone(), CaptureQueriesContext(connection) as plain:
            self.edit(operation)
        with undone(), CaptureQueriesContext(connection) as conditional:
            self.edit(operation, **{"If-Match": etag})

        self.assertLessEqual(len(conditional) - len(plain), len(reading))


@tag("walk")
@skipUnlessDBFeature("has_select_for_update")
@override_settings(API_WRITES_PER_USER="")
class RacingEditTests(EditingCase, TransactionTestCase):
    ROUNDS: Final = 20
    # One for each way in which rows are held.
    RACES: Final = (
        "PATCH /api/events/{event}/",
        "PATCH /api/groups/{group}/tasks/{task}/",
        "PATCH /api/announcements/{news}/",
        "PATCH /api/resources/{resource}/",
        "PATCH /api/admin/users/{person}/",
        "PATCH /api/admin/student-supervisors/{link}/",
        "PATCH /api/admin/milestone-templates/{template}/",
        "PATCH /api/admin/message-reports/{report}/",
        "PATCH /api/groups/{group}/messages/{message}",
        "PATCH /api/notifications/preferences/",
    )

    def setUp(self) -> None:
        cache.clear()
        admins = [make_admin(), make_admin()]
        type(self).ids = make_scene(admins[0])
        self.pair = [(signed_in_client(admin), admin) for admin in admins]
        self.alone = [(signed_in_client(admins[0]), admins[0])] * 2

    @staticmethod
    def body(operation: str, number: int, who: int) -> dict[str, Any]:
        """Return what one of the two sends: it changes something in every round."""
        (field,) = EDITS[operation]
        if field == "resolved":
            return {field: number % 2 == 0}
        if field == "language":
            return {"quietFrom": f"{number:02}:{who:02}", "quietUntil": "23:59"}
        return {field: f"Round {number}.{who}"}

    def assert_one_is_done(self, operation: str, bodies: list[dict[str, Any]]) -> None:
        path = operation.format(**self.ids).split()[1]
        # Two admins, who hold no row of one another's; or two windows of one person.
        both = self.alone if path in OWN else self.pair
        seen = [tag_at(path, client, admin) for client, admin in both]

        def edit(who: int) -> int:
            headers = {"If-Match": seen[who]}
            answer = both[who][0].patch(path, bodies[who], format="json", headers=headers)
            return int(answer.status_code)

        self.assertEqual(sorted(in_parallel(edit, 2)), [200, 412])

    def test_of_two_edits_of_the_same_reading_one_is_done(self) -> None:
        for operation in self.RACES:
            for number in range(self.ROUNDS):
                with self.subTest(operation, round=number):
                    self.assert_one_is_done(
                        operation, [self.body(operation, number, who) for who in range(2)]
                    )

    def test_of_two_parts_of_one_document_one_is_written(self) -> None:
        """They lie in different rows: the account and its profile."""
        for number in range(self.ROUNDS):
            with self.subTest(round=number):
                words = f"Round {number}"
                self.assert_one_is_done(
                    "PATCH /api/users/me/", [{"track": words}, {"profile": {"bio": words}}]
                )
