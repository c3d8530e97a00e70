"""Redeeming the code and the link: once, by whom, and what it opens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest import skipIf
from unittest.mock import patch

import time_machine
from django.core.cache import cache
from django.db import OperationalError
from django.test import override_settings
from django.urls import reverse

from authentication.challenges import account_key, wrong_guesses
from authentication.models import SignInSession
from authentication.tests.signing_in import (
    ADDRESS,
    SignInTestCase,
    bearer,
    mailed,
    redeem_code,
    redeem_link,
    wrong,
)
from core.models import AuditEvent
from core.testing import on_redis
from users.models import User
from users.services.accounts import provision_user
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Callable


class VerifyCodeTests(SignInTestCase):
    def test_the_code_opens_a_session_and_answers_the_whole_document(self) -> None:
        response = redeem_code(self.client, mailed(self.client).code)

        self.assertEqual(response.status_code, 200)
        self.assertEqual(set(response.json()), {"token", "refresh_token", "user"})
        me = self.client.get(reverse("users:me"), **bearer(response.json()["token"]))
        self.assertEqual(me.json(), response.json()["user"])
        self.assertEqual(response["Cache-Control"], "no-store")

    def test_a_stranger_becomes_a_pending_student_without_a_password(self) -> None:
        """B12: the password is unusable, not empty."""
        redeem_code(self.client, mailed(self.client).code)

        user = User.objects.get()
        self.assertEqual(
            (user.email, user.username, user.role, user.status), (ADDRESS, ADDRESS, "student", "pending")
        )
        self.assertFalse(user.has_usable_password())
        self.assertEqual(user.profile.first_name, "")

    def test_a_known_person_signs_in_as_they_are(self) -> None:
        """B13, B17: no second account for a mixed-case address; last_login is written."""
        user = make_user(email="Ada@Example.org", role="mentor", status="active")
        redeem_code(self.client, mailed(self.client).code)

        user.refresh_from_db()
        self.assertEqual((User.objects.count(), user.role, user.email), (1, "mentor", "Ada@example.org"))
        self.assertIsNotNone(user.last_login)

    def test_an_address_longer_than_a_username_signs_in(self) -> None:
        """B14: the reference answered 500."""
        address = f"{'x' * 64}@{'y' * 60}.{'z' * 60}.example.org"
        self.assertEqual(
            redeem_code(self.client, mailed(self.client, address).code, address).status_code, 200
        )
        self.assertEqual(User.objects.get().email, address)

    def test_an_address_whose_username_is_taken_signs_in(self) -> None:
        make_user(email="other@example.org", username=ADDRESS)

        self.assertEqual(redeem_code(self.client, mailed(self.client).code).status_code, 200)

    def test_code_and_link_die_together(self) -> None:
        """B5: the reference left the link alive after the code, and older links too."""
        for first, second in ((0, 1), (1, 0)):
            with self.subTest(first=first), override_settings(MAGIC_LINK_PER_ADDRESS=""):
                sent = mailed(self.client)
                doors = [
                    lambda sent=sent: redeem_code(self.client, sent.code),
                    lambda sent=sent: redeem_link(self.client, sent.token),
                ]
                self.assertEqual([doors[first]().status_code, doors[second]().status_code], [200, 400])

    def test_a_wrong_guess_keeps_the_code_good(self) -> None:
        code = mailed(self.client).code

        self.assertEqual(redeem_code(self.client, wrong(code)).status_code, 400)
        self.assertEqual(redeem_code(self.client, code).status_code, 200)

    def test_five_wrong_guesses_void_the_code_and_leave_the_link(self) -> None:
        """B2, SAFETY B03: the right code comes too late; the link is the owner's way in."""
        sent = mailed(self.client)
        for _ in range(5):
            redeem_code(self.client, wrong(sent.code))

        self.assertEqual(redeem_code(self.client, sent.code).status_code, 400)
        self.assertEqual(redeem_link(self.client, sent.token).status_code, 200)

    def test_wrong_used_run_out_and_never_issued_look_the_same(self) -> None:
        sent = mailed(self.client)
        bodies = [
            redeem_code(self.client, wrong(sent.code)).json(),
            redeem_code(self.client, "000000", "no@example.org").json(),
        ]
        redeem_code(self.client, sent.code)
        bodies.append(redeem_code(self.client, sent.code).json())

        self.assertEqual(
            {(body["error"], body["code"]) for body in bodies}, {(bodies[0]["error"], "invalid_credential")}
        )

    def test_a_code_belongs_to_its_address(self) -> None:
        code = mailed(self.client).code

        self.assertEqual(redeem_code(self.client, code, "other@example.org").status_code, 400)

    def test_missing_and_misshapen_fields_are_named(self) -> None:
        cases = [
            ({}, "email"),
            ({"email": ADDRESS}, "code"),
            ({"email": ADDRESS, "code": []}, "code"),
            ({"email": 5, "code": "1"}, "email"),
        ]
        for body, field in cases:
            with self.subTest(body):
                response = self.client.post(reverse("authentication:verify-otp"), body, format="json")
                self.assertEqual(response.status_code, 400)
                self.assertIn(field, response.json()["error"] if field == "code" else response.json())

    def test_a_code_sent_as_a_number_is_taken_as_its_digits(self) -> None:
        code = "0"
        while code.startswith("0"):
            with override_settings(MAGIC_LINK_PER_ADDRESS=""):
                code = mailed(self.client).code
        response = redeem_code(self.client, int(code))  # type: ignore[arg-type]

        self.assertEqual(response.status_code, 200)

    def test_one_source_cannot_try_for_ever(self) -> None:
        with override_settings(VERIFY_PER_SOURCE="2/15m"):
            statuses = [redeem_code(self.client, "000000").status_code for _ in range(3)]

        self.assertEqual(statuses, [400, 400, 429])

    def test_signing_in_is_audited_without_the_address(self) -> None:
        redeem_code(self.client, mailed(self.client).code)

        actions = list(AuditEvent.objects.values_list("action", flat=True))
        self.assertEqual(sorted(actions), ["account_provisioned", "signed_in"])
        self.assertNotIn(ADDRESS, str(list(AuditEvent.objects.values())))


