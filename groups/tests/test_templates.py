"""Templates of milestones, as platform admins keep them."""

from __future__ import annotations

from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from core.models import AuditEvent
from core.refusals import Forbidden, Missing
from groups.models import MilestoneTemplate, TemplateMilestone, TemplateTask
from groups.services.templates import change_template, delete_template
from groups.tests.cases import call
from groups.tests.factories import make_template
from users.models import User
from users.tests.factories import make_admin, make_user

LIST: Final = reverse("admin_panel:milestone-template-list")
MILESTONES: Final[list[dict[str, Any]]] = [
    {
        "title": "Find a question",
        "description": "Talk to your mentor.",
        "dueAfterDays": 14,
        "tasks": [{"name": "Read", "dueAfterDays": 0}, {"name": "Ask", "dueAfterDays": None}],
    },
    {"title": "Grow", "description": "", "dueAfterDays": None, "tasks": []},
]
PLAN: Final = {"name": "Programme 2027", "description": "For all", "milestones": MILESTONES}
BAD_FIELDS: Final[list[tuple[str, Any]]] = [
    *(("name", value) for value in (" ", "x" * 256, 5, None)),
    ("description", "x" * 5_001),
    *(("milestones", None), ("milestones", {"title": "x"}), ("milestones", ["x"]), ("milestones", [{}])),
    ("milestones", [{"title": "x"}] * 201),
    ("milestones", [{"title": "x", "tasks": [{"name": "y"}] * 401}] * 5),
]
BAD_PARTS: Final[list[dict[str, Any]]] = [
    *({"title": value} for value in ("", "x" * 256)),
    *({"dueAfterDays": days} for days in (-1, 3_661, 1.5, "x", True, 10**30)),
    *({"tasks": None}, {"tasks": [{}]}, {"tasks": [{"name": " "}]}, {"tasks": [{"name": "x"}] * 501}),
    {"tasks": [{"name": "Read", "dueAfterDays": -1}]},
]


def detail(template_id: int) -> str:
    return reverse("admin_panel:milestone-template-detail", args=[template_id])


