"""Failed tasks at the admin site: what went wrong, nothing of whom, and another try."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch

from django.db import DatabaseError, connection
from django.test import SimpleTestCase, TestCase, TransactionTestCase, override_settings
from django.urls import reverse
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from core.dead_letters import TaskGone, run_again
from core.models import AuditEvent, DeadLetter
from core.models.dead_letters import NOT_SHOWN, is_id
from core.sealing import seal
from core.tasks import InProcessBackend, TaskFailed
from core.testing import context_of, in_parallel, undrawn
from core.tests import test_tasks
from users.tests.factories import make_admin, make_superuser, make_user

if TYPE_CHECKING:
    from django_tasks.base import Task

HERE = "core.tests.test_tasks"
LIST = reverse("admin:core_deadletter_changelist")


def make_letter(task: str = f"{HERE}.succeed", queue: str = "default", **given: Any) -> DeadLetter:
    row = DBTaskResult.objects.create(
        task_path=task,
        queue_name=queue,
        args_kwargs={"args": [], "kwargs": given},
        backend_name="default",
        run_after=timezone.now(),
        finished_at=timezone.now() - timedelta(minutes=5),
        status=TaskResultStatus.FAILED,
        exception_class_path="core.tasks.TaskFailed",
        traceback='File "a.py", line 1, in send\n  call()\ncore.tasks.TaskFailed: ConnectionRefusedError\n',
    )
    return DeadLetter.objects.get(pk=row.pk)


class PageTests(TestCase):
    def setUp(self) -> None:
        test_tasks.calls.clear()
        self.staff = make_superuser()
        self.client.force_login(self.staff)

    def read(self, letter: DeadLetter) -> str:
        return self.client.get(reverse("admin:core_deadletter_change", args=[letter.pk])).content.decode()

    def run_again(self, *letters: DeadLetter, post: str = "yes") -> Any:
        chosen: dict[str, Any] = {"_selected_action": [letter.pk for letter in letters]}
        chosen |= {"action": "run_again", "post": post}
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post(LIST, chosen, follow=True)

    def test_the_list_tells_what_failed_where_how_often_and_why(self) -> None:
        make_letter(attempt=8, user_id=5)
        DBTaskResult.objects.create(task_path="a.waiting_one", args_kwargs={}, run_after=timezone.now())

        page = " ".join(self.client.get(LIST).content.decode().split())

        for told in (">succeed<", ">default<", ">ConnectionRefusedError<", ">8<", "1 failed task"):
            self.assertIn(told, page)
        self.assertNotIn("waiting_one", page)

    def test_it_is_filtered_by_task_and_by_queue(self) -> None:
        make_letter(queue="mail")
        make_letter(f"{HERE}.fail")

        for query, expected in (
            ({"queue_name": "mail"}, "succeed"),
            ({"task_path": f"{HERE}.fail"}, "fail"),
        ):
            with self.subTest(query):
                rows = context_of(self.client, LIST, query)["cl"].result_list
                self.assertEqual([row.short_name for row in rows], [expected])

    def test_a_page_shows_the_traceback_and_of_the_arguments_ids_alone(self) -> None:
        sealed, one = seal({"address": "ada@example.org"}, purpose="test"), str(uuid.uuid4())
        given: dict[str, Any] = {"user_id": 5701, "run_ids": [8801, 8802], "batch_id": one}

        page = self.read(make_letter(device="Ada's phone", sealed=sealed, code=123456, attempt=2, **given))

        for shown in ("user_id: 5701", "[8801, 8802]", f"batch_id: {one}", "in send", f"code: {NOT_SHOWN}"):
            self.assertIn(shown, page)
        for hidden in (sealed, "123456", "phone"):
            self.assertNotIn(hidden, page)

    def test_no_page_of_tasks_shows_what_one_was_given(self) -> None:
        row = DBTaskResult.objects.create(
            task_path="a.waiting_one",
            args_kwargs={"kwargs": {"sealed": "gAAAA-secret"}},
            run_after=timezone.now(),
        )
        for page, arguments in (("changelist", []), ("change", [row.pk])):
            url = reverse(f"admin:django_tasks_database_dbtaskresult_{page}", args=arguments)
            text = self.client.get(url).content.decode()
            self.assertIn("a.waiting_one", text)
            self.assertNotIn("gAAAA-secret", text)

    def test_what_one_was_given_is_not_spelled_out_by_an_address(self) -> None:
        make_letter(sealed=seal("Ada", purpose="x"))
        for page in ("core_deadletter", "django_tasks_database_dbtaskresult"):
            for query in (
                {"args_kwargs__kwargs__sealed__startswith": "g"},
                {"args_kwargs__icontains": "g"},
                {"traceback__contains": "a.py"},
                {"exception_class_path__startswith": "c"},
            ):
                with self.subTest(page, query=query):
                    response = self.client.get(reverse(f"admin:{page}_changelist"), query)
                    self.assertEqual(response.status_code, 400)

    def test_nothing_is_added_changed_or_deleted_there(self) -> None:
        letter = make_letter()
        for name, args in (("add", []), ("delete", [letter.pk])):
            url = reverse(f"admin:core_deadletter_{name}", args=args)
            self.assertEqual(self.client.post(url, {"post": "yes"}).status_code, 403)
        url = reverse("admin:core_deadletter_change", args=[letter.pk])
        self.assertEqual(self.client.post(url, {"task_path": "x"}).status_code, 403)
        self.assertNotIn("delete_selected", self.client.get(LIST).content.decode())
        self.assertEqual(DeadLetter.objects.count(), 1)

    def test_run_again_starts_the_task_as_its_first_try_and_its_row_is_gone(self) -> None:
        letters = [make_letter(attempt=8, user_id=number) for number in (5, 6)]

        page = self.run_again(*letters)

        self.assertContains(page, "2 started again.")
        self.assertCountEqual(test_tasks.calls, [{"user_id": 5}, {"user_id": 6}])
        self.assertEqual(DeadLetter.objects.count(), 0)
        events = AuditEvent.objects.filter(action="task_run_again", actor_id=self.staff.pk)
        self.assertEqual({event.object_id for event in events}, {str(letter.pk) for letter in letters})
        self.assertEqual({str(event.changes) for event in events}, {f"{{'task': '{HERE}.succeed'}}"})

    def test_it_is_asked_first_with_the_number(self) -> None:
        self.assertContains(self.run_again(make_letter(), make_letter(), post=""), "Run 2 tasks")

        self.assertEqual((test_tasks.calls, DeadLetter.objects.count()), ([], 2))

    def test_what_was_run_again_cannot_be_run_again(self) -> None:
        letter = make_letter()
        with undrawn():
            self.run_again(letter)
            self.run_again(letter)

        self.assertEqual(len(test_tasks.calls), 1)
        self.assertFalse(run_again(letter.pk, by=self.staff))

    def test_a_task_that_the_program_has_no_more_stays(self) -> None:
        for path in ("core.tests.gone", "core.gone.task", "core.tasks.enqueue"):
            with self.subTest(path):
                letter = make_letter(path)

                self.assertContains(self.run_again(letter), f"There is no task {path} any more.")
                self.assertTrue(DeadLetter.objects.filter(pk=letter.pk).exists())
                with self.assertRaises(TaskGone):
                    run_again(letter.pk, by=self.staff)

    def test_only_platform_admins_run_again(self) -> None:
        desk = make_user(is_staff=True)
        letter = make_letter()
        with patch.object(type(desk), "has_perm", return_value=True), undrawn():
            self.client.force_login(desk)
            self.assertEqual(self.client.get(LIST).status_code, 200)
            self.run_again(letter)
            self.assertEqual((test_tasks.calls, DeadLetter.objects.count()), ([], 1))

        self.client.force_login(make_admin(is_staff=True, is_superuser=True))
        with undrawn():
            self.run_again(letter)
        self.assertEqual(len(test_tasks.calls), 1)


class ModelTests(SimpleTestCase):
    def test_the_fault_of_a_failure_is_what_it_stands_for(self) -> None:
        for path, traceback, fault in (
            ("core.tasks.TaskFailed", "...\ncore.tasks.TaskFailed: OSError\n", "OSError"),
            ("core.tasks.Abandoned", "...\ncore.tasks.Abandoned\n", "Abandoned"),
            ("builtins.SystemExit", "...\nSystemExit: ada@example.org\n", "SystemExit"),
            ("", "", ""),
        ):
            with self.subTest(path):
                letter = DeadLetter(exception_class_path=path, traceback=traceback, args_kwargs={})
                self.assertEqual((letter.fault, letter.attempts), (fault, 1))

    def test_ids_are_told_from_the_rest(self) -> None:
        for name, value, expected in (
            ("user_id", 5, True),
            ("import_ids", [1, 2], True),
            ("batch_id", str(uuid.uuid4()), True),
            ("user_id", True, False),
            ("user_id", "ada@example.org", False),
            ("user_id", {"name": "Ada"}, False),
            ("import_ids", [1, "ada"], False),
            ("code", 123456, False),
            ("keys", [1], False),
        ):
            with self.subTest(name, value=value):
                self.assertEqual(is_id(name, value), expected)


@override_settings(EMAIL_BACKEND=test_tasks.REAL_MAIL)
@patch("core.tasks.close_old_connections", new=lambda: None)
class InProcessTests(TestCase):
    """The embedded profile has no rows of its own: it leaves one of what failed. Here without its threads."""

    def run_in_thread(self, task: Task[Any, None], **given: Any) -> None:
        backend = InProcessBackend("default", {"QUEUES": ["default"]})
        with patch("core.tasks.pool_of") as pool, self.captureOnCommitCallbacks(execute=True):
            pool.return_value.submit = lambda call, *args: call(*args)
            backend.enqueue(task, [], given)

    def test_what_fails_for_good_leaves_the_row_that_the_queue_would_have_left(self) -> None:
        self.run_in_thread(test_tasks.fail, attempt=3, user_id=5)

        letter = DeadLetter.objects.get()
        self.assertEqual((letter.task_path, letter.queue_name), (f"{HERE}.fail", "default"))
        self.assertEqual((letter.attempts, letter.fault, letter.given), (3, "RuntimeError", {"user_id": 5}))
        self.assertEqual(letter.exception_class_path, f"core.tasks.{TaskFailed.__name__}")
        self.assertIsNotNone(letter.finished_at)
        self.assertIn("in fail", letter.traceback)

    def test_what_succeeds_leaves_none(self) -> None:
        self.run_in_thread(test_tasks.succeed, user_id=5)

        self.assertFalse(DBTaskResult.objects.exists())

    def test_one_that_cannot_be_kept_is_a_line_in_the_log(self) -> None:
        full = patch.object(DBTaskResult.objects, "create", side_effect=DatabaseError)
        with full, self.assertLogs("core.tasks", "WARNING") as logs:
            self.run_in_thread(test_tasks.abandon, user_id=5)

        self.assertEqual(logs.records[-1].getMessage(), "dead_letter_lost")


@skipUnless(connection.vendor == "postgresql", "The queue of rows is the production profile's.")
@override_settings(EMAIL_BACKEND=test_tasks.REAL_MAIL)
class QueueTests(TransactionTestCase):
    def test_of_many_clicks_one_starts_it(self) -> None:
        letter, staff = make_letter(attempt=8, user_id=5), make_superuser()

        results = in_parallel(lambda _: run_again(letter.pk, by=staff), 8)

        self.assertEqual(sorted(results), [False] * 7 + [True])
        row = DBTaskResult.objects.get()
        self.assertEqual((str(row.status), row.args_kwargs["kwargs"]), ("READY", {"user_id": 5}))
