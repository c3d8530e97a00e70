"""Asking for a link: who is mailed, what, and how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import time_machine
from django.core import mail
from django.core.cache import caches
from django.test import override_settings
from redis.exceptions import ConnectionError as RedisDown

from authentication.models import SignInSession
from authentication.tests.signing_in import ADDRESS, SignInTestCase, ask, mailed, redeem_code, redeem_link
from users.models import User
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Callable

VARIANTS = [
    "ada@example.org",
    "ADA@example.org",
    "ada@EXAMPLE.ORG",
    "Ada@Example.Org",
    " ada@example.org",
    "ada@example.org ",
    "\tada@example.org\n",
    "  ADA@EXAMPLE.ORG  ",
    "aDa@example.org",
    "ada@example.ORG",
    "adA@eXample.org",
    "\u00a0ada@example.org",
]


class MagicLinkTests(SignInTestCase):
    def test_one_mail_carries_the_link_and_the_code(self) -> None:
        with override_settings(FRONTEND_BASE_URL="https://hub.example.org/"):
            response = ask(self.client)

        self.assertEqual(response.status_code, 200)
        self.assertEqual(set(response.json()), {"success", "message"})
        self.assertEqual([message.to for message in mail.outbox], [[ADDRESS]])
        body = str(mail.outbox[0].body)
        self.assertRegex(body, r"(?m)^Magic Link: https://hub\.example\.org/auth/verify\?token=[\w-]{43}$")
        self.assertRegex(body, r"(?m)^One-Time Code: \d{6}$")

    def test_it_makes_no_account_yet(self) -> None:
        ask(self.client)

        self.assertFalse(User.objects.exists())

    def test_every_spelling_of_an_address_is_one_mailbox(self) -> None:
        make_user(email="Ada@Example.org")
        for spelling in VARIANTS:
            with self.subTest(spelling), override_settings(MAGIC_LINK_PER_ADDRESS=""):
                code = mailed(self.client, spelling).code
                self.assertEqual(mail.outbox[-1].to, [ADDRESS])
                self.assertEqual(redeem_code(self.client, code, spelling).status_code, 200)
        self.assertEqual(User.objects.count(), 1)

    def test_every_spelling_counts_against_one_budget(self) -> None:
        statuses = [ask(self.client, spelling).status_code for spelling in VARIANTS]

        self.assertEqual(statuses, [200] + [429] * 11)
        self.assertEqual(len(mail.outbox), 1)

    def test_known_unknown_and_suspended_addresses_get_the_same_answer(self) -> None:
        make_user(email="known@example.org")
        make_user(email="suspended@example.org", status=User.Status.INACTIVE)
        make_user(email="closed@example.org", is_active=False)
        answers = [
            ask(self.client, f"{name}@example.org") for name in ("new", "known", "suspended", "closed")
        ]

        self.assertEqual({answer.content for answer in answers}, {answers[0].content})
        self.assertEqual({answer.status_code for answer in answers}, {200})
        self.assertEqual({frozenset(answer.headers) for answer in answers}, {frozenset(answers[0].headers)})

    def test_suspended_people_get_no_mail(self) -> None:
        make_user(email=ADDRESS, status=User.Status.INACTIVE)

        ask(self.client)

        self.assertEqual(mail.outbox, [])

    def test_a_bad_address_is_refused_and_mailed_to_nobody(self) -> None:
        bad = [
            "",
            " ",
            "nobody",
            "a@",
            "@b.org",
            "a@b",
            "a b@example.org",
            "a@example.org.",
            "a@example.org\nBcc: x@y.org",
        ]
        misshapen: list[Any] = ["x" * 250 + "@example.org", None, 7, True, [], {}, ["a@example.org"]]
        for address in [*bad, *misshapen]:
            with self.subTest(address):
                response = ask(self.client, address)
                self.assertEqual(response.status_code, 400)
                self.assertIn("error", response.json())
                self.assertIn("email", response.json())
        self.assertEqual(mail.outbox, [])

    def test_a_form_is_as_good_as_json(self) -> None:
        for form in ("multipart", None):
            with self.subTest(form), override_settings(MAGIC_LINK_PER_ADDRESS=""):
                response = self.client.post("/api/auth/magic-link/", {"email": ADDRESS}, format=form)
                self.assertEqual(response.status_code, 200)

    def test_asking_again_voids_the_older_link_and_code(self) -> None:
        with override_settings(MAGIC_LINK_PER_ADDRESS=""):
            old, new = mailed(self.client), mailed(self.client)

        self.assertEqual(redeem_code(self.client, old.code).status_code, 200 if old.code == new.code else 400)
        self.assertEqual(redeem_link(self.client, old.token).status_code, 400)
        self.assertEqual(redeem_link(self.client, new.token).status_code, 200)

    def test_auto_provision_decides_who_may_join(self) -> None:
        cases = [
            ("open", [], True),
            ("domains", ["Example.org"], True),
            ("domains", ["school.au"], False),
            ("off", [], False),
        ]
        for mode, domains, joins in cases:
            with (
                self.subTest(mode, domains=domains),
                override_settings(
                    AUTO_PROVISION=mode, AUTO_PROVISION_DOMAINS=domains, MAGIC_LINK_PER_ADDRESS=""
                ),
            ):
                mail.outbox.clear()
                self.assertEqual(ask(self.client).status_code, 200)
                self.assertEqual(len(mail.outbox), int(joins))

    def test_known_people_sign_in_whatever_auto_provision_says(self) -> None:
        make_user(email=ADDRESS)
        with override_settings(AUTO_PROVISION="off"):
            self.assertEqual(redeem_code(self.client, mailed(self.client).code).status_code, 200)


class MailBudgetTests(SignInTestCase):
    def test_the_sixth_mail_within_15_minutes_is_refused(self) -> None:
        start = datetime.now(UTC)
        for number, expected in enumerate([200] * 5 + [429]):
            with time_machine.travel(start + timedelta(seconds=60 * number), tick=False):
                response = ask(self.client)
            self.assertEqual(response.status_code, expected)

        self.assertEqual(int(response["Retry-After"]), 600)
        self.assertEqual(response.json()["code"], "throttled")
        self.assertEqual(len(mail.outbox), 5)
        with time_machine.travel(start + timedelta(seconds=901), tick=False):
            self.assertEqual(ask(self.client).status_code, 200)

    def test_mails_to_one_address_are_30_seconds_apart(self) -> None:
        start = datetime.now(UTC)
        statuses = []
        for second in (0, 29, 31):
            with time_machine.travel(start + timedelta(seconds=second), tick=False):
                statuses.append(ask(self.client).status_code)

        self.assertEqual(statuses, [200, 429, 200])

    def test_a_refused_mail_leaves_the_code_before_it_alive(self) -> None:
        code = mailed(self.client).code

        self.assertEqual(ask(self.client).status_code, 429)
        self.assertEqual(redeem_code(self.client, code).status_code, 200)

    def test_a_classroom_of_40_behind_one_address_gets_in_within_a_minute(self) -> None:
        """SAFETY B10, and the issue's own case."""
        people = [f"pupil{number}@school.example.org" for number in range(40)]
        codes = [mailed(self.client, person).code for person in people]
        statuses = [
            redeem_code(self.client, code, person).status_code
            for person, code in zip(people, codes, strict=True)
        ]

        self.assertEqual(statuses, [200] * 40)
        self.assertEqual(SignInSession.objects.count(), 40)

    def test_one_source_cannot_mail_the_world(self) -> None:
        with override_settings(MAGIC_LINK_PER_SOURCE="3/15m"):
            statuses = [ask(self.client, f"p{n}@example.org").status_code for n in range(5)]
            elsewhere = ask(self.client, "p9@example.org", REMOTE_ADDR="203.0.113.9").status_code

        self.assertEqual((statuses, elsewhere), ([200, 200, 200, 429, 429], 200))

    def test_a_forged_forwarded_header_buys_no_budget(self) -> None:
        with override_settings(MAGIC_LINK_PER_SOURCE="1/15m"):
            statuses = [
                ask(self.client, f"p{n}@example.org", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}").status_code
                for n in range(2)
            ]

        self.assertEqual(statuses, [200, 429])


class CacheDownTests(SignInTestCase):
    def test_a_dead_cache_is_a_clean_503_on_every_door(self) -> None:
        """B15, SAFETY R3: never a 500, never a bypass."""
        calls: list[Callable[[], Any]] = [
            lambda: ask(self.client),
            lambda: redeem_code(self.client, "123456"),
            lambda: redeem_link(self.client, "x" * 43),
        ]
        for number, call in enumerate(calls):
            with self.subTest(number), patch("core.throttling.take", side_effect=RedisDown):
                response = call()
                self.assertEqual(response.status_code, 503)
                self.assertEqual(response.json()["code"], "service_unavailable")
                self.assertIn("Retry-After", response)

    def test_a_cache_that_dies_on_the_way_is_a_503_too(self) -> None:
        with patch.object(type(caches["default"]), "get", side_effect=RedisDown):
            self.assertEqual(redeem_code(self.client, "123456").status_code, 503)
