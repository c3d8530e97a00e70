"""What else health tells of: storage and mail (D32)."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from threading import Event
from typing import ClassVar
from unittest.mock import patch

from django.test import SimpleTestCase, TestCase, override_settings
from django.urls import reverse

from core.health import parts
from core.health.backlog import standing
from core.health.parts import Probe
from core.tests.s3 import S3Server, stored_at
from core.tests.smtp import SmtpServer
from core.watching.backlog import migrations

PATIENCE_SECONDS = 10


def told(probe: Probe) -> str:
    """Return what a probe learns when it is asked now, however long that takes."""
    probe.forget()
    probe.begin()
    return probe.word(time.monotonic() + PATIENCE_SECONDS)


class PartsCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        migrations.load()

    def setUp(self) -> None:
        for slow in (parts.storage, parts.mail, parts.channels, standing):
            slow.forget()
            self.addCleanup(slow.forget)

    def health(self) -> tuple[int, str, dict[str, str]]:
        response = self.client.get(reverse("core:health_check"))
        body = response.json()
        return response.status_code, body["status"], body["services"]

    def assert_degraded(self, name: str, word: str) -> None:
        status, verdict, services = self.health()
        self.assertEqual((status, verdict, services[name]), (200, "degraded", word))


class StorageTests(PartsCase):
    def test_a_folder_that_cannot_be_written_is_degraded_and_still_200(self) -> None:
        with tempfile.NamedTemporaryFile() as file, override_settings(MEDIA_ROOT=file.name):
            self.assert_degraded("storage", "error")

    def test_a_folder_that_is_not_there_yet_will_be_made(self) -> None:
        with tempfile.TemporaryDirectory() as folder, override_settings(MEDIA_ROOT=f"{folder}/a/b"):
            self.assertEqual(told(parts.storage), "connected")
            self.assertEqual(list(Path(folder).iterdir()), [])

    def test_a_disk_that_is_nearly_full_is_degraded(self) -> None:
        with patch("core.health.parts.FREE_BYTES", 2**62):
            self.assert_degraded("storage", "error")

    def test_a_new_place_is_asked_at_once(self) -> None:
        with tempfile.NamedTemporaryFile() as file, override_settings(MEDIA_ROOT=file.name):
            self.assertEqual(self.health()[2]["storage"], "error")

        self.assertEqual(self.health()[1:], ("healthy", {**self.health()[2], "storage": "connected"}))


class BucketTests(SimpleTestCase):
    server: ClassVar[S3Server]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = S3Server()
        cls.addClassCleanup(cls.server.end)

    def test_a_bucket_is_asked_for_its_headers(self) -> None:
        for bucket, word in (("btf-test", "connected"), ("no-such-bucket", "error")):
            with self.subTest(bucket), stored_at(self.server.base, bucket=bucket):
                self.assertEqual(told(parts.storage), word)


class MailTests(PartsCase):
    server: ClassVar[SmtpServer]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = SmtpServer()
        cls.enterClassContext(override_settings(**cls.server.settings))

    def tearDown(self) -> None:
        self.server.stop()
        self.server.is_silent = False

    def test_a_server_that_says_who_it_is_is_connected_and_gets_no_mail(self) -> None:
        self.server.start()

        self.assertEqual(self.health()[2]["mail"], "connected")
        self.assertEqual(self.server.taken, [])

    def test_a_server_that_is_away_is_degraded(self) -> None:
        self.assert_degraded("mail", "error")

    def test_a_server_that_says_nothing_is_unknown_in_time_and_then_an_error(self) -> None:
        self.server.start()
        self.server.is_silent = True

        with patch("core.health.parts.SMTP_SECONDS", 60.0):
            _, verdict, services = self.health()
            self.assertEqual((verdict, services["mail"]), ("healthy", "unknown"))
            self.hang_up()

        self.assertEqual(parts.mail.word(time.monotonic() + PATIENCE_SECONDS), "error")

    def test_one_that_says_nothing_is_degraded_to_who_asks_once_a_minute(self) -> None:
        """A process in turn with others hears a monitor that seldom. SAFETY R2."""
        self.server.start()
        self.server.is_silent = True

        with patch("core.health.parts.SMTP_SECONDS", 60.0), patch("core.health.report.PATIENCE_SECONDS", 0.3):
            self.assertEqual(self.health()[1], "healthy")
            for _ in range(3):
                answer = parts.mail.answer
                assert answer is not None
                self.hang_up()
                self.assertIsNotNone(answer.exception(PATIENCE_SECONDS))
                parts.mail.asked_at -= 60
                parts.mail.learnt_at -= 60
                self.assert_degraded("mail", "error")

            self.hang_up()
            parts.mail.word(time.monotonic() + PATIENCE_SECONDS)

    def hang_up(self) -> None:
        """Have the silent server leave whoever waits for it."""
        door = self.server.door
        assert door is not None
        for transport in self.server.silent:
            door.loop.call_soon_threadsafe(transport.abort)

    def test_however_many_ask_the_server_is_asked_once(self) -> None:
        self.server.start()
        before = self.server.connections

        words = [self.health()[2]["mail"] for _ in range(20)]

        self.assertEqual((set(words), self.server.connections - before), ({"connected"}, 1))

    def test_after_half_a_minute_it_is_asked_again(self) -> None:
        self.server.start()
        before = self.server.connections

        self.health()
        parts.mail.asked_at -= parts.GOOD_SECONDS  # so old that the next call waits
        parts.mail.learnt_at -= parts.GOOD_SECONDS
        self.health()

        self.assertEqual(self.server.connections - before, 2)

    @override_settings(EMAIL_BACKEND="anymail.backends.postmark.EmailBackend")
    def test_a_mail_service_is_not_asked(self) -> None:
        self.assertEqual(self.health()[1:], ("healthy", {**self.health()[2], "mail": "not_probed"}))


class HangingTests(SimpleTestCase):
    """A part that never answers, until it is let go."""

    def setUp(self) -> None:
        self.thaw, self.asked = Event(), 0
        self.error: OSError | None = None
        self.probe = Probe("storage", self.hang, lambda: "here")
        self.addCleanup(self.let_go)

    def let_go(self) -> None:
        self.thaw.set()
        self.probe.word(time.monotonic() + PATIENCE_SECONDS)

    def hang(self) -> str:
        self.asked += 1
        self.thaw.wait(PATIENCE_SECONDS)
        if self.error is not None:
            raise self.error
        return "connected"

    def a_minute_passes(self) -> None:
        self.probe.asked_at -= parts.GOOD_SECONDS
        self.probe.learnt_at -= parts.GOOD_SECONDS

    def test_it_is_never_asked_twice_at_a_time(self) -> None:
        for _ in range(3):
            self.probe.begin()
            self.probe.asked_at -= parts.EVERY_SECONDS

        self.assertEqual(self.probe.word(0), "error")  # it has not answered for longer than it may
        self.assertEqual(self.asked, 1)

    def test_what_was_learnt_stands_while_it_is_asked_again(self) -> None:
        self.thaw.set()
        self.assertEqual(told(self.probe), "connected")
        self.thaw.clear()
        self.probe.asked_at -= parts.EVERY_SECONDS

        self.probe.begin()

        self.assertEqual(self.probe.word(0), "connected")

    def test_what_was_learnt_long_ago_is_unknown_until_it_is_learnt_anew(self) -> None:
        self.thaw.set()
        self.assertEqual(told(self.probe), "connected")
        self.thaw.clear()
        self.a_minute_passes()
        self.probe.begin()
        self.assertEqual(self.probe.word(0), "unknown")

        self.thaw.set()

        self.assertEqual(self.probe.word(time.monotonic() + PATIENCE_SECONDS), "connected")

    def test_an_answer_that_nobody_fetched_is_as_old_as_its_question(self) -> None:
        self.thaw.set()
        self.probe.begin()
        assert self.probe.answer is not None
        self.probe.answer.result(PATIENCE_SECONDS)

        self.probe.asked_at -= parts.GOOD_SECONDS

        self.assertEqual(self.probe.word(0), "unknown")

    def test_an_error_stays_until_a_newer_answer_takes_its_place(self) -> None:
        self.thaw.set()
        self.error = TimeoutError()
        self.assertEqual(told(self.probe), "error")
        self.error = None
        self.thaw.clear()
        for _ in range(3):
            self.a_minute_passes()
            self.assertEqual(self.probe.word(0), "error")

        self.a_minute_passes()
        self.probe.begin()
        self.assertEqual(self.probe.word(0), "error")
        self.thaw.set()

        self.assertEqual(self.probe.word(time.monotonic() + PATIENCE_SECONDS), "connected")

    def test_who_asks_so_often_that_news_are_new_waits_for_none(self) -> None:
        self.thaw.set()
        self.error = TimeoutError()
        self.assertEqual(told(self.probe), "error")
        self.thaw.clear()
        self.probe.asked_at -= parts.EVERY_SECONDS
        self.probe.begin()

        with patch("core.health.parts.wait") as waiting:
            self.assertEqual(self.probe.word(time.monotonic() + PATIENCE_SECONDS), "error")

        waiting.assert_not_called()

    def test_the_log_tells_the_kind_and_not_the_words(self) -> None:
        nothing: dict[str, str] = {}
        broken = Probe("mail", lambda: nothing["here"], lambda: "here")

        with self.assertLogs("core.health.parts", "WARNING") as logs:
            self.assertEqual(told(broken), "error")

        self.assertEqual(vars(logs.records[0])["store_error"], "KeyError")
        self.assertNotIn("here", logs.output[0])