class GuessBudgetTests(SignInTestCase):
    def guess(self, times: int, *, after: int = 5) -> str:
        """Make wrong guesses at as many challenges as it takes; return the newest code."""
        code = mailed(self.client).code
        for number in range(times):
            if number and number % after == 0:
                code = mailed(self.client).code
            redeem_code(self.client, wrong(code))
        return mailed(self.client).code

    @override_settings(MAGIC_LINK_PER_ADDRESS="", VERIFY_PER_SOURCE="")
    def test_strangers_have_20_guesses_per_account_and_day(self) -> None:
        """SAFETY R11: then codes are off for this account, and its link still works."""
        code = self.guess(20)

        self.assertEqual(redeem_code(self.client, code).status_code, 400)
        self.assertEqual(redeem_link(self.client, mailed(self.client).token).status_code, 200)

    @patch("authentication.challenges.GUESSES_PER_ACCOUNT_AND_DAY", 6)
    @override_settings(MAGIC_LINK_PER_ADDRESS="", VERIFY_PER_SOURCE="")
    def test_a_browser_that_the_account_knows_has_a_budget_of_its_own(self) -> None:
        redeem_code(self.client, mailed(self.client).code)
        stranger = self.client_class()
        known, self.client = self.client, stranger
        code = self.guess(6)

        self.assertEqual(redeem_code(stranger, code).status_code, 400)
        self.assertEqual(redeem_code(known, mailed(known).code).status_code, 200)

    @patch("authentication.challenges.GUESSES_PER_ACCOUNT_AND_DAY", 6)
    @override_settings(MAGIC_LINK_PER_ADDRESS="", VERIFY_PER_SOURCE="")
    def test_a_cookie_of_another_account_opens_no_lane(self) -> None:
        redeem_code(self.client, mailed(self.client, "eve@example.org").code, "eve@example.org")
        code = self.guess(6)

        self.assertEqual(redeem_code(self.client, code).status_code, 400)

    @patch("authentication.challenges.WRONG_GUESSES_OF_ONE_SOURCE_PER_DAY", 12)
    @override_settings(MAGIC_LINK_PER_ADDRESS="", MAGIC_LINK_PER_SOURCE="", VERIFY_PER_SOURCE="")
    def test_one_hostile_source_cannot_pull_the_brake(self) -> None:
        """SAFETY R11: from invented addresses, as many as it likes."""
        for number in range(3):
            address = f"nobody{number}@example.org"
            code = mailed(self.client, address).code
            for _ in range(5):
                redeem_code(self.client, wrong(code), address)

        self.assertEqual(cache.get(wrong_guesses()), 12)

    def test_a_counter_that_was_evicted_meanwhile_stops_nobody(self) -> None:
        code = mailed(self.client).code

        with patch("authentication.challenges.cache.decr", side_effect=ValueError):
            self.assertEqual(redeem_code(self.client, code).status_code, 200)

    def test_pulling_the_brake_is_logged(self) -> None:
        sent = mailed(self.client)
        cache.set(wrong_guesses(), 1_999)

        with self.assertLogs("authentication.challenges", "ERROR") as log:
            redeem_code(self.client, wrong(sent.code))

        self.assertIn("code_brake_on", log.output[0])

    @patch("authentication.challenges.GUESSES_PER_ACCOUNT_AND_DAY", 3)
    @override_settings(MAGIC_LINK_PER_ADDRESS="")
    def test_right_codes_cost_nothing_of_the_day(self) -> None:
        statuses = []
        for _ in range(5):
            client = self.client_class()
            statuses.append(redeem_code(client, mailed(client).code).status_code)

        self.assertEqual(statuses, [200] * 5)

    def test_the_programme_brake_turns_codes_off_and_leaves_links(self) -> None:
        sent = mailed(self.client)
        cache.set(wrong_guesses(), 2_000)

        self.assertEqual(redeem_code(self.client, sent.code).status_code, 400)
        self.assertEqual(redeem_link(self.client, sent.token).status_code, 200)


