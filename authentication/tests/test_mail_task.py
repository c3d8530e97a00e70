"""The sign-in mail is tried for as long as its code is good, and not longer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import time_machine
from django.conf import settings
from django.test import override_settings
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from authentication.tasks import mail_sign_in
from authentication.tests.signing_in import ADDRESS, SignInTestCase, ask
from core.models import Delivery
from users.tests.factories import make_user

QUEUE = {"default": {"BACKEND": "core.tasks.QueueBackend", "QUEUES": ["default", "sign-in"]}}


@override_settings(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend", TASKS=QUEUE)
class MailTaskTests(SignInTestCase):
    def setUp(self) -> None:
        super().setUp()
        ask(self.client)
        self.asked_at = timezone.now()

    def try_the_newest(self) -> Any:
        """Run the newest task as a worker does; return it, and remove it."""
        row = DBTaskResult.objects.latest("enqueued_at")
        mail_sign_in.call(**row.args_kwargs["kwargs"])
        row.delete()
        return row

    def test_while_the_mail_server_is_away_no_wait_is_longer_than_half_a_minute(self) -> None:
        """SAFETY R6: mails are out within a minute of its recovery."""
        with patch("core.mail.EmailMultiAlternatives.send", side_effect=OSError):
            for attempt in range(1, 30):
                self.assertEqual(self.try_the_newest().args_kwargs["kwargs"].get("attempt", 1), attempt)
                waits = DBTaskResult.objects.get().run_after - timezone.now()
                self.assertLessEqual(waits, timedelta(seconds=30))

    def test_it_ends_by_itself_when_the_code_has_run_out(self) -> None:
        lifetime = timedelta(seconds=settings.MAGIC_LINK_EXPIRY_SECONDS)
        with patch("core.mail.EmailMultiAlternatives.send", side_effect=OSError) as send:
            with time_machine.travel(self.asked_at + lifetime - timedelta(seconds=2), tick=False):
                self.try_the_newest()
            with (
                time_machine.travel(self.asked_at + lifetime, tick=False),
                patch("authentication.tasks.may_sign_in", side_effect=OSError) as gate,
            ):
                self.try_the_newest()

        self.assertEqual((send.call_count, gate.call_count), (1, 0))
        self.assertFalse(DBTaskResult.objects.exists())

    def test_a_code_that_a_newer_one_has_followed_is_not_mailed_any_more(self) -> None:
        older = DBTaskResult.objects.latest("enqueued_at")
        with time_machine.travel(self.asked_at + timedelta(seconds=31)):
            ask(self.client)
            with patch("core.mail.EmailMultiAlternatives.send") as send:
                mail_sign_in.call(**older.args_kwargs["kwargs"])
                self.assertEqual(send.call_count, 0)
                self.try_the_newest()

        self.assertEqual(send.call_count, 1)

    def test_a_code_that_has_been_used_is_not_mailed_any_more(self) -> None:
        with (
            patch("authentication.challenges.cache.get", return_value={"id": "1"}),
            patch("core.mail.EmailMultiAlternatives.send") as send,
        ):
            self.try_the_newest()

        self.assertEqual(send.call_count, 0)

    def test_a_link_that_the_cache_has_lost_leaves_the_code_and_so_the_mail(self) -> None:
        with (
            patch("authentication.challenges.link_hash", return_value="gone"),
            patch("core.mail.EmailMultiAlternatives.send") as send,
        ):
            self.try_the_newest()

        self.assertEqual(send.call_count, 1)

    def test_what_was_tried_in_vain_ends_as_failed(self) -> None:
        person = make_user(email=ADDRESS)
        with patch("core.mail.EmailMultiAlternatives.send", side_effect=OSError):
            self.try_the_newest()
        self.assertEqual(Delivery.objects.get(person=person).state, "queued")

        lifetime = timedelta(seconds=settings.MAGIC_LINK_EXPIRY_SECONDS)
        with time_machine.travel(self.asked_at + lifetime, tick=False):
            self.try_the_newest()

        self.assertEqual(Delivery.objects.get(person=person).state, "failed")
