"""Milestones: appended, changed, removed, reordered (CONTRACT 7.6 and additions)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.utils import timezone

from core.models import AuditEvent
from groups.models import Milestone, Task
from groups.services.plan import restore_milestone
from groups.tasks import purge_groups
from groups.tests.cases import GroupCase, call, url
from groups.tests.factories import make_group, make_milestone, make_task


class MilestoneCase(GroupCase):
    def add(self, **body: Any) -> Any:
        return call(self.student, "post", url("create-milestone", self.group.pk), body)

    def send(self, method: str, milestone: Milestone, body: Any = None) -> Any:
        return call(self.student, method, url("delete-milestone", self.group.pk, milestone.pk), body)

    def plan(self) -> list[tuple[str, int]]:
        return [(row["title"], row["order_index"]) for row in self.detail()["milestones"]]


class AddTests(MilestoneCase):
    def test_a_student_appends_one_and_it_is_answered_without_tasks(self) -> None:
        response = self.add(title="  Grow ", description=" On agar. ", dueDate="2031-04-05")

        document = response.json()
        self.assertEqual((response.status_code, document["id"]), (201, Milestone.objects.get().pk))
        self.assertEqual(
            document,
            {
                "id": document["id"],
                "title": "Grow",
                "description": "On agar.",
                "order_index": 1,
                "dueDate": "2031-04-05",
                "tasks": [],
            },
        )

    def test_a_title_is_enough(self) -> None:
        document = self.add(title="é" * 255).json()

        self.assertEqual((document["description"], document["dueDate"]), ("", None))

    def test_the_place_is_the_one_after_the_last(self) -> None:
        places = [self.add(title="x").json()["order_index"] for _ in range(2)]
        make_milestone(self.group, order_index=40)
        self.send("delete", Milestone.objects.get(order_index=1))

        self.assertEqual([*places, self.add(title="x").json()["order_index"]], [1, 2, 41])

    def test_other_groups_places_do_not_count(self) -> None:
        make_milestone(make_group(), order_index=9)

        self.assertEqual(self.add(title="x").json()["order_index"], 1)

    def test_each_bad_field_is_named_and_nothing_is_written(self) -> None:
        bad: dict[str, list[Any]] = {
            "title": ["", "  ", None, 5, "x" * 256, "a\0b", []],
            "description": [None, 5, "x" * 5_001, "a\0b", {}],
            "dueDate": ["", "x", 5, "2031-13-01", "2031-02-30", "05/04/2031", "2031-04-05T06:07:08Z", []],
        }
        for field, values in bad.items():
            for value in values:
                with self.subTest(field, value=str(value)[:20]):
                    self.assert_refused(self.add(**{"title": "x", field: value}), 400, field)
        self.assert_refused(self.add(), 400, "title")
        self.assertFalse(Milestone.everything.exists())

    def test_a_group_has_so_many_and_no_more(self) -> None:
        with patch.object(Milestone, "PER_GROUP", 2):
            responses = [self.add(title="x") for _ in range(3)]
            self.assertEqual([response.status_code for response in responses], [201, 201, 400])
            self.assertEqual(responses[2].json()["code"], "limit_reached")

            self.send("delete", Milestone.objects.all()[0])
            self.assertEqual(self.add(title="x").status_code, 201)


class ChangeTests(MilestoneCase):
    def test_what_is_sent_changes_and_the_rest_stays(self) -> None:
        milestone = make_milestone(self.group, description="On agar.", due_date="2031-04-05")
        make_task(milestone)

        document = self.send("patch", milestone, {"title": "New", "order_index": 9, "tasks": []}).json()

        self.assertEqual(document, {**self.detail()["milestones"][0], "title": "New"})
        self.assertEqual((document["description"], document["order_index"]), ("On agar.", 1))
        self.assertEqual((document["dueDate"], len(document["tasks"])), ("2031-04-05", 1))

    def test_a_day_is_taken_away_by_null(self) -> None:
        milestone = make_milestone(self.group, due_date="2031-04-05")

        self.assertIsNone(self.send("patch", milestone, {"dueDate": None}).json()["dueDate"])

    def test_bad_fields_are_named(self) -> None:
        milestone = make_milestone(self.group)
        for field, value in (("title", ""), ("title", None), ("description", None), ("dueDate", "x")):
            with self.subTest(field, value=value):
                self.assert_refused(self.send("patch", milestone, {field: value}), 400, field)
        self.assertEqual(self.plan(), [("Grow", 1)])

    def test_put_and_get_do_not_exist(self) -> None:
        milestone = make_milestone(self.group)
        for method in ("put", "get", "post"):
            self.assertEqual(self.send(method, milestone).status_code, 405)


class RemoveTests(MilestoneCase):
    def setUp(self) -> None:
        super().setUp()
        self.milestone = make_milestone(self.group)
        self.task = make_task(self.milestone, name="with it", assigned_to=self.student)

    def removed(self) -> Milestone:
        self.assertEqual(self.send("delete", self.milestone).status_code, 204)
        return Milestone.everything.get(pk=self.milestone.pk)

    def test_it_goes_with_its_tasks_from_every_list(self) -> None:
        self.removed()

        self.assertEqual(self.detail()["milestones"], [])
        self.assertEqual(self.detail()["progress"]["tasksTotal"], 0)
        for path in (url("tasks", self.group.pk), "/api/tasks/mine/"):
            self.assertEqual(call(self.student, "get", path).json()["count"], 0)

    def test_afterwards_neither_it_nor_its_tasks_can_be_written(self) -> None:
        self.removed()

        group, milestone, task = self.group.pk, self.milestone.pk, self.task.pk
        for method, path, body in (
            ("patch", url("delete-milestone", group, milestone), {"title": "x"}),
            ("delete", url("delete-milestone", group, milestone), None),
            ("post", url("add-task", group, milestone), {"name": "x"}),
            ("put", url("reorder-tasks", group, milestone), {"order": []}),
            ("put", url("update-task", group, task), {"completed": True}),
            ("delete", url("update-task", group, task), None),
        ):
            with self.subTest(f"{method} {path}"):
                self.assertEqual(call(self.student, method, path, body).status_code, 404)

    def test_restoring_brings_back_the_tasks_that_went_with_it_and_no_others(self) -> None:
        earlier = make_task(self.milestone, name="removed before")
        call(self.student, "delete", url("update-task", self.group.pk, earlier.pk))
        milestone = self.removed()

        restore_milestone(milestone, by=self.admin)

        self.assertEqual([row["name"] for row in self.detail()["milestones"][0]["tasks"]], ["with it"])
        self.assertIsNotNone(Task.everything.get(pk=earlier.pk).removed_at)

    def test_after_30_days_it_is_gone_for_good(self) -> None:
        milestone = self.removed()
        long_ago = timezone.now() - timedelta(days=31)
        for rows in (Milestone.everything, Task.everything):
            rows.update(removed_at=long_ago)
        kept = make_milestone(self.group, removed_at=timezone.now())

        self.assertEqual(purge_groups(), {"groups": 0, "plan_rows": 2})

        self.assertEqual(list(Milestone.everything.all()), [kept])
        self.assertNotEqual(milestone, kept)

    def test_removing_and_restoring_are_audited(self) -> None:
        restore_milestone(self.removed(), by=self.admin)

        events = AuditEvent.objects.order_by("pk").values_list("action", "actor_id", "object_id", "changes")
        pk, changes = str(self.milestone.pk), {"group": "BTF046"}
        self.assertEqual(
            list(events),
            [
                ("milestone_removed", self.student.pk, pk, changes),
                ("milestone_restored", self.admin.pk, pk, changes),
            ],
        )


class ReorderTests(MilestoneCase):
    def setUp(self) -> None:
        super().setUp()
        self.ids = [make_milestone(self.group, title=title).pk for title in "abc"]

    def reorder(self, order: Any) -> Any:
        return call(self.student, "put", url("reorder-milestones", self.group.pk), {"order": order})

    def test_it_answers_all_of_them_in_the_new_order(self) -> None:
        make_task(Milestone.objects.get(pk=self.ids[0]))

        response = self.reorder(self.ids[::-1])

        self.assertEqual(response.json(), {"milestones": self.detail()["milestones"]})
        self.assertEqual(self.plan(), [("c", 1), ("b", 2), ("a", 3)])

    def test_an_order_that_does_not_name_each_once_is_refused(self) -> None:
        foreign = make_milestone(make_group()).pk
        removed = make_milestone(self.group, removed_at=timezone.now()).pk
        a, b, c = self.ids
        orders: list[Any] = [[], [a, b], [a, b, b], [a, b, c, c], [a, b, foreign], [a, b, c, foreign]]
        orders += [[a, b, c, removed], None, "x", {}, [a, b, "x"], [a, b, -1], [a, b, 2**63], [[a], b, c]]
        orders += [[1] * 501]
        for order in orders:
            with self.subTest(order=str(order)[:40]):
                self.assert_refused(self.reorder(order), 400, "order")
        self.assert_refused(call(self.student, "put", url("reorder-milestones", "BTF046"), {}), 400, "order")
        self.assertEqual(self.plan(), [("a", 1), ("b", 2), ("c", 3)])