class VerifyLinkTests(SignInTestCase):
    def test_the_link_signs_in_by_get_and_by_post(self) -> None:
        url = reverse("authentication:verify-magic-link")
        for method in ("get", "post"):
            with self.subTest(method), override_settings(MAGIC_LINK_PER_ADDRESS=""):
                body = {"token": mailed(self.client).token}
                response = getattr(self.client, method)(url, body)
                self.assertEqual(response.status_code, 200)
                self.assertEqual(set(response.json()), {"token", "refresh_token", "user"})
                self.assertEqual(response["Referrer-Policy"], "no-referrer")

    def test_head_consumes_nothing(self) -> None:
        """B6: mail scanners send HEAD first."""
        token = mailed(self.client).token
        head = self.client.head(reverse("authentication:verify-magic-link"), {"token": token})

        self.assertEqual(head.status_code, 405)
        self.assertEqual(redeem_link(self.client, token).status_code, 200)

    def test_missing_unknown_and_used_tokens_are_refused(self) -> None:
        token = mailed(self.client).token
        redeem_link(self.client, token)
        for body in ({}, {"token": ""}, {"token": "x"}, {"token": token}, {"token": "x" * 5000}):
            with self.subTest(str(body)[:30]):
                response = self.client.get(reverse("authentication:verify-magic-link"), body)
                self.assertEqual(response.status_code, 400)
                self.assertIn("error", response.json())


