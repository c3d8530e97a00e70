"""Logout, the list of one's sessions, and pruning."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from authentication.models import SignInSession
from authentication.sessions import open_session
from authentication.tasks import prune_sessions
from authentication.tests.signing_in import SignInTestCase, bearer, refresh, signed_in_client
from core.models import AuditEvent
from users.services.accounts import change_status
from users.tests.factories import make_admin, make_user

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:139.0) Gecko/20100101 Firefox/139.0"


class LogoutTests(SignInTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.user = make_user()
        self.pair = open_session(self.user, user_agent="")

    def log_out(self, body: object) -> int:
        return self.client.post(reverse("authentication:logout"), body, format="json").status_code

    def test_it_ends_the_session_without_an_access_token(self) -> None:
        """SAFETY B18."""
        self.assertEqual(self.log_out({"refresh_token": self.pair.refresh}), 204)

        self.assertEqual(refresh(self.client, self.pair.refresh).status_code, 401)
        self.assertEqual(self.client.get(reverse("users:me"), **bearer(self.pair.access)).status_code, 401)
        self.assertTrue(AuditEvent.objects.filter(action="signed_out", actor_id=self.user.pk).exists())

    def test_an_older_token_of_the_family_ends_it_too(self) -> None:
        newer = refresh(self.client, self.pair.refresh).json()["refresh_token"]
        self.log_out({"refresh_token": self.pair.refresh})

        self.assertEqual(refresh(self.client, newer).status_code, 401)

    def test_any_text_answers_204_and_ends_nothing(self) -> None:
        texts = ["", "x", "a.b.c", self.pair.access, "é" * 9_000]

        self.assertEqual([self.log_out({"refresh_token": text}) for text in texts], [204] * 5)
        self.assertEqual(SignInSession.objects.live().count(), 1)

    def test_no_text_is_400(self) -> None:
        bodies = [{}, {"refresh_token": None}, {"refresh_token": 5}, {"refresh_token": []}]

        self.assertEqual([self.log_out(body) for body in bodies], [400] * 4)

    def test_other_sessions_go_on(self) -> None:
        other = open_session(self.user, user_agent="")
        self.log_out({"refresh_token": self.pair.refresh})

        self.assertEqual(refresh(self.client, other.refresh).status_code, 200)


class SessionListTests(SignInTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.user = make_user()
        self.client = signed_in_client(self.user)
        self.url = reverse("authentication:sessions")

    def test_it_names_each_device_and_marks_the_one_that_asks(self) -> None:
        open_session(self.user, user_agent=FIREFOX)
        open_session(make_user(), user_agent="")

        body = self.client.get(self.url).json()

        self.assertEqual(body["count"], 2)
        self.assertEqual([row["device"] for row in body["results"]], ["Firefox on Windows", ""])
        self.assertEqual([row["current"] for row in body["results"]], [False, True])
        self.assertEqual(
            set(body["results"][0]), {"id", "device", "createdAt", "lastSeenAt", "expiresAt", "current"}
        )

    def test_it_costs_the_same_for_1_session_and_for_30(self) -> None:
        for count in (1, 30):
            while SignInSession.objects.count() < count:
                open_session(self.user, user_agent="")
            with self.subTest(count), self.assertNumQueries(3):
                self.client.get(self.url)

    def test_one_is_ended_and_the_others_go_on(self) -> None:
        other = open_session(self.user, user_agent="")
        target = SignInSession.objects.exclude(device="").first() or SignInSession.objects.order_by("-pk")[0]

        response = self.client.delete(reverse("authentication:session", args=[target.pk]))

        self.assertEqual(response.status_code, 204)
        self.assertEqual(refresh(self.client, other.refresh).status_code, 401)
        self.assertEqual(self.client.get(self.url).json()["count"], 1)

    def test_somebody_elses_session_does_not_exist(self) -> None:
        """SAFETY B23: the same answer as for one that never was."""
        open_session(make_user(), user_agent="")
        foreign = SignInSession.objects.order_by("-pk")[0].pk
        answers = [self.client.delete(f"{self.url}{pk}/") for pk in (foreign, 999_999)]

        self.assertEqual([answer.status_code for answer in answers], [404, 404])
        self.assertTrue(SignInSession.objects.live().filter(pk=foreign).exists())

    def test_ids_that_are_none_are_404(self) -> None:
        for text in ("abc", "0", "-1", str(2**63), "1e400", "%00", "..%2f"):
            with self.subTest(text):
                self.assertEqual(self.client.delete(f"{self.url}{text}/").status_code, 404)

    def test_signing_out_everywhere_ends_this_one_too(self) -> None:
        others = [open_session(self.user, user_agent="") for _ in range(2)]

        self.assertEqual(self.client.delete(self.url).status_code, 204)

        self.assertEqual([refresh(self.client, pair.refresh).status_code for pair in others], [401, 401])
        self.assertEqual(self.client.get(self.url).status_code, 401)
        self.assertTrue(AuditEvent.objects.filter(action="signed_out_everywhere").exists())

    def test_suspension_ends_every_session_at_once(self) -> None:
        """SAFETY B13."""
        change_status(self.user, status="inactive", by=make_admin())

        self.assertEqual(self.client.get(self.url).status_code, 401)
        self.assertFalse(SignInSession.objects.live().filter(user=self.user).exists())


class PruneTests(SignInTestCase):
    def test_sessions_are_kept_for_30_days_after_they_ran_out(self) -> None:
        for days in (29, 31):
            open_session(make_user(), user_agent="")
            newest = SignInSession.objects.order_by("-pk")[0]
            newest.expires_at = timezone.now() - timedelta(days=days)
            newest.save()

        self.assertEqual(prune_sessions(), {"deleted": 2})  # the session and its token
        self.assertEqual(SignInSession.objects.count(), 1)
