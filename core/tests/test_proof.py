"""Fresh proof: nothing guarded runs for whoever proved themselves too long ago, and nothing is half done."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.contrib.admin import ModelAdmin, site
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from core.admin.proof import is_fresh, note_proof, with_fresh_proof
from core.sessions import PROVED_AT, SessionStore, seconds_now
from core.tests.proving import make_stale
from users.models import User
from users.tests.factories import make_superuser, make_user

PEOPLE = reverse("admin:users_user_changelist")


def request_with(proved_at: int | None, path: str = "/admin/x/?q=1") -> HttpRequest:
    request = RequestFactory().get(path)
    request.session = SessionStore()
    if proved_at is not None:
        request.session[PROVED_AT] = proved_at
    return request


@with_fresh_proof
def export(request: HttpRequest) -> HttpResponse:
    """A view such as it guards."""
    return HttpResponse("rows")


class FreshnessTests(TestCase):
    def test_a_proof_is_fresh_for_ten_minutes(self) -> None:
        now = seconds_now()
        for age, fresh in ((0, True), (590, True), (610, False), (86_400, False)):
            with self.subTest(age), time_machine.travel(now, tick=False):
                self.assertIs(is_fresh(request_with(now - age)), fresh)

    def test_one_of_tomorrow_or_none_at_all_is_none(self) -> None:
        self.assertFalse(is_fresh(request_with(seconds_now() + 3_600)))
        self.assertFalse(is_fresh(request_with(None)))

    @override_settings(ADMIN_PROOF_MINUTES=1)
    def test_the_programme_says_for_how_long(self) -> None:
        self.assertFalse(is_fresh(request_with(seconds_now() - 61)))

    def test_a_view_runs_after_a_fresh_proof_and_else_sends_away(self) -> None:
        self.assertEqual(export(request_with(seconds_now())).content, b"rows")

        response = export(request_with(0))

        self.assertEqual(response.status_code, 302)
        self.assertEqual(response.headers["Location"], "/admin/confirm/?next=%2Fadmin%2Fx%2F%3Fq%3D1")

    def test_an_action_is_guarded_the_same_way_and_keeps_what_was_said_of_it(self) -> None:
        def action(page: ModelAdmin[User], request: HttpRequest, rows: object) -> HttpResponse:
            return HttpResponse("done")

        action.short_description = "Export"  # type: ignore[attr-defined]
        guarded = with_fresh_proof(action)
        page = ModelAdmin(User, site)

        self.assertEqual(guarded(page, request_with(seconds_now()), None).content, b"done")
        self.assertEqual(guarded(page, request_with(0), None).status_code, 302)
        self.assertEqual(guarded.short_description, "Export")  # type: ignore[attr-defined]

    def test_a_proof_renews_the_key_of_the_session(self) -> None:
        request = request_with(0)
        request.session.save()
        before = request.session.session_key

        note_proof(request)

        self.assertNotEqual(request.session.session_key, before)
        self.assertTrue(is_fresh(request))


class ErasureTests(TestCase):
    """People are deleted by whoever has just proved who they are."""

    def setUp(self) -> None:
        self.client.force_login(make_superuser())
        self.person = make_user()
        self.page = reverse("admin:users_user_delete", args=[self.person.pk])
        self.chosen = {"action": "delete_selected", "_selected_action": [self.person.pk], "post": "yes"}

    def exists(self) -> bool:
        return bool(User.objects.filter(pk=self.person.pk).exists())

    def test_signing_in_is_a_proof(self) -> None:
        self.client.post(self.page, {"post": "yes"})

        self.assertFalse(self.exists())

    def test_a_stale_one_deletes_nobody_on_any_way(self) -> None:
        make_stale(self.client)
        for path, body in ((self.page, {"post": "yes"}), (PEOPLE, self.chosen)):
            with self.subTest(path):
                response = self.client.post(path, body)

                self.assertTrue(response.headers["Location"].startswith("/admin/confirm/?next="))
                self.assertTrue(self.exists())

    def test_who_is_sent_away_is_told_that_nothing_was_done(self) -> None:
        make_stale(self.client)

        response = self.client.post(f"{PEOPLE}?status=pending", self.chosen, follow=True)

        self.assertContains(response, "Nothing has been done yet.")
        self.assertContains(response, "status%3Dpending")

    def test_other_pages_ask_for_none(self) -> None:
        make_stale(self.client)

        self.assertEqual(self.client.get(PEOPLE).status_code, 200)
        body = {"action": "suspend", "_selected_action": [self.person.pk], "post": "yes"}
        self.assertNotIn("/admin/confirm/", self.client.post(PEOPLE, body).headers.get("Location", ""))

    def test_a_proof_grows_old_while_the_page_stands_open(self) -> None:
        self.assertEqual(self.client.get(self.page).status_code, 200)
        with time_machine.travel(timezone.now() + timedelta(minutes=11)):
            self.client.post(self.page, {"post": "yes"})

        self.assertTrue(self.exists())