class LifetimeTests(SignInTestCase):
    @skipIf(on_redis(), "Redis keeps its own clock; its expiry is tested below.")
    def test_link_and_code_run_out(self) -> None:
        sent, later = mailed(self.client), datetime.now(UTC) + timedelta(seconds=601)
        with time_machine.travel(later):
            statuses = [
                redeem_code(self.client, sent.code).status_code,
                redeem_link(self.client, sent.token).status_code,
            ]

        self.assertEqual(statuses, [400, 400])

    def test_the_lifetime_is_read_at_each_request(self) -> None:
        """B17: the reference froze it at import."""
        with override_settings(MAGIC_LINK_EXPIRY_SECONDS=1):
            mailed(self.client)
        key = f"signin:challenge:{account_key(ADDRESS)}"
        if on_redis():
            self.assertLessEqual(cache.ttl(key), 1)  # type: ignore[attr-defined]
        else:
            with time_machine.travel(datetime.now(UTC) + timedelta(seconds=2)):
                self.assertIsNone(cache.get(key))

    def test_nothing_that_names_a_person_waits_in_the_cache(self) -> None:
        """SAFETY B40: hashes and sealed text alone."""
        sent = mailed(self.client)
        if on_redis():
            client = cache.client.get_client()  # type: ignore[attr-defined]
            kept = " ".join(f"{key} {client.dump(key)}" for key in client.keys("*"))
        else:
            kept = str(cache._cache)  # type: ignore[attr-defined]

        self.assertIn("signin:challenge", kept)
        for secret in (sent.token, sent.code, ADDRESS):
            self.assertNotIn(secret, kept)


class OutageTests(SignInTestCase):
    def test_a_database_that_fails_burns_no_code(self) -> None:
        sent = mailed(self.client)
        doors: list[Callable[[], Any]] = [
            lambda: redeem_code(self.client, sent.code),
            lambda: redeem_link(self.client, sent.token),
        ]
        for redeem in doors:
            with patch("authentication.services.open_session", side_effect=OperationalError):
                self.assertEqual(redeem().status_code, 503)

        self.assertEqual(redeem_code(self.client, sent.code).status_code, 200)

    @override_settings(MAGIC_LINK_PER_ADDRESS="")
    def test_a_new_challenge_survives_the_redemption_of_the_old_one(self) -> None:
        old = mailed(self.client)
        new = None

        def ask_meanwhile(*args: Any, **kwargs: Any) -> Any:
            nonlocal new
            new = mailed(self.client)
            return provision_user(*args, **kwargs)

        with patch("authentication.services.provision_user", side_effect=ask_meanwhile):
            self.assertEqual(redeem_code(self.client, old.code).status_code, 200)

        assert new
        self.assertEqual(redeem_link(self.client, new.token).status_code, 200)


class GateTests(SignInTestCase):
    def test_somebody_whose_address_changes_meanwhile_does_not_get_in(self) -> None:
        """The old mailbox proves nothing any more."""
        user = make_user(email=ADDRESS)
        code = mailed(self.client).code

        def change_address(*args: Any, **kwargs: Any) -> Any:
            found = provision_user(*args, **kwargs)
            User.objects.filter(pk=user.pk).update(email="new@example.org")
            return found

        with patch("authentication.services.provision_user", side_effect=change_address):
            self.assertEqual(redeem_code(self.client, code).status_code, 400)

        self.assertFalse(SignInSession.objects.exists())

    def test_somebody_suspended_after_the_mail_gets_in_by_neither(self) -> None:
        """B8: the status is asked at every door."""
        for change in ({"status": "inactive"}, {"is_active": False}):
            with self.subTest(change), override_settings(MAGIC_LINK_PER_ADDRESS=""):
                user = make_user()
                sent = mailed(self.client, user.email)
                User.objects.filter(pk=user.pk).update(**change)
                self.assertEqual(redeem_code(self.client, sent.code, user.email).status_code, 400)
                self.assertEqual(redeem_link(self.client, sent.token).status_code, 400)
        self.assertFalse(SignInSession.objects.exists())
