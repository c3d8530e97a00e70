"""Passwords open the admin site alone, within budgets."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import time_machine
from django.core.cache import caches
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisDown

from core.testing import undrawn
from users.tests.factories import make_superuser, make_user

PASSWORD = "correct horse battery"


class PasswordTests(TestCase):
    def setUp(self) -> None:
        for store in caches:
            caches[store].clear()
        self.admin = make_superuser(password=PASSWORD)

    def sign_in(self, password: str, source: str = "192.0.2.1", account: str = "") -> int:
        body = {"username": account or self.admin.email, "password": password}
        with undrawn():
            return self.client.post(reverse("admin:password"), body, REMOTE_ADDR=source).status_code

    def test_the_right_one_opens_the_site(self) -> None:
        self.assertEqual(self.sign_in(PASSWORD), 302)

    def test_it_opens_it_for_superusers_alone(self) -> None:
        desk = make_user(is_staff=True, password=PASSWORD)

        self.assertEqual(self.sign_in(PASSWORD, account=desk.email), 400)

    def test_all_that_is_wrong_is_told_in_the_same_words(self) -> None:
        """Nobody learns who has an account here, who works here, and who is suspended."""
        make_user(email="desk@example.org", is_staff=True, password=PASSWORD)
        make_superuser(email="gone@example.org", status="inactive", password=PASSWORD)
        pages = set()
        for name in ("desk", "gone", "nobody"):
            body = {"username": f"{name}@example.org", "password": PASSWORD}
            page = self.client.post(reverse("admin:password"), body).content.decode()
            page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)
            pages.add(page.replace(name, ""))

        self.assertEqual(len(pages), 1)
        self.assertIn("are not correct", pages.pop())

    def test_ten_wrong_ones_close_the_account_to_that_source_for_a_while(self) -> None:
        with time_machine.travel(timezone.now(), tick=False):
            for _ in range(10):
                self.assertEqual(self.sign_in("wrong"), 400)

            self.assertEqual(self.sign_in(PASSWORD), 400)
            self.assertEqual(self.sign_in(PASSWORD, source="192.0.2.2"), 302)
        with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
            self.assertEqual(self.sign_in(PASSWORD), 302)

    def test_a_used_up_budget_hashes_nothing(self) -> None:
        with patch("users.backends.TRIES_PER_SOURCE", "5/15m"):
            for number in range(5):
                with patch("django.contrib.auth.hashers.check_password", return_value=False):
                    self.sign_in("wrong", account=f"nobody{number}@example.org")
            with patch("django.contrib.auth.backends.ModelBackend.authenticate") as check:
                self.sign_in(PASSWORD)

        check.assert_not_called()

    def test_an_outage_of_redis_still_bounds(self) -> None:
        def take(bucket: str, rates: str, *, store: str = "default", real: Any = None) -> int:
            if store == "default":
                raise RedisDown
            return 0 if bucket.endswith(self.admin.email) else 1

        with patch("core.limits.take", side_effect=take):
            self.assertEqual(self.sign_in(PASSWORD), 400)