class TemplateCase(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()

    def send(self, method: str, path: str, body: Any = None) -> Any:
        return call(self.admin, method, path, body)

    def made(self, **changes: Any) -> Any:
        response = self.send("post", LIST, {**PLAN, **changes})
        self.assertEqual(response.status_code, 201, response.content)
        return response.json()


class KeepingTests(TemplateCase):
    def test_what_is_sent_is_what_is_read(self) -> None:
        made = self.made()

        self.assertEqual({name: made[name] for name in PLAN}, PLAN)
        self.assertEqual(set(made) - set(PLAN), {"id", "createdAt", "updatedAt"})
        self.assertEqual(self.send("get", detail(made["id"])).json(), made)
        self.assertEqual(self.send("get", LIST).json()["results"], [made])

    def test_what_may_be_left_out_is_empty(self) -> None:
        made = self.send("post", LIST, {"name": "Short", "milestones": [{"title": "Grow"}]}).json()

        self.assertEqual((made["description"], made["milestones"]), ("", MILESTONES[1:]))

    def test_put_replaces_all(self) -> None:
        made = self.made()
        other = {"name": "Other", "description": "", "milestones": MILESTONES[::-1]}

        changed = self.send("put", detail(made["id"]), other).json()

        self.assertEqual({name: changed[name] for name in PLAN}, other)
        self.assertEqual((TemplateMilestone.objects.count(), TemplateTask.objects.count()), (2, 2))

    def test_patch_changes_what_is_sent(self) -> None:
        made = self.made()
        for sent in ({"name": "Other"}, {"description": ""}, {"milestones": MILESTONES[:1]}, {}):
            with self.subTest(sent):
                before = self.send("get", detail(made["id"])).json()
                after = self.send("patch", detail(made["id"]), sent).json()

                self.assertEqual({**after, "updatedAt": ""}, {**before, **sent, "updatedAt": ""})

    def test_names_are_there_once_whatever_their_case(self) -> None:
        made, other = self.made(), self.made(name="Other")
        for method, path, body in (
            ("post", LIST, {**PLAN, "name": "PROGRAMME 2027"}),
            ("patch", detail(other["id"]), {"name": "programme 2027"}),
        ):
            with self.subTest(method):
                response = self.send(method, path, body)
                self.assertEqual((response.status_code, "name" in response.json()), (400, True))

        self.assertEqual(self.send("patch", detail(made["id"]), {"name": "PROGRAMME 2027"}).status_code, 200)

    def test_a_deleted_one_is_gone(self) -> None:
        made = self.made()

        self.assertEqual(self.send("delete", detail(made["id"])).status_code, 204)

        self.assertEqual(self.send("get", detail(made["id"])).status_code, 404)
        self.assertFalse(TemplateTask.objects.exists())

    def test_one_that_is_sent_again_is_made_once(self) -> None:
        client, key = signed_in_client(self.admin), {"Idempotency-Key": "k-1"}

        first, again = (client.post(LIST, PLAN, format="json", headers=key) for _ in range(2))

        self.assertEqual((first.status_code, again.status_code), (201, 201))
        self.assertEqual(first.json(), again.json())


class RefusedTests(TemplateCase):
    def refused(self, method: str, path: str, body: Any, field: str) -> None:
        response = self.send(method, path, body)
        self.assertEqual(response.status_code, 400, response.content)
        self.assertIn(field, response.json())

    def test_bodies_that_are_no_template(self) -> None:
        milestones = [("milestones", [{"title": "x", **part}]) for part in BAD_PARTS]
        for field, bad in [*BAD_FIELDS, *milestones]:
            with self.subTest(str(bad)[:80]):
                self.refused("post", LIST, {**PLAN, field: bad}, field)

        self.assertFalse(MilestoneTemplate.objects.exists())

    def test_a_body_without_a_name_or_milestones(self) -> None:
        for name in ("name", "milestones"):
            body = {key: value for key, value in PLAN.items() if key != name}
            with self.subTest(name):
                self.refused("post", LIST, body, name)

    def test_half_a_milestone_also_in_a_patch(self) -> None:
        made = self.made()
        for half in ({"dueAfterDays": 3}, {"title": "x", "tasks": [{"dueAfterDays": 3}]}):
            with self.subTest(half):
                self.refused("patch", detail(made["id"]), {"milestones": [half]}, "milestones")

    def test_as_many_as_a_group_may_have_are_taken(self) -> None:
        most = [{"title": "x"}] * 196 + [{"title": "x", "tasks": [{"name": "y"}] * 500}] * 4

        made = self.made(milestones=most)

        self.assertEqual((len(made["milestones"]), len(made["milestones"][199]["tasks"])), (200, 500))

    def test_days_out_of_reach_are_not_stored(self) -> None:
        template = make_template()
        for days in (-1, 3_661):
            with self.subTest(days), self.assertRaises(IntegrityError), transaction.atomic():
                template.milestones.update(due_after_days=days)


class WhoTests(TemplateCase):
    def test_nobody_but_admins_gets_in(self) -> None:
        path = detail(make_template().pk)
        for role in ("student", "mentor", "supervisor"):
            who = make_user(role=role, status="active")
            for method, url in (
                *(("get", LIST), ("post", LIST), ("post", f"{path}apply/")),
                *((method, path) for method in ("get", "put", "patch", "delete")),
            ):
                with self.subTest(role=role, method=method, url=url):
                    self.assertEqual(call(who, method, url, PLAN).status_code, 403)

    def test_who_is_no_admin_any_more_writes_nothing(self) -> None:
        template = make_template(name="Plan")
        User.objects.filter(pk=self.admin.pk).update(role="mentor")

        with self.assertRaises(Forbidden):
            change_template(template, by=self.admin, values={"name": "Other"})
        with self.assertRaises(Forbidden):
            delete_template(template, by=self.admin)

        self.assertEqual(MilestoneTemplate.objects.get().name, "Plan")

    def test_one_that_was_deleted_meanwhile_is_not_there(self) -> None:
        template = make_template()
        MilestoneTemplate.objects.all().delete()

        with self.assertRaises(Missing):
            change_template(template, by=self.admin, values={"name": "Other"})


class ListTests(TemplateCase):
    def queries(self) -> int:
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(self.send("get", LIST, None).status_code, 200)
        return len(captured)

    def test_they_come_by_name(self) -> None:
        for name in ("beta", "Alpha", "gamma", "Beta 2"):
            make_template(name=name)

        names = [row["name"] for row in self.send("get", LIST).json()["results"]]

        self.assertEqual(names, ["Alpha", "beta", "Beta 2", "gamma"])

    def test_a_page_costs_the_same_for_1_and_for_20(self) -> None:
        make_template()
        few = self.queries()
        for _ in range(19):
            make_template(milestones=5)

        self.assertEqual(self.queries(), few)
        self.assertLessEqual(few, 4)


class AuditTests(TemplateCase):
    def test_every_write_is_recorded_without_its_text(self) -> None:
        path = detail(self.made()["id"])
        self.send("patch", path, {"description": "Secret", "milestones": []})
        self.send("patch", path, {"description": "Secret"})
        self.send("delete", path)

        events = AuditEvent.objects.order_by("id").values_list("action", "actor_id", "changes")
        self.assertEqual(
            list(events),
            [
                ("template_created", self.admin.pk, {"milestones": 2}),
                ("template_changed", self.admin.pk, {"description": True, "milestones": 0}),
                ("template_deleted", self.admin.pk, {}),
            ],
        )
