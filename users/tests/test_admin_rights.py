"""Rights and passwords at the admin site are given by whoever has just shown who they are.

Otherwise a stale session would make a fresh proof for itself: by a new password, by a colleague's mailbox,
by an admin of its own.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group as PermissionGroup
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.cache import cache
from django.urls import reverse

from authentication.tests.at_site import CONFIRM, site_mail
from core.testing import undrawn
from core.tests.proving import make_stale
from users.models import PeopleImport, User
from users.tests.factories import make_superuser, make_user
from users.tests.importing import csv_of
from users.tests.test_admin_imports import ImportDeskCase
from users.tests.test_admin_imports import page as import_page
from users.tests.test_admin_site import DeskTestCase, make_staff, page

OWN = "/admin/password_change/"
OLD, NEW = "correct horse battery", "four-words-long-enough"
ADD = reverse("admin:users_user_add")
ASKED = "Nothing has been saved yet"


class StaleCase(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        cache.clear()
        make_stale(self.client)

    def sit_down_stale(self, staff: User) -> None:
        self.sit_down(staff)
        make_stale(self.client)

    def assert_asked(self, response: Any) -> None:
        """Tell that somebody was sent to prove who they are."""
        self.assertEqual(response.status_code, 302)
        self.assertTrue(response.headers["Location"].startswith(f"{CONFIRM}?next="), response.headers)


class PasswordTests(StaleCase):
    def setUp(self) -> None:
        super().setUp()
        self.sit_down_stale(make_superuser(password=OLD))

    def test_nobody_sets_a_password_from_a_stale_session_not_even_their_own(self) -> None:
        sent = {"password1": NEW, "password2": NEW, "usable_password": "true"}
        for person in (self.staff, self.student):
            url = reverse("admin:auth_user_password_change", args=[person.pk])
            with self.subTest(person=person):
                self.assert_asked(self.client.get(url))
                self.assert_asked(self.client.post(url, sent))
                self.assertFalse(User.objects.get(pk=person.pk).check_password(NEW))

    def test_the_page_of_ones_own_asks_as_well(self) -> None:
        sent = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}

        self.assert_asked(self.client.get(OWN))
        self.assert_asked(self.client.post(OWN, sent))

        self.assertTrue(User.objects.get(pk=self.staff.pk).check_password(OLD))

    def test_after_a_proof_it_opens_and_changes(self) -> None:
        self.client.post(CONFIRM, {"do": "password", "password": OLD})
        sent = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}

        self.assertEqual(self.client.get(OWN).status_code, 200)
        self.client.post(OWN, sent)

        self.assertTrue(User.objects.get(pk=self.staff.pk).check_password(NEW))

    def test_who_has_no_password_has_no_page_for_it(self) -> None:
        self.sit_down(make_staff())

        for send in (self.client.get, self.client.post):
            self.assertEqual(send(OWN).status_code, 403)


class PersonTests(StaleCase):
    """Nothing that was typed is lost: the form comes again, with a link that opens beside it."""

    def test_rights_are_not_changed_and_the_form_is_shown_as_it_was_filled_in(self) -> None:
        before = User.objects.values().get(pk=self.student.pk)
        permission, desk = Permission.objects.first(), PermissionGroup.objects.create(name="Front desk")
        assert permission
        url, sent = page(self.student), {**self.form_of(self.student), "first_name": "Grace"}
        for fields in (
            {"role": "mentor"},
            {"status": "inactive"},
            {"email": "other@example.org"},
            {"is_active": ""},
            {"is_staff": "on"},
            {"is_superuser": "on"},
            {"groups": [desk.pk]},
            {"user_permissions": [permission.pk]},
        ):
            with self.subTest(fields):
                with undrawn():
                    response: Any = self.client.post(url, {**sent, **fields})

                form = response.context_data["adminform"].form
                self.assertIn(ASKED, str(form.non_field_errors()))
                self.assertEqual(form["first_name"].value(), "Grace")
                self.assertEqual(User.objects.values().get(pk=self.student.pk), before)
                self.assertFalse(self.student.groups.exists() or self.student.user_permissions.exists())

        shown = self.client.post(url, {**sent, "role": "mentor"})
        for text in (ASKED, f'href="{CONFIRM}?next=', 'value="Grace"'):
            self.assertContains(shown, text)

    def test_a_platform_admin_does_not_take_over_a_colleague(self) -> None:
        colleague = make_staff()
        self.sit_down_stale(make_staff(role="admin"))

        self.assertContains(self.fill_in(colleague, email="mine@example.org"), ASKED)

        self.assertFalse(User.objects.filter(email="mine@example.org").exists())

    def test_what_gives_no_right_is_written_without(self) -> None:
        self.assertEqual(self.fill_in(self.student, first_name="Grace", track="AUS-NSW").status_code, 302)

        self.student.refresh_from_db()
        self.assertEqual((self.student.first_name, self.student.track), ("Grace", "AUS-NSW"))

    def test_an_admin_is_not_added_and_anybody_else_is(self) -> None:
        body = {"email": "mine@example.org", "first_name": "Eve", "last_name": "", "status": "active"}

        self.assertContains(self.client.post(ADD, {**body, "role": "admin"}), ASKED)
        self.assertFalse(User.objects.filter(email="mine@example.org").exists())

        self.client.post(ADD, {**body, "role": "student"})
        self.assertTrue(User.objects.filter(email="mine@example.org").exists())

    def test_the_link_proves_in_another_tab_and_the_form_is_then_saved(self) -> None:
        shown = self.fill_in(self.student, role="mentor").content.decode()
        link = shown.partition('href="/admin/confirm/')[2].partition('"')[0]
        url = f"{CONFIRM}{link.replace('&amp;', '&')}"
        self.client.post(url, {"do": "send"})
        self.assertEqual(mail.outbox[-1].to, [self.staff.email])

        response = self.client.post(url, {"do": "code", "code": site_mail().code}, follow=True)

        self.assertContains(response, "Close this tab")
        self.assertNotContains(response, "Send me a code")
        self.assertEqual(self.fill_in(self.student, role="mentor").status_code, 302)
        self.assertEqual(User.objects.get(pk=self.student.pk).role, "mentor")

    def test_that_last_page_says_so_to_nobody_else(self) -> None:
        self.assertContains(self.client.get(f"{CONFIRM}?done=1"), "Send me a code")


class SeveralTests(StaleCase):
    def status_of(self, person: User) -> str:
        return str(User.objects.get(pk=person.pk).status)

    def test_letting_in_and_suspending_ask_for_none(self) -> None:
        pending = make_user(status="pending")

        self.confirm("activate", pending)
        self.confirm("suspend", self.student)

        self.assertEqual((self.status_of(pending), self.status_of(self.student)), ("active", "inactive"))

    def test_letting_in_staff_or_admins_does(self) -> None:
        for person in (
            make_user(role="admin", status="pending"),
            make_user(is_staff=True, status="pending"),
            make_user(is_superuser=True, status="pending"),
        ):
            with self.subTest(person=person.email):
                said = self.confirm("activate", self.student, person)

                self.assertIn("Nothing has been done yet.", said[-1])
                self.assertEqual(self.status_of(person), "pending")


class DeskRightsTests(StaleCase):
    """What a desk may do, everybody who sits at it may."""

    def save(self, url: str, **fields: Any) -> Any:
        return self.client.post(url, {"name": "Front desk", **fields})

    def test_its_permissions_are_not_changed_and_its_name_is(self) -> None:
        permission, desk = Permission.objects.first(), PermissionGroup.objects.create(name="Desk")
        assert permission
        url = reverse("admin:auth_group_change", args=[desk.pk])

        self.assertContains(self.save(url, permissions=[permission.pk]), ASKED)
        self.assertFalse(desk.permissions.exists())

        self.save(url)
        desk.refresh_from_db()
        self.assertEqual(desk.name, "Front desk")


class ImportTests(ImportDeskCase):
    """A file says of people whatever their pages do: address, role and status."""

    def test_what_was_checked_is_written_after_a_proof_and_stays_till_then(self) -> None:
        rows = (["email", "role", "status"], ["mine@example.org", "admin", "active"])
        self.sit_down(make_superuser())
        batch = self.checked(*rows, change_role="on", change_address="on")
        make_stale(self.client)

        response = self.client.post(import_page("commit", batch))

        back = import_page("change", batch)
        self.assertEqual(response.headers["Location"], f"{CONFIRM}?next={back.replace('/', '%2F')}")
        self.assertFalse(User.objects.filter(email="mine@example.org").exists())
        batch.refresh_from_db()
        self.assertEqual(batch.state, PeopleImport.State.CHECKED)
        self.client.force_login(self.staff)
        self.press("commit", batch)
        self.assertTrue(User.objects.filter(email="mine@example.org", role="admin").exists())

    def test_sending_a_file_asks_for_none(self) -> None:
        make_stale(self.client)

        self.assertEqual(self.send(csv_of(["email"], ["a@example.org"])).status_code, 302)
