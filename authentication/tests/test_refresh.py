"""Refresh: rotation, the grace window, and what reuse after it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from django.core import mail
from django.urls import reverse

from authentication.models import RefreshToken, SignInSession
from authentication.sessions import end_all_sessions, open_session, rotate
from authentication.tests.signing_in import SignInTestCase, bearer, refresh
from core.models import AuditEvent, Notice
from users.models import User
from users.tests.factories import make_user


class RefreshTests(SignInTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.user = make_user()
        self.pair = open_session(self.user, user_agent="")
        self.start = datetime.now(UTC)

    def at(self, seconds: float, token: str) -> Any:
        with time_machine.travel(self.start + timedelta(seconds=seconds), tick=False):
            return refresh(self.client, token)

    def status_of_me(self, access: str) -> int:
        return self.client.get(reverse("users:me"), **bearer(access)).status_code

    def test_it_answers_a_new_pair_that_works(self) -> None:
        response = refresh(self.client, self.pair.refresh)

        self.assertEqual((response.status_code, set(response.json())), (200, {"token", "refresh_token"}))
        self.assertNotEqual(response.json()["refresh_token"], self.pair.refresh)
        self.assertEqual(self.status_of_me(response.json()["token"]), 200)
        self.assertEqual(refresh(self.client, response.json()["refresh_token"]).status_code, 200)

    def test_within_the_grace_window_a_used_token_yields_the_same_successor(self) -> None:
        answers = [self.at(second, self.pair.refresh) for second in (1, 2, 30, 60)]

        self.assertEqual([answer.status_code for answer in answers], [200] * 4)
        self.assertEqual(len({answer.json()["refresh_token"] for answer in answers}), 1)

    def test_it_still_does_when_the_successor_was_used_meanwhile(self) -> None:
        """CONTRACT D31."""
        b = self.at(1, self.pair.refresh).json()["refresh_token"]
        c = self.at(2, b).json()["refresh_token"]

        self.assertEqual(self.at(3, self.pair.refresh).json()["refresh_token"], b)
        self.assertEqual(self.at(4, b).json()["refresh_token"], c)

    def test_reuse_after_the_window_ends_the_whole_family(self) -> None:
        """SAFETY B15: A, B, C and their access tokens die; the owner is told; it is audited."""
        b = self.at(0, self.pair.refresh).json()
        c = self.at(10, b["refresh_token"]).json()

        self.assertEqual(self.at(61, self.pair.refresh).status_code, 401)

        self.assertEqual(
            [self.at(62, t).status_code for t in (b["refresh_token"], c["refresh_token"])], [401, 401]
        )
        self.assertEqual(
            [self.status_of_me(t) for t in (self.pair.access, b["token"], c["token"])], [401] * 3
        )
        self.assertEqual(AuditEvent.objects.filter(action="refresh_reuse").count(), 1)

    def test_the_owner_is_told_of_reuse_by_mail(self) -> None:
        self.at(0, self.pair.refresh)
        with self.captureOnCommitCallbacks(execute=True):
            self.at(61, self.pair.refresh)

        self.assertEqual([message.to for message in mail.outbox], [[self.user.email]])
        notice = Notice.objects.get(kind="session_ended")
        session = SignInSession.objects.get()
        self.assertEqual((notice.subject, notice.data), (str(session.pk), {"session": session.pk}))
        self.assertTrue(notice.deliveries.get(person=self.user).in_inbox)

    def test_reuse_again_and_again_is_told_once(self) -> None:
        self.at(0, self.pair.refresh)
        session = SignInSession.objects.get()
        with self.captureOnCommitCallbacks(execute=True):
            self.at(61, self.pair.refresh)
            with time_machine.travel(self.start + timedelta(seconds=62), tick=False):
                rotate(session, RefreshToken.objects.exclude(rotated_at=None).get().pk)

        self.assertEqual(len(mail.outbox), 1)

    def test_another_session_of_the_same_person_survives_reuse(self) -> None:
        other = open_session(self.user, user_agent="")
        self.at(0, self.pair.refresh)
        self.at(61, self.pair.refresh)

        self.assertEqual(self.status_of_me(other.access), 200)

    def test_missing_and_misshapen_tokens_are_400(self) -> None:
        bad: tuple[Any, ...] = ("", None, 5, [])
        for body in ({}, *({"refresh_token": text} for text in bad)):
            with self.subTest(body):
                response = self.client.post(reverse("authentication:refresh-token"), body, format="json")
                self.assertEqual(response.status_code, 400)
                self.assertIn("error", response.json())

    def test_an_access_token_garbage_and_a_run_out_token_are_401(self) -> None:
        answers = [
            refresh(self.client, self.pair.access),
            refresh(self.client, "a.b.c"),
            self.at(8 * 86_400, self.pair.refresh),
        ]

        self.assertEqual([answer.status_code for answer in answers], [401] * 3)
        self.assertTrue(all("error" in answer.json() for answer in answers))

    def test_suspended_deactivated_and_deleted_people_get_none(self) -> None:
        """B9: the reference went on for ever, even for deleted users."""
        for change in ({"status": User.Status.INACTIVE}, {"is_active": False}):
            with self.subTest(change):
                User.objects.filter(pk=self.user.pk).update(**change)
                self.assertEqual(refresh(self.client, self.pair.refresh).status_code, 401)
                self.assertEqual(self.status_of_me(self.pair.access), 401)
                User.objects.filter(pk=self.user.pk).update(status=User.Status.ACTIVE, is_active=True)
        self.user.delete()
        self.assertEqual(refresh(self.client, self.pair.refresh).status_code, 401)
        self.assertEqual(self.status_of_me(self.pair.access), 401)

    def test_ended_sessions_get_none(self) -> None:
        """B10: revocation takes effect at once."""
        end_all_sessions(self.user)

        self.assertEqual(refresh(self.client, self.pair.refresh).status_code, 401)
        self.assertEqual(self.status_of_me(self.pair.access), 401)

    def test_it_is_where_last_seen_is_written(self) -> None:
        self.at(100, self.pair.refresh)

        session = SignInSession.objects.get()
        self.assertAlmostEqual(
            session.last_seen_at, self.start + timedelta(seconds=100), delta=timedelta(seconds=1)
        )
        self.assertEqual(RefreshToken.objects.filter(rotated_at=None).count(), 1)
