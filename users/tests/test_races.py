"""What must hold when two requests of one person, or of two, arrive at once."""

from __future__ import annotations

from typing import Any
from unittest import skipUnless

from django.db import connection
from django.test import TransactionTestCase

from core.testing import in_parallel
from users.models import JoinPermissionChange, StudentSupervisor, SupervisorProfile, User, UserProfile
from users.services.accounts import update_account
from users.services.links import decide_join_permission
from users.tests.factories import make_link, make_user


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class RaceTests(TransactionTestCase):
    def test_first_saves_at_once_make_one_profile_and_lose_no_field(self) -> None:
        """B27."""
        user = make_user()
        fields = ["bio", "country", "region", "school_name"] * 2

        def save(number: int) -> Any:
            profile = {fields[number]: "x"}
            return update_account(user, profile=profile, supervisor_profile={"organization": "Lab"})

        self.assertEqual(in_parallel(save, 8), [None] * 8)

        row = UserProfile.objects.get()
        self.assertEqual({getattr(row, name) for name in fields}, {"x"})
        self.assertEqual(SupervisorProfile.objects.count(), 1)

    def test_one_decision_sent_eight_times_is_recorded_once(self) -> None:
        """B22."""
        link = make_link(make_user(), make_user())
        adult = link.supervisor

        results = in_parallel(lambda _: decide_join_permission(link, by=adult, granted=True), 8)

        self.assertTrue(all(isinstance(result, StudentSupervisor) for result in results), results)
        self.assertEqual(JoinPermissionChange.objects.count(), 1)

    def test_both_ends_at_once_leave_the_history_and_the_flag_agreed(self) -> None:
        """SAFETY B20."""
        link = make_link(make_user(), make_user())
        ends: list[User] = [link.student, link.supervisor]

        in_parallel(lambda n: decide_join_permission(link, by=ends[n % 2], granted=n < 4), 8)

        link.refresh_from_db()
        last = link.permission_changes.order_by("id").last()
        assert last is not None
        self.assertEqual((link.join_permission_granted, link.granted_by), (last.granted, last.decided_by))
        self.assertEqual(link.join_permission_granted_at is not None, last.granted)
