"""What is done to several people at once at the admin site: asked first with the count, by the same rules."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import AuditEvent
from users.access import LastAdmin, OwnAccount
from users.models import User
from users.tests.factories import make_admin, make_superuser, make_user
from users.tests.test_admin_site import LIST, DeskTestCase, make_staff, open_sessions

ACTIVE, INACTIVE, PENDING = User.Status.ACTIVE, User.Status.INACTIVE, User.Status.PENDING


class DeedTestCase(DeskTestCase):
    def ask(self, action: str, *people: User, **more: str) -> Any:
        response = self.choose(action, *people, **more)
        self.assertTemplateUsed(response, "admin/confirm.html")
        return response

    def status_of(self, person: User) -> str:
        return str(User.objects.get(pk=person.pk).status)


class AskingTests(DeedTestCase):
    def test_nothing_is_done_before_the_button_that_names_the_number(self) -> None:
        pending = make_user(first_name="Ada", last_name="Lovelace")

        response = self.ask("activate", pending, self.student)

        self.assertContains(response, "Activate 1 person")
        self.assertContains(response, "Ada Lovelace")
        self.assertContains(response, "<strong>1</strong>: Already active.")
        self.assertEqual(self.status_of(pending), PENDING)
        self.assertFalse(AuditEvent.objects.exists())

    def test_the_page_sends_back_those_whom_it_names_and_nobody_else(self) -> None:
        response = self.ask("suspend", self.student, self.staff)

        self.assertEqual(
            response.context["question"].sent, [("action", "suspend"), ("_selected_action", self.student.pk)]
        )
        self.assertEqual(response.context["left_out"], [(OwnAccount.sentence, 1)])

    def test_where_nobody_is_left_there_is_no_button(self) -> None:
        response = self.ask("activate", self.student)

        self.assertContains(response, "None of those that were chosen is left.")
        self.assertNotContains(response, "Activate 0")

    def test_a_get_of_the_list_starts_nothing(self) -> None:
        query = f"?action=suspend&_selected_action={self.student.pk}&post=yes"

        self.client.get(LIST + query)

        self.assertEqual(self.status_of(self.student), ACTIVE)

    def test_it_costs_the_same_for_one_and_for_many(self) -> None:
        def queries(number: int) -> int:
            people = [make_user() for _ in range(number)]
            self.ask("activate", people[0])
            with CaptureQueriesContext(connection) as captured:
                self.ask("activate", *people)
            return len(captured)

        self.assertEqual(queries(2), queries(30))


class DoingTests(DeedTestCase):
    def test_each_goes_through_the_service_and_the_message_tells_how_many(self) -> None:
        people = [make_user(), make_user()]

        said = self.confirm("activate", *people, self.student)

        self.assertEqual(said, ["2 activated.", "1 left as they were. Already active. (1)"])
        self.assertEqual({self.status_of(person) for person in people}, {ACTIVE})
        self.assertEqual(AuditEvent.objects.filter(action="user_changed").count(), 2)

    def test_a_rule_that_is_asked_with_the_rows_held_is_told_with_its_number(self) -> None:
        with patch("users.services.accounts.check_change", side_effect=LastAdmin):
            said = self.confirm("suspend", self.student)

        self.assertEqual(said[0], "0 suspended: they are signed out everywhere.")
        self.assertIn(f"{LastAdmin.sentence} (1)", said[1])

    def test_signing_out_ends_sessions_keeps_the_status_and_is_recorded(self) -> None:
        self.assertEqual(self.confirm("sign_out", self.student), ["1 signed out everywhere."])

        self.assertEqual((open_sessions(self.student), self.status_of(self.student)), (0, ACTIVE))
        event = AuditEvent.objects.get(action="signed_out_everywhere")
        self.assertEqual((event.actor_id, event.object_id), (self.staff.pk, str(self.student.pk)))

    def test_the_filters_of_the_list_are_kept(self) -> None:
        url = f"{LIST}?status__exact=active"
        body = {"action": "suspend", "_selected_action": [self.student.pk], "post": "yes"}

        self.assertRedirects(self.client.post(url, body), url)


class EverybodyThatMatchesTests(DeedTestCase):
    def all_that_match(self) -> Any:
        body = {"action": "activate", "_selected_action": [self.student.pk], "select_across": "1"}
        return self.client.post(f"{LIST}?status__exact=pending", body, follow=True)

    def test_all_that_match_the_filters_are_meant_on_whatever_page(self) -> None:
        User.objects.bulk_create(User(username=f"{n}", email=f"{n}@example.org") for n in range(120))

        response = self.all_that_match()

        self.assertContains(response, "Activate 120 people")
        self.assertContains(response, "and 108 more")

    def test_more_than_the_bound_are_refused_in_words_and_nothing_is_done(self) -> None:
        User.objects.bulk_create(User(username=f"{n}", email=f"{n}@example.org") for n in range(4))

        with patch("core.admin.confirming.MOST_AT_ONCE", 3):
            response = self.all_that_match()

        self.assertContains(response, "At most 3 at once.")
        self.assertTemplateNotUsed(response, "admin/confirm.html")
        self.assertFalse(AuditEvent.objects.exists())

    def test_fewer_are_erased_at_once(self) -> None:
        User.objects.bulk_create(User(username=f"{n}", email=f"{n}@example.org") for n in range(4))
        body = {"action": "delete_selected", "_selected_action": [self.student.pk], "select_across": "1"}
        for more in ({}, {"post": "yes"}):
            with patch("users.admin.people.MOST_ERASED", 3):
                response = self.client.post(f"{LIST}?status__exact=pending", {**body, **more}, follow=True)

            self.assertContains(response, "At most 3 at once.")
        self.assertEqual(User.objects.filter(status=PENDING).count(), 4)


class StaffTests(DeedTestCase):
    def test_those_above_the_desk_are_left_out_beforehand_and_afterwards(self) -> None:
        self.sit_down(make_staff())
        above = [make_superuser(), make_admin(), make_staff()]
        for action in ("suspend", "sign_out"):
            with self.subTest(action):
                response = self.ask(action, self.student, *above)
                self.assertEqual(response.context["left_out"], [("You may not change this account.", 3)])

        said = self.confirm("suspend", self.student, *above)

        self.assertEqual(said[1], "3 left as they were. You may not change this account. (3)")
        self.assertEqual([self.status_of(person) for person in above], [ACTIVE] * 3)

    def test_a_desk_that_may_only_look_has_no_such_action(self) -> None:
        clerk = make_user(is_staff=True)
        clerk.user_permissions.set(make_staff().user_permissions.filter(codename="view_user"))
        self.sit_down(clerk)

        self.assertEqual(self.client.get(LIST).context["action_form"], None)
        for action in ("activate", "suspend", "sign_out", "export_chosen", "add_to_group"):
            self.confirm(action, self.student)
        self.assertEqual((self.status_of(self.student), open_sessions(self.student)), (ACTIVE, 1))


class OnePersonTests(DeedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = reverse("admin:users_user_sign_out_person", args=[self.student.pk])

    def test_the_page_of_a_person_leads_to_it_and_it_asks_first(self) -> None:
        shown = self.client.get(reverse("admin:users_user_change", args=[self.student.pk]))
        self.assertContains(shown, self.url)

        self.assertContains(self.client.get(self.url), "Sign out 1 person")
        self.client.post(self.url)
        self.assertEqual(open_sessions(self.student), 1)

        self.client.post(self.url, {"post": "yes"})
        self.assertEqual(open_sessions(self.student), 0)

    def test_somebody_above_is_left_as_they_are(self) -> None:
        self.sit_down(make_staff())
        boss = make_superuser()
        before = boss.sign_outs

        url = reverse("admin:users_user_sign_out_person", args=[boss.pk])
        self.assertContains(self.client.post(url, {"post": "yes"}, follow=True), "You may not change")
        self.assertEqual(User.objects.get(pk=boss.pk).sign_outs, before)

    def test_nobody_and_who_may_not_are_turned_away(self) -> None:
        nobody = reverse("admin:users_user_sign_out_person", args=[10**9])
        self.assertEqual(self.client.get(nobody).status_code, 404)
        self.sit_down(make_user(is_staff=True))
        self.assertEqual(self.client.post(self.url, {"post": "yes"}).status_code, 403)
