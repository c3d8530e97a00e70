"""What the admin site lets whom do with people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authentication.sessions import sign_out_everywhere
from core.models import AuditEvent
from core.roles import Role
from core.testing import context_of, undrawn
from users.access import LastAdmin
from users.models import JoinPermissionChange, SupervisorProfile, User, UserProfile
from users.services.accounts import change_account
from users.tests.factories import make_admin, make_link, make_superuser, make_user

LIST = reverse("admin:users_user_changelist")


def page(person: User) -> str:
    return reverse("admin:users_user_change", args=[person.pk])


def make_staff(**fields: Any) -> User:
    """Return somebody who may do with people whatever a permission can allow."""
    staff = make_user(is_staff=True, **fields)
    staff.user_permissions.set(Permission.objects.filter(content_type__app_label="users"))
    return staff


def open_sessions(person: User) -> int:
    return person.sessions.filter(revoked_at=None).count()


class DeskTestCase(TestCase):
    staff: User
    student: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.staff = make_superuser()
        cls.student = make_user(status=User.Status.ACTIVE)
        cls.student.sessions.create(expires_at=timezone.now() + timedelta(days=1))

    def setUp(self) -> None:
        self.sit_down(self.staff)

    def sit_down(self, staff: User) -> None:
        self.staff = staff
        self.client.force_login(staff)

    def form_of(self, person: User) -> dict[str, Any]:
        """Return what a browser sends of a person's page where nothing was changed."""
        shown = context_of(self.client, page(person))
        data = {
            name: "" if value is None else value for name, value in shown["adminform"].form.initial.items()
        }
        for inline in shown["inline_admin_formsets"]:
            prefix = inline.formset.prefix
            data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
        return data

    def fill_in(self, person: User, **fields: Any) -> Any:
        """Send a person's page as the browser does, with some fields changed."""
        return self.client.post(page(person), {**self.form_of(person), **fields})

    def choose(self, action: str, *people: User, **more: str) -> Any:
        """Tick people in the list and start an action on them."""
        ticked = [person.pk for person in people]
        return self.client.post(LIST, {"action": action, "_selected_action": ticked, **more}, follow=True)

    def confirm(self, action: str, *people: User, **more: str) -> list[str]:
        """Start an action, say yes, and return what is told, which stays: no page shows it."""
        with undrawn():
            response = self.choose(action, *people, post="yes", **more)
        return [str(message) for message in get_messages(response.wsgi_request)]


class SigningUpTests(DeskTestCase):
    def add(self, **fields: str) -> Any:
        data = {
            "first_name": "Ada",
            "last_name": "Lovelace",
            "role": "student",
            "status": "pending",
            **fields,
        }
        return self.client.post(reverse("admin:users_user_add"), data)

    def test_an_address_is_enough(self) -> None:
        self.add(email=" Ada@Example.ORG ")

        ada = User.objects.get(email="ada@example.org")
        self.assertEqual((ada.username, ada.has_usable_password()), ("ada@example.org", False))
        self.assertEqual((ada.profile.first_name, ada.profile.last_name), ("Ada", "Lovelace"))
        self.assertTrue(AuditEvent.objects.filter(action="user_created", object_id=ada.pk).exists())

    def test_an_address_in_another_spelling_is_the_same_person(self) -> None:
        make_user(email="ada@example.org")

        response = self.add(email="ADA@example.org")

        self.assertContains(response, "exists", status_code=200)


