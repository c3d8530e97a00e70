"""How long a session of the admin site lasts."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.contrib.sessions.models import Session
from django.test import TestCase, override_settings
from django.utils import timezone

from core.sessions import SEEN_AT
from core.testing import undrawn
from users.tests.factories import make_superuser


class SessionTests(TestCase):
    def setUp(self) -> None:
        self.start = timezone.now()
        with time_machine.travel(self.start, tick=False):
            self.client.force_login(make_superuser())

    def is_in(self, after: timedelta) -> bool:
        with time_machine.travel(self.start + after, tick=False), undrawn():
            return bool(self.client.get("/admin/password_change/done/").status_code == 200)

    def test_it_ends_after_an_hour_without_a_request(self) -> None:
        self.assertTrue(self.is_in(timedelta(minutes=59)))
        self.assertFalse(self.is_in(timedelta(minutes=59 + 61)))
        self.assertEqual(Session.objects.count(), 0, "Its row is gone at once.")

    def test_it_ends_after_twelve_hours_however_much_it_is_used(self) -> None:
        for minutes in range(55, 12 * 60, 55):
            self.assertTrue(self.is_in(timedelta(minutes=minutes)))

        self.assertFalse(self.is_in(timedelta(hours=12, seconds=1)))

    @override_settings(ADMIN_IDLE_MINUTES=5)
    def test_the_programme_says_how_long(self) -> None:
        self.assertFalse(self.is_in(timedelta(minutes=6)))

    def test_the_cookie_ends_with_the_browser(self) -> None:
        self.is_in(timedelta(minutes=2))

        cookie = self.client.cookies["sessionid"]
        self.assertEqual((cookie["max-age"], cookie["expires"]), ("", ""))

    def test_its_use_is_written_once_a_minute(self) -> None:
        for seconds, written in ((30, False), (61, True), (90, False)):
            with self.subTest(seconds):
                before = self.client.session[SEEN_AT]
                self.is_in(timedelta(seconds=seconds))

                self.assertIs(self.client.session[SEEN_AT] != before, written)

    def test_one_from_before_there_were_clocks_has_ended(self) -> None:
        session = self.client.session
        del session[SEEN_AT]
        session.save()

        self.assertFalse(self.is_in(timedelta(0)))
