"""What must be true of many calls at once, on real threads and connections."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase, override_settings
from django.utils.crypto import constant_time_compare
from rest_framework.test import APIClient

from authentication import challenges
from authentication.models import RefreshToken, SignInSession
from authentication.sessions import open_session
from authentication.tests.signing_in import (
    ask,
    link_in,
    mailed,
    redeem_code,
    redeem_link,
    refresh,
    wrong,
)
from core.testing import in_parallel
from users.models import User, UserProfile
from users.services.accounts import provision_user
from users.tests.factories import make_user

ROUNDS = 5


def refreshed(token: str, _: int) -> Any:
    return refresh(APIClient(), token)


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
@override_settings(MAGIC_LINK_PER_ADDRESS="", MAGIC_LINK_PER_SOURCE="", VERIFY_PER_SOURCE="")
class RaceTests(TransactionTestCase):
    def setUp(self) -> None:
        cache.clear()

    def statuses(self, call: Any, count: int) -> Counter[int]:
        return Counter(answer.status_code for answer in in_parallel(call, count))

    def test_80_parallel_redemptions_of_5_codes_sign_in_5_times(self) -> None:
        """B1."""
        people = [f"pupil{number}@example.org" for number in range(5)]
        codes = [mailed(APIClient(), person).code for person in people]

        statuses = self.statuses(lambda n: redeem_code(APIClient(), codes[n % 5], people[n % 5]), 80)

        self.assertEqual(statuses, {200: 5, 400: 75})
        self.assertEqual(SignInSession.objects.count(), 5)

    def test_80_parallel_redemptions_of_5_links_sign_in_5_times(self) -> None:
        """B1."""
        tokens = [mailed(APIClient(), f"pupil{number}@example.org").token for number in range(5)]

        statuses = self.statuses(lambda n: redeem_link(APIClient(), tokens[n % 5]), 80)

        self.assertEqual(statuses, {200: 5, 400: 75})

    def test_code_and_link_at_once_open_one_session(self) -> None:
        """SAFETY B06."""
        for _ in range(ROUNDS):
            sent = mailed(APIClient())
            statuses = self.statuses(
                lambda n, sent=sent: (
                    redeem_code(APIClient(), sent.code)
                    if n % 3 == 0
                    else redeem_link(APIClient(), sent.token)
                ),
                12,
            )
            self.assertEqual(statuses[200], 1)

    def test_of_50_parallel_wrong_guesses_at_most_5_are_judged(self) -> None:
        """B2, SAFETY R11."""
        code = mailed(APIClient()).code
        with patch.object(challenges, "constant_time_compare", wraps=constant_time_compare) as judge:
            statuses = self.statuses(lambda _: redeem_code(APIClient(), wrong(code)), 50)

        self.assertEqual(statuses, {400: 50})
        self.assertLessEqual(judge.call_count, 5)
        self.assertEqual(redeem_code(APIClient(), code).status_code, 400)

    def test_two_first_sign_ins_make_one_person_and_one_profile(self) -> None:
        """CONTRACT 4.5: link and code of two challenges cannot race, two provisionings can."""
        results = in_parallel(lambda _: provision_user("ada@example.org"), 12)

        self.assertEqual(len({user.pk for user, _ in results}), 1)
        self.assertEqual(sum(is_new for _, is_new in results), 1)
        self.assertEqual((User.objects.count(), UserProfile.objects.count()), (1, 1))

    def test_parallel_requests_leave_one_living_challenge(self) -> None:
        in_parallel(lambda _: ask(APIClient()), 10)

        # Whose link was dead before its mail left got none.
        tokens = {link_in(message) for message in mail.outbox}
        answers = Counter(redeem_link(APIClient(), token).status_code for token in tokens)
        self.assertEqual(answers, {200: 1, 400: len(mail.outbox) - 1} if len(tokens) > 1 else {200: 1})
        self.assertEqual(SignInSession.objects.count(), 1)

    def test_five_parallel_refreshes_all_get_the_same_successor(self) -> None:
        """CONTRACT 4.4: the SPA refreshes five times at once."""
        for _ in range(ROUNDS):
            pair = open_session(make_user(), user_agent="")
            answers = in_parallel(partial(refreshed, pair.refresh), 5)

            self.assertEqual([answer.status_code for answer in answers], [200] * 5)
            self.assertEqual(len({answer.json()["refresh_token"] for answer in answers}), 1)
        self.assertEqual(RefreshToken.objects.count(), 2 * ROUNDS)

    def test_a_budget_of_5_mails_lets_5_of_40_parallel_requests_through(self) -> None:
        """B4: the throttle counts exactly, under any concurrency."""
        with override_settings(MAGIC_LINK_PER_ADDRESS="5/15m"):
            statuses = self.statuses(lambda _: ask(APIClient()), 40)

        self.assertEqual(statuses, {200: 5, 429: 35})
        self.assertIn(len(mail.outbox), range(1, 6))
