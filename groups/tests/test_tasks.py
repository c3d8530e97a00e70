"""Tasks: added, changed, removed, reordered (CONTRACT 7.6 and additions)."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.utils import timezone

from core.models import AuditEvent
from groups.models import Task
from groups.tests.cases import TaskCase, call, url
from groups.tests.factories import make_milestone, make_task

NOBODY = 2**62


class AddTests(TaskCase):
    def test_a_student_adds_one_which_is_open_whatever_is_said(self) -> None:
        response = self.add(name=" Pour ", completed=True, id=5, milestone=9)

        document = response.json()
        self.assertEqual((response.status_code, document.pop("id")), (201, Task.objects.get().pk))
        self.assertEqual(document, {"name": "Pour", "completed": False, "assignedTo": None, "dueDate": None})

    def test_it_may_be_somebodys_and_have_a_day(self) -> None:
        document = self.add(name="Pour", assignedTo=self.friend.pk, dueDate="2031-04-05").json()

        self.assertEqual(document["assignedTo"], {"id": self.friend.pk, "name": f"Student {self.friend.pk}"})
        self.assertEqual(document["dueDate"], "2031-04-05")

    def test_each_bad_field_is_named_and_nothing_is_written(self) -> None:
        bad: dict[str, list[Any]] = {
            "name": ["", "  ", None, 5, "x" * 256, "a\0b", []],
            "assignedTo": ["", "x", 0, -1, 2**63, 10**40, [], {"id": self.student.pk}, NOBODY],
            "dueDate": ["", "x", 5, "2031-02-30", []],
        }
        for field, values in bad.items():
            for value in values:
                with self.subTest(field, value=str(value)[:20]):
                    self.assert_refused(self.add(**{"name": "x", field: value}), 400, field)
        self.assert_refused(self.add(), 400, "name")
        self.assertFalse(Task.everything.exists())

    def test_it_can_be_a_members_or_the_mentors_and_nobody_elses(self) -> None:
        for who, status in (
            *((self.student, 201), (self.friend, 201), (self.mentor, 201)),
            *((self.outsider, 400), (self.admin, 400)),
        ):
            with self.subTest(who.role):
                response = self.add(name="x", assignedTo=who.pk)
                self.assertEqual(response.status_code, status)
                self.assertEqual("assignedTo" in response.json(), True)

    def test_a_milestone_has_so_many_and_no_more(self) -> None:
        with patch.object(Task, "PER_MILESTONE", 1):
            responses = [self.add(name="x"), self.add(name="x")]

        self.assertEqual([response.status_code for response in responses], [201, 400])
        self.assertEqual(responses[1].json()["code"], "limit_reached")


class ChangeTests(TaskCase):
    def setUp(self) -> None:
        super().setUp()
        self.task = make_task(self.milestone, assigned_to=self.student, due_date="2031-04-05")

    def test_what_is_sent_changes_and_the_rest_stays(self) -> None:
        task = self.send("patch", self.task, {"name": " New "}).json()["task"]

        self.assertEqual(
            [task["name"], task["assignedTo"]["id"], task["dueDate"]], ["New", self.student.pk, "2031-04-05"]
        )
        task = self.send("patch", self.task, {"assignedTo": None, "dueDate": None, "completed": True}).json()[
            "task"
        ]
        self.assertEqual(
            task, {"id": self.task.pk, "name": "New", "completed": True, "assignedTo": None, "dueDate": None}
        )

    def test_it_is_handed_over_inside_the_group_alone(self) -> None:
        answer = self.send("patch", self.task, {"assignedTo": self.mentor.pk}).json()["task"]
        self.assertEqual(answer["assignedTo"], {"id": self.mentor.pk, "name": "Max Planck"})

        self.assert_refused(
            self.send("patch", self.task, {"assignedTo": self.outsider.pk}), 400, "assignedTo"
        )
        self.assertEqual(Task.objects.get().assigned_to, self.mentor)

    def test_what_somebody_who_has_left_did_can_still_be_renamed(self) -> None:
        Task.objects.update(assigned_to=self.outsider, completed=True)

        self.assertEqual(self.send("patch", self.task, {"name": "New"}).status_code, 200)
        self.assertEqual(Task.objects.get().assigned_to, self.outsider)

    def test_bad_fields_are_named(self) -> None:
        for field, value in (
            ("name", ""),
            ("name", None),
            ("completed", None),
            ("dueDate", ""),
            ("assignedTo", ""),
        ):
            with self.subTest(field, value=value):
                self.assert_refused(self.send("patch", self.task, {field: value}), 400, field)

    def test_an_empty_change_changes_nothing(self) -> None:
        before = Task.objects.get().updated_at

        self.assertEqual(self.send("patch", self.task, {}).status_code, 200)
        self.assertEqual(Task.objects.get().updated_at, before)


class RemoveTests(TaskCase):
    def test_it_is_gone_from_the_plan_and_the_row_is_kept(self) -> None:
        task = make_task(self.milestone)

        response = self.send("delete", task)

        self.assertEqual((response.status_code, response.content), (204, b""))
        self.assertEqual(self.names(), [])
        self.assertIsNotNone(Task.everything.get().removed_at)
        for method, body in (("put", {"completed": True}), ("patch", {"name": "x"}), ("delete", None)):
            self.assertEqual(self.send(method, task, body).status_code, 404)

    def test_it_is_audited(self) -> None:
        task = make_task(self.milestone)
        self.send("delete", task)

        event = AuditEvent.objects.get(action="task_removed")
        self.assertEqual((event.actor_id, event.object_id), (self.student.pk, str(task.pk)))
        self.assertEqual(event.changes, {"group": "BTF046"})


class ReorderTests(TaskCase):
    def setUp(self) -> None:
        super().setUp()
        self.ids = [make_task(self.milestone, name=name).pk for name in "abc"]

    def reorder(self, order: Any) -> Any:
        path = url("reorder-tasks", self.group.pk, self.milestone.pk)
        return call(self.student, "put", path, {"order": order})

    def test_it_answers_the_milestone_in_the_new_order(self) -> None:
        response = self.reorder(self.ids[::-1])

        self.assertEqual(response.json(), self.detail()["milestones"][0])
        self.assertEqual(self.names(), ["c", "b", "a"])

    def test_a_new_one_comes_last_before_and_after_reordering(self) -> None:
        self.add(name="d")
        self.assertEqual(self.names(), ["a", "b", "c", "d"])
        self.reorder([*self.ids[::-1], Task.objects.get(name="d").pk])
        self.add(name="e")

        self.assertEqual(self.names(), ["c", "b", "a", "d", "e"])

    def test_an_order_that_does_not_name_each_once_is_refused(self) -> None:
        foreign = make_task(make_milestone(self.group)).pk
        removed = make_task(self.milestone, removed_at=timezone.now()).pk
        a, b, c = self.ids
        orders: list[Any] = [
            [],
            [a, b],
            [a, b, b],
            [a, b, c, c],
            [a, b, foreign],
            [a, b, c, removed],
            None,
            "x",
        ]
        for order in orders:
            with self.subTest(order=order):
                self.assert_refused(self.reorder(order), 400, "order")
        self.assertEqual(self.names(), ["a", "b", "c"])
