"""What happens is counted where it happens, once."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, patch

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import TestCase, override_settings
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from redis.exceptions import ConnectionError as RedisDown

from authentication.challenges import count_wrong_guess
from authentication.tests.signing_in import (
    SignInTestCase,
    ask,
    mailed,
    redeem_code,
    redeem_link,
    signed_in_client,
    wrong,
)
from chat.tests.sockets import PATIENCE, SocketCase
from core.breaker import Breaker
from core.lost_tasks import requeue_lost_tasks
from core.realtime import send_to_room
from core.refusals import Unavailable
from core.tasks import Abandoned, background
from core.tests.telling import MailCase
from core.uploads.policy import UploadRefused
from core.uploads.store import store_upload
from core.watching import metrics
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Counter, Gauge


def count(metric: Counter | Gauge, *labels: str) -> float:
    child: Any = metric.labels(*labels) if labels else metric
    return float(child._value.get())


class Counting(TestCase):
    """A word for "this grows by that much in the block"."""

    @contextmanager
    def grows(self, metric: Counter | Gauge, *labels: str, by: int = 1) -> Iterator[None]:
        before = count(metric, *labels)
        yield
        self.assertEqual(count(metric, *labels) - before, by, (metric, labels))


@background(attempts=2)
def go_well() -> None:
    """Do nothing."""


@background(attempts=2)
def go_wrong() -> None:
    raise RuntimeError


@background(attempts=2)
def give_up() -> None:
    raise Abandoned


class TaskCountTests(Counting):
    def test_a_run_that_ends_well_is_done(self) -> None:
        with self.grows(metrics.tasks, "go_well", "done"):
            go_well.enqueue()

    def test_a_failure_is_retried_and_the_last_one_failed(self) -> None:
        with (
            self.grows(metrics.tasks, "go_wrong", "retried"),
            self.grows(metrics.tasks, "go_wrong", "failed"),
            self.grows(metrics.tasks, "go_wrong", "done", by=0),
            self.grows(metrics.defects, "task"),
        ):
            go_wrong.enqueue()

    def test_one_that_gives_up_failed(self) -> None:
        with self.grows(metrics.tasks, "give_up", "failed"), self.grows(metrics.defects, "task", by=0):
            give_up.enqueue()

    def test_one_whose_worker_was_killed_is_lost(self) -> None:
        DBTaskResult.objects.create(
            task_path=f"{__name__}.go_well",
            status="RUNNING",
            queue_name="default",
            priority=0,
            backend_name="default",
            args_kwargs={"args": [], "kwargs": {}},
            run_after=timezone.now(),
            started_at=timezone.now() - timedelta(days=1),
            worker_ids=["killed"],
            exception_class_path="",
        )

        with self.grows(metrics.tasks, "go_well", "lost"):
            requeue_lost_tasks()


class SignInCountTests(SignInTestCase, Counting):
    def test_challenges_sign_ins_and_wrong_codes(self) -> None:
        with self.grows(metrics.sign_in_challenges):
            sent = mailed(self.client)
        with self.grows(metrics.wrong_codes):
            redeem_code(self.client, wrong(sent.code))
        with self.grows(metrics.sign_ins, "code"), self.grows(metrics.wrong_codes, by=0):
            redeem_code(self.client, sent.code)
        with self.grows(metrics.sign_ins, "link", by=0):
            redeem_link(self.client, sent.token)

    def test_the_brake_is_counted_once_a_day(self) -> None:
        with (
            patch("authentication.challenges.WRONG_GUESSES_OF_ALL_PER_DAY", 2),
            self.grows(metrics.code_brake),
        ):
            for _ in range(4):
                count_wrong_guess("192.0.2.1")

    @override_settings(MAGIC_LINK_PER_SOURCE="1/1m", MAGIC_LINK_PER_ADDRESS="")
    def test_a_refusal_names_its_budget(self) -> None:
        with self.grows(metrics.throttled, "MAGIC_LINK_PER_SOURCE"):
            statuses = [ask(self.client).status_code for _ in range(2)]

        self.assertEqual(statuses, [200, 429])


class FaultCountTests(Counting):
    def test_an_event_that_no_socket_hears_is_a_fan_out_failure(self) -> None:
        with patch("core.realtime.get_channel_layer") as layer:
            layer.return_value.group_send = AsyncMock(side_effect=RedisDown)
            with self.grows(metrics.fan_out_failures, "chat.event"):
                send_to_room("a-room", {"type": "chat.event"}, Breaker())

    def test_a_503_names_the_store(self) -> None:
        client = signed_in_client(make_user(status="active"))
        with (
            patch("django.db.connection.cursor", side_effect=OperationalError),
            self.grows(metrics.store_failures, "database"),
            self.grows(metrics.store_failures, "redis", by=0),
        ):
            self.assertEqual(client.get("/api/users/me/").status_code, 503)

    def test_uploads_are_stored_refused_or_unavailable(self) -> None:
        good = SimpleUploadedFile("plan.txt", b"minutes", "text/plain")
        bad = SimpleUploadedFile("plan.exe", b"minutes", "text/plain")
        with self.grows(metrics.uploads, "stored"):
            store_upload(good, prefix="uploads", owner=None)
        with self.grows(metrics.uploads, "refused"), self.assertRaises(UploadRefused):
            store_upload(bad, prefix="uploads", owner=None)
        with (
            patch("core.uploads.store.default_storage.save", side_effect=OSError),
            self.grows(metrics.uploads, "unavailable"),
            self.assertRaises(Unavailable),
        ):
            store_upload(good, prefix="uploads", owner=None)


class MailCountTests(MailCase, Counting):
    def test_a_mail_that_left_and_one_that_broke(self) -> None:
        with self.grows(metrics.mails, "sent"), self.grows(metrics.mails, "fault"):
            self.tell(make_user(status="active"))
            self.tell(make_user(status="active"), title="broken")
            self.send_all()


class SocketCountTests(SocketCase):
    async def test_a_socket_is_open_from_its_greeting_until_it_ends(self) -> None:
        before = count(metrics.open_sockets, "chat"), count(metrics.socket_closes, "1000")

        socket = await self.opened(self.student)
        self.assertEqual(count(metrics.open_sockets, "chat"), before[0] + 1)
        await socket.disconnect(code=1000, timeout=PATIENCE)

        self.assertEqual(count(metrics.open_sockets, "chat"), before[0])
        self.assertEqual(count(metrics.socket_closes, "1000"), before[1] + 1)

    async def test_a_refused_socket_is_a_close_and_was_never_open(self) -> None:
        before = count(metrics.open_sockets, "chat"), count(metrics.socket_closes, "4401")

        self.assertEqual(await self.refusal(self.path), 4401)

        after = count(metrics.open_sockets, "chat"), count(metrics.socket_closes, "4401")
        self.assertEqual(after, (before[0], before[1] + 1))

    async def test_codes_that_mean_nothing_here_are_others(self) -> None:
        before = count(metrics.socket_closes, "other")
        for code in (3000, 4999):
            await (await self.opened(self.student)).disconnect(code=code, timeout=PATIENCE)

        self.assertEqual(count(metrics.socket_closes, "other"), before + 2)

    async def test_a_message_is_counted_once_however_often_it_is_sent(self) -> None:
        before = count(metrics.messages_posted)

        for _ in range(3):
            await self.post("Hello", clientId="one")

        self.assertEqual(count(metrics.messages_posted), before + 1)
