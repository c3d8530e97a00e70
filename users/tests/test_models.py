"""What the tables themselves guarantee, and rows made by hand (CONTRACT 16, D28)."""

from __future__ import annotations

from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.test import SimpleTestCase, TestCase

from core.roles import Role
from core.testing import count_rows_anew
from users.models import JoinPermissionChange, StudentSupervisor, SupervisorProfile, User, UserProfile
from users.tests.factories import make_link, make_user

LONG = f"{'a' * 60}@{'.'.join(['b' * 60] * 3)}.org"


class AddressColumnTests(TestCase):
    def test_two_accounts_cannot_differ_by_case_alone(self) -> None:
        """B13, B108: the database says so, whatever the code does."""
        User.objects.create(username="one", email="Ada@Example.org")
        for address in ("ada@example.org", "ADA@EXAMPLE.ORG", "Ada@Example.org"):
            with self.subTest(address), self.assertRaises(IntegrityError), transaction.atomic():
                User.objects.bulk_create([User(username=address, email=address)])

    def test_an_account_is_found_whatever_its_stored_case(self) -> None:
        """B13."""
        user = User.objects.create(username="one", email="Ada@Example.ORG")

        self.assertEqual(User.objects.with_address("ada@example.org").get(), user)
        self.assertEqual(User.objects.get_by_natural_key("ADA@example.org"), user)

    def test_the_lookup_uses_the_unique_index(self) -> None:
        people = (User(username=f"p{n}", email=f"p{n}@example.org") for n in range(2000))
        User.objects.bulk_create(people)
        count_rows_anew(User)
        plan = str(User.objects.with_address("ada@example.org").explain())

        self.assertIn("user_email_unique_ignoring_case", plan)


class CreateTests(TestCase):
    def test_an_address_alone_makes_a_pending_student(self) -> None:
        user = User.objects.create_user(email="ada@example.org")

        self.assertEqual((user.username, user.role, user.status), ("ada@example.org", "student", "pending"))
        self.assertEqual((user.is_active, user.is_staff, user.is_superuser), (True, False, False))
        self.assertFalse(user.has_usable_password())

    def test_abstract_users_signature_still_works(self) -> None:
        user = User.objects.create_user("ada", "ada@example.org", "secret", role=Role.MENTOR, track="AUS")

        self.assertEqual((user.username, user.role, user.track), ("ada", "mentor", "AUS"))
        self.assertTrue(user.check_password("secret"))

    def test_a_superuser_needs_an_address_alone(self) -> None:
        user = User.objects.create_superuser(email="root@example.org", password="secret")

        self.assertEqual(
            (user.is_staff, user.is_superuser, user.is_platform_admin, user.username),
            (True, True, True, "root@example.org"),
        )

    def test_a_long_address_gets_a_short_username(self) -> None:
        """B14."""
        user = User.objects.create_user(email=LONG)

        self.assertGreater(len(LONG), 150)
        self.assertEqual((user.email, len(user.username)), (LONG, 150))

    def test_saving_an_account_makes_no_profile(self) -> None:
        """D28."""
        make_user()

        self.assertFalse(UserProfile.objects.exists() or SupervisorProfile.objects.exists())

    def test_rows_need_no_more_than_the_contract_says(self) -> None:
        student, adult = make_user(), make_user()
        profile = UserProfile.objects.create(user=student)
        supervisor_profile = SupervisorProfile.objects.create(user=adult)
        link = StudentSupervisor.objects.create(student=student, supervisor=adult)

        self.assertEqual((profile.areas_of_interest, profile.year_level), ([], None))
        self.assertEqual((supervisor_profile.wwcc_verified, link.relationship_type), (False, "supervisor"))
        self.assertEqual(
            [str(row) for row in (profile, supervisor_profile, link)],
            [
                f"Profile of {student.pk}",
                f"Supervisor profile of {adult.pk}",
                f"{student.pk} - {adult.pk} (supervisor)",
            ],
        )


class ConstraintTests(TestCase):
    def refused(self, **row: Any) -> Any:
        return self.assertRaises((IntegrityError, DataError))

    def test_a_year_is_0_to_20_or_unknown(self) -> None:
        """B28."""
        user = make_user()
        for year in (-1, 21, 2**31):
            with self.subTest(year), self.refused(), transaction.atomic():
                UserProfile.objects.create(user=user, year_level=year)
        for known in (None, 0, 20):
            with self.subTest(known):
                UserProfile.objects.create(user=make_user(), year_level=known)

    def test_a_link_is_there_once_for_each_kind(self) -> None:
        student, adult = make_user(), make_user()
        make_link(student, adult)
        make_link(student, adult, relationship_type="guardian")

        with self.refused(), transaction.atomic():
            make_link(student, adult)

    def test_nobody_looks_after_themselves(self) -> None:
        user = make_user()

        with self.refused(), transaction.atomic():
            make_link(user, user)

    def test_what_a_person_leaves_goes_with_them_save_their_decisions_about_others(self) -> None:
        student, adult, admin = make_user(), make_user(), make_user()
        link = make_link(student, adult, granted_by=admin)
        JoinPermissionChange.objects.create(link=link, granted=True, decided_by=admin, capacity="admin")
        admin.delete()
        link.refresh_from_db()

        self.assertIsNone(link.granted_by)
        self.assertEqual(link.permission_changes.count(), 1)
        student.delete()
        self.assertFalse(StudentSupervisor.objects.exists())


class WhoTests(SimpleTestCase):
    def test_admins_are_by_role_or_superusers(self) -> None:
        cases = [("student", False, False), ("mentor", False, False), ("supervisor", False, False)]
        cases += [("admin", False, True), ("student", True, True)]
        for role, superuser, expected in cases:
            with self.subTest(role=role, superuser=superuser):
                user = User(role=role, is_superuser=superuser, is_staff=True)
                self.assertEqual(user.is_platform_admin, expected)

    def test_the_gate_asks_status_and_activity(self) -> None:
        """B8."""
        cases = [("active", True, True), ("pending", True, True), ("inactive", True, False)]
        cases += [("active", False, False), ("pending", False, False), ("inactive", False, False)]
        for status, is_active, expected in cases:
            with self.subTest(status=status, is_active=is_active):
                self.assertEqual(User(status=status, is_active=is_active).may_enter, expected)

    def test_a_name_is_what_is_known_of_it(self) -> None:
        """B34: to others, never the address."""
        cases = [
            ("Ada", "Lovelace", "Ada Lovelace", "Ada Lovelace"),
            ("Ada", "", "Ada", "Ada"),
            ("", "Lovelace", "Lovelace", "Lovelace"),
            ("", "", "ada@example.org", "Student 7"),
        ]
        for first, last, name, display_name in cases:
            with self.subTest(first=first, last=last):
                user = User(pk=7, first_name=first, last_name=last, email="ada@example.org")
                self.assertEqual((user.name, user.display_name, str(user)), (name, display_name, name))
