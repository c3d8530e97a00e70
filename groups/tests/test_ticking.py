"""``PUT /api/groups/{gid}/tasks/{tid}/``: a task is done, or not (CONTRACT 7.6)."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from groups.models import Task
from groups.tests.cases import TaskCase, url
from groups.tests.factories import make_task
from users.tests.factories import make_user


class TickTests(TaskCase):
    def setUp(self) -> None:
        super().setUp()
        self.task = make_task(self.milestone, assigned_to=self.student, due_date="2031-04-05")

    def test_it_answers_success_and_the_task(self) -> None:
        for done in (True, True, False):
            response = self.send("put", self.task, {"completed": done})
            self.assertEqual(response.status_code, 200)
            self.assertEqual(
                response.json(),
                {
                    "success": True,
                    "task": {
                        "id": self.task.pk,
                        "name": "Pour",
                        "completed": done,
                        "assignedTo": {"id": self.student.pk, "name": "Ada Lovelace"},
                        "dueDate": "2031-04-05",
                    },
                },
            )

    def test_what_somebody_did_who_has_left_is_nobodys_when_it_is_taken_up_again(self) -> None:
        Task.objects.update(completed=True, assigned_to=make_user())

        for done, whose in ((True, "assigned"), (False, None)):
            task = self.send("put", self.task, {"completed": done}).json()["task"]
            self.assertEqual(task["assignedTo"] is None, whose is None)

    def test_other_keys_are_ignored_even_bad_ones(self) -> None:
        body = {"completed": True, "name": "", "assignedTo": 2**62, "dueDate": "x", "id": 5}

        self.assertEqual(self.send("put", self.task, body).status_code, 200)

        task = Task.objects.get()
        self.assertEqual((task.name, task.assigned_to, task.completed), ("Pour", self.student, True))

    def test_words_for_truth_are_understood(self) -> None:
        """CONTRACT 1.2."""
        for sent, done in (
            (1, True),
            ("true", True),
            ("yes", True),
            (0, False),
            ("false", False),
            ("no", False),
        ):
            with self.subTest(sent=sent):
                task = self.send("put", self.task, {"completed": sent}).json()["task"]
                self.assertIs(task["completed"], done)

    def test_completed_must_be_sent_and_be_a_truth_value(self) -> None:
        bad: list[Any] = [None, "", "perhaps", 5, [], {}, "a\0b"]
        bodies: list[dict[str, Any]] = [{}, {"name": "x"}, *({"completed": value} for value in bad)]
        for body in bodies:
            with self.subTest(body=body):
                self.assert_refused(self.send("put", self.task, body), 400, "completed")
        self.assertFalse(Task.objects.get().completed)

    def test_a_form_that_says_nothing_is_no_silent_no(self) -> None:
        Task.objects.update(completed=True)
        client = APIClient()
        client.force_authenticate(self.student)

        response = client.put(url("update-task", self.group.pk, self.task.pk), {"name": "x"})

        self.assert_refused(response, 400, "completed")
        self.assertTrue(Task.objects.get().completed)
