"""Accounts are made once, and end everywhere at once."""

from __future__ import annotations

from collections import Counter
from unittest import skipUnless
from unittest.mock import patch

from django.db import connection
from django.test import TestCase, TransactionTestCase

from authentication.models import SignInSession
from authentication.sessions import open_session
from core.models import AuditEvent
from core.registry import access_ended
from core.testing import in_parallel
from users.models import User, UserProfile
from users.services.accounts import change_status, provision_user
from users.tests.factories import make_admin, make_user


class ProvisionTests(TestCase):
    def test_a_new_address_becomes_a_pending_student_with_an_empty_profile(self) -> None:
        """B12, B27."""
        user, is_new = provision_user("ada@example.org")

        self.assertTrue(is_new)
        self.assertEqual((user.email, user.username), ("ada@example.org", "ada@example.org"))
        self.assertEqual((user.role, user.status, user.has_usable_password()), ("student", "pending", False))
        self.assertEqual(user.profile.areas_of_interest, [])

    def test_a_known_address_is_that_account_as_it_is(self) -> None:
        """B13."""
        known = User.objects.create(username="x", email="Ada@Example.org", role="mentor", status="active")

        self.assertEqual(provision_user("ada@example.org"), (known, False))
        self.assertFalse(UserProfile.objects.exists())

    def test_a_username_that_is_taken_is_no_obstacle(self) -> None:
        """B14."""
        make_user(username="ada@example.org", email="somebody@example.org")

        user, is_new = provision_user("ada@example.org")

        self.assertTrue(is_new)
        self.assertTrue(user.username.startswith("ada@example.org-"))

    def test_an_address_longer_than_a_username_signs_in(self) -> None:
        """B14."""
        address = f"{'a' * 64}@{'.'.join(['b' * 60] * 3)}"[:254]

        self.assertEqual(provision_user(address)[0].email, address)
        self.assertEqual(provision_user(address)[1], False)


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class ProvisionRaceTests(TransactionTestCase):
    def test_first_sign_ins_at_once_are_one_person(self) -> None:
        """B13, B14."""
        for number in range(5):
            address = f"ada{number}@example.org"
            results = in_parallel(lambda _, address=address: provision_user(address), 8)  # type: ignore[misc]

            self.assertEqual(Counter(is_new for _, is_new in results), {True: 1, False: 7})
            self.assertEqual(len({user.pk for user, _ in results}), 1)
            self.assertEqual(UserProfile.objects.filter(user__email=address).count(), 1)


class StatusTests(TestCase):
    def test_suspension_ends_what_the_person_holds_in_every_app(self) -> None:
        """B8, B10."""
        user = make_user(status="active")
        ended: list[User] = []
        open_session(user, user_agent="")
        with patch.dict(access_ended.entries, {"test": ended.append}):
            changed = change_status(user, status="inactive", by=make_admin())

        self.assertEqual((changed.status, changed.may_enter, ended), ("inactive", False, [user]))
        self.assertFalse(SignInSession.objects.live().exists())

    def test_other_changes_end_nothing(self) -> None:
        user = make_user()
        ended: list[User] = []
        with patch.dict(access_ended.entries, {"test": ended.append}):
            change_status(user, status="active", by=make_admin())

        self.assertEqual(ended, [])

    def test_it_is_recorded_with_both_values(self) -> None:
        user, admin = make_user(status="active"), make_admin()
        change_status(user, status="inactive", by=admin)

        event = AuditEvent.objects.get(action="user_changed")
        self.assertEqual((event.actor_id, event.object_id), (admin.pk, str(user.pk)))
        self.assertEqual(event.changes, {"status": ["active", "inactive"]})