class ChangingPeopleTests(DeskTestCase):
    def test_a_change_of_rights_ends_sessions_and_is_recorded(self) -> None:
        self.assertEqual(self.fill_in(self.student, role=Role.MENTOR).status_code, 302)

        self.student.refresh_from_db()
        self.assertEqual((self.student.role, open_sessions(self.student)), (Role.MENTOR, 0))
        event = AuditEvent.objects.get(action="user_changed")
        self.assertEqual((event.actor_id, event.changes), (self.staff.pk, {"role": ["student", "mentor"]}))

    def test_a_pending_person_who_becomes_active_stays_signed_in(self) -> None:
        User.objects.filter(pk=self.student.pk).update(status=User.Status.PENDING)

        self.fill_in(self.student, status=User.Status.ACTIVE)

        self.student.refresh_from_db()
        self.assertEqual((self.student.status, open_sessions(self.student)), (User.Status.ACTIVE, 1))

    def test_a_new_address_is_normalised_becomes_the_username_and_stays_out_of_the_record(self) -> None:
        self.fill_in(self.student, email="New@Example.org")

        self.student.refresh_from_db()
        self.assertEqual((self.student.email, self.student.username), ("new@example.org",) * 2)
        self.assertEqual(open_sessions(self.student), 0)
        self.assertEqual(AuditEvent.objects.get(action="user_changed").changes, {"email": True})

    def test_a_new_name_reaches_the_profile_and_ends_no_session(self) -> None:
        self.fill_in(self.student, first_name="Grace")

        self.assertEqual(User.objects.get(pk=self.student.pk).profile.first_name, "Grace")
        self.assertEqual(open_sessions(self.student), 1)
        self.assertEqual(AuditEvent.objects.get(action="user_changed").changes, {"first_name": True})

    def test_nobody_changes_their_own_rights(self) -> None:
        self.fill_in(self.staff, is_superuser="", status="inactive", role="admin", email="new@example.org")

        before, self.staff = self.staff, User.objects.get(pk=self.staff.pk)
        self.assertTrue(self.staff.is_superuser)
        self.assertEqual((self.staff.status, self.staff.role), (before.status, before.role))

    def test_a_rule_that_says_no_is_told_on_the_page(self) -> None:
        """B24."""
        with patch("users.services.accounts.check_change", side_effect=LastAdmin):
            response = self.fill_in(self.student, track="x")

        shown = self.client.get(response.url).content.decode()
        self.assertIn("last active admin", shown)
        self.assertEqual(User.objects.get(pk=self.student.pk).track, "")

    def test_what_a_form_beside_the_account_changes_is_recorded_by_name(self) -> None:
        profile = UserProfile.objects.create(user=self.student)
        rows = {"profile-TOTAL_FORMS": 1, "profile-INITIAL_FORMS": 1, "profile-0-id": profile.pk}

        self.fill_in(self.student, **rows, **{"profile-0-user": self.student.pk, "profile-0-bio": "Secret."})

        profile.refresh_from_db()
        event = AuditEvent.objects.get()
        self.assertEqual((profile.bio, event.action), ("Secret.", "user_changed"))
        self.assertEqual(event.changes, {"bio": True})

    def test_a_check_that_is_verified_there_is_recorded_with_its_value(self) -> None:
        rows = {"supervisor_profile-TOTAL_FORMS": 1, "supervisor_profile-INITIAL_FORMS": 0}

        self.fill_in(self.student, **rows, **{"supervisor_profile-0-wwcc_verified": "on"})

        self.assertTrue(SupervisorProfile.objects.get(user=self.student).wwcc_verified)
        self.assertEqual(AuditEvent.objects.get().changes, {"wwcc_verified": [False, True]})

    def test_what_somebody_may_do_at_the_admin_site_is_recorded(self) -> None:
        permission = Permission.objects.first()
        assert permission

        self.fill_in(self.student, user_permissions=[permission.pk])

        self.assertEqual(AuditEvent.objects.get().changes, {"fields": ["User permissions"]})

    def test_several_people_are_erased_at_once(self) -> None:
        other = make_user()

        self.confirm("delete_selected", self.student, other, self.staff)

        self.assertEqual(User.objects.count(), 3)
        self.confirm("delete_selected", self.student, other)
        self.assertEqual(list(User.objects.all()), [self.staff])
        self.assertEqual(AuditEvent.objects.filter(action="user_deleted").count(), 2)

    def test_a_superuser_sets_a_password_and_it_is_recorded(self) -> None:
        url = reverse("admin:auth_user_password_change", args=[self.student.pk])
        words = {"password1": "four-words-long-enough", "password2": "four-words-long-enough"}

        self.client.post(url, {**words, "usable_password": "true"})

        self.assertTrue(User.objects.get(pk=self.student.pk).has_usable_password())
        self.assertEqual(AuditEvent.objects.get().changes, {"fields": ["password"]})

    def test_a_deleted_person_leaves_a_record_and_no_session(self) -> None:
        url = reverse("admin:users_user_delete", args=[self.student.pk])

        self.client.post(url, {"post": "yes"})

        self.assertFalse(User.objects.filter(pk=self.student.pk).exists())
        self.assertTrue(AuditEvent.objects.filter(action="user_deleted", object_id=self.student.pk).exists())


class StaffWhoAreNoSuperusersTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.sit_down(make_staff())

    def test_they_cannot_make_themselves_or_others_superusers_or_admins(self) -> None:
        for person in (self.staff, self.student):
            self.fill_in(
                person, is_superuser="on", is_staff="on", role="admin", user_permissions=[1], groups=[]
            )

            after = User.objects.get(pk=person.pk)
            with self.subTest(person=person):
                self.assertEqual((after.is_superuser, after.is_staff), (False, person.is_staff))
                self.assertEqual((after.role, after.user_permissions.filter(pk=1).count()), ("student", 0))

    def test_they_cannot_add_an_admin(self) -> None:
        data = {"email": "eve@example.org", "role": "admin", "status": "active"}

        self.client.post(reverse("admin:users_user_add"), data)

        self.assertEqual(User.objects.get(email="eve@example.org").role, Role.STUDENT)

    def test_they_cannot_reach_those_above_them(self) -> None:
        for person in (make_superuser(), make_admin(), make_staff()):
            with self.subTest(person=person):
                self.assertEqual(
                    self.client.post(page(person), {"email": "eve@example.org"}).status_code, 403
                )
                self.confirm("suspend", person)
                self.assertTrue(User.objects.get(pk=person.pk).may_enter)
                self.client.post(reverse("admin:users_user_delete", args=[person.pk]), {"post": "yes"})
                self.confirm("delete_selected", person)
                self.assertTrue(User.objects.filter(pk=person.pk).exists())

    def test_they_set_nobodys_password(self) -> None:
        url = reverse("admin:auth_user_password_change", args=[self.student.pk])

        self.assertEqual(self.client.get(url).status_code, 403)

    def test_they_change_a_student(self) -> None:
        self.fill_in(self.student, track="AUS-NSW")

        self.assertEqual(User.objects.get(pk=self.student.pk).track, "AUS-NSW")


class CheckTests(DeskTestCase):
    """A working-with-children check is verified by platform admins, at every door (B21)."""

    def verify(self) -> bool:
        rows = {"supervisor_profile-TOTAL_FORMS": 1, "supervisor_profile-INITIAL_FORMS": 0}
        sent = {"supervisor_profile-0-wwcc_number": "1", "supervisor_profile-0-wwcc_verified": "on"}
        self.fill_in(self.student, **rows, **sent)
        return SupervisorProfile.objects.get(user=self.student).wwcc_verified

    def test_a_desk_writes_the_number_and_verifies_nothing(self) -> None:
        self.sit_down(make_staff())

        self.assertFalse(self.verify())

    def test_a_platform_admin_at_the_desk_verifies(self) -> None:
        self.sit_down(make_staff(role="admin"))

        self.assertTrue(self.verify())


class SignedOutTests(DeskTestCase):
    def let_in(self) -> bool:
        with undrawn():
            return self.client.get(LIST).status_code == 200

    def test_who_signs_out_everywhere_is_out_of_the_admin_site_too(self) -> None:
        """SAFETY B18."""
        self.assertTrue(self.let_in())

        sign_out_everywhere(self.staff)

        self.assertFalse(self.let_in())

    def test_a_new_role_or_address_ends_it_and_a_new_name_does_not(self) -> None:
        clerk, admin = make_superuser(), make_superuser(role="admin")
        for account, stays in (
            ({"track": "x"}, True),
            ({"role": "mentor"}, False),
            ({"email": "new@example.org"}, False),
        ):
            clerk.refresh_from_db()
            self.sit_down(clerk)
            change_account(clerk, by=admin, account=account)
            with self.subTest(account=account):
                self.assertEqual(self.let_in(), stays)

    def test_signing_in_again_lets_in_again(self) -> None:
        sign_out_everywhere(self.staff)
        self.sit_down(User.objects.get(pk=self.staff.pk))

        self.assertTrue(self.let_in())


class SuspendingTests(DeskTestCase):
    def test_it_ends_sessions_and_says_how_many(self) -> None:
        texts = self.confirm("suspend", self.student, self.staff)

        self.student.refresh_from_db()
        self.assertEqual((self.student.may_enter, open_sessions(self.student)), (False, 0))
        self.assertTrue(User.objects.get(pk=self.staff.pk).may_enter)
        self.assertEqual([text.split()[0] for text in texts], ["1", "1"])

    def test_suspended_staff_are_out_of_the_admin_site_at_once(self) -> None:
        clerk = make_staff()
        self.confirm("suspend", clerk)

        self.client.force_login(clerk)

        self.assertEqual(self.client.get(LIST).status_code, 302)


class LinkTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.link = make_link(self.student, make_user(role=Role.SUPERVISOR))
        self.url = reverse("admin:users_studentsupervisor_change", args=[self.link.pk])

    def queries(self) -> int:
        with CaptureQueriesContext(connection) as captured:
            self.client.get(self.url)
        return len(captured)

    def decide(self, times: int) -> None:
        for _ in range(times):
            JoinPermissionChange.objects.create(
                link=self.link, granted=True, decided_by=make_user(), capacity="adult"
            )

    def test_its_page_costs_the_same_however_often_it_was_decided(self) -> None:
        self.decide(1)
        self.queries()
        few = self.queries()
        self.decide(9)

        self.assertEqual(self.queries(), few)

    def test_its_permission_is_not_written_here(self) -> None:
        self.client.post(self.url, {"join_permission_granted": "on"})

        self.link.refresh_from_db()
        self.assertFalse(self.link.join_permission_granted)

    def test_only_who_may_be_linked_is_linked(self) -> None:
        mentor = make_user(role=Role.MENTOR)
        for student, adult, status in (
            (mentor, self.link.supervisor, 200),
            (self.student, make_user(), 200),
            (self.student, mentor, 302),
        ):
            with self.subTest(student=student.role, adult=adult.role):
                data = {"student": student.pk, "supervisor": adult.pk, "relationship_type": "mentor"}
                none = {"permission_changes-TOTAL_FORMS": 0, "permission_changes-INITIAL_FORMS": 0}
                response = self.client.post(
                    reverse("admin:users_studentsupervisor_add"), {**data, **none, "notes": ""}
                )
                self.assertEqual(response.status_code, status)

    def test_every_write_is_recorded(self) -> None:
        none = {"permission_changes-TOTAL_FORMS": 0, "permission_changes-INITIAL_FORMS": 0}
        self.client.post(self.url, {"relationship_type": "mentor", "notes": "x", **none})
        self.client.post(
            reverse("admin:users_studentsupervisor_delete", args=[self.link.pk]), {"post": "yes"}
        )

        events = AuditEvent.objects.filter(object_id=self.link.pk).order_by("id")
        self.assertEqual(
            [(event.action, event.actor_id) for event in events],
            [("link_changed", self.staff.pk), ("link_deleted", self.staff.pk)],
        )
