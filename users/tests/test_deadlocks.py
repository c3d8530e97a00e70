"""Writers that meet on the same people take their locks in one order: nobody is turned away by a deadlock."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest import skipUnless

from django.db import DatabaseError, connection
from django.test import TransactionTestCase

from authentication.sessions import open_session, refresh_session
from core.testing import in_parallel
from users.models import User, UserProfile
from users.services.accounts import change_account, update_account
from users.services.erasure import erase_person
from users.services.links import decide_join_permission
from users.tests.factories import make_admin, make_link, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 12


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: nobody waits for two locks there.")
class DeadlockTests(TransactionTestCase):
    def setUp(self) -> None:
        self.admin = make_admin()

    def meet(self, *calls: Callable[[], object]) -> None:
        """Run the calls at once; a refusal by a rule is fine, one by the database is not."""
        results = in_parallel(lambda n: calls[n](), len(calls))

        self.assertEqual([result for result in results if isinstance(result, DatabaseError)], [])

    def test_erasing_somebody_who_decides_about_a_link(self) -> None:
        for _ in range(ROUNDS):
            student, adult = make_user(), make_user(role="supervisor")
            link = make_link(student, adult)
            self.meet(
                lambda link=link, adult=adult: decide_join_permission(link, by=adult, granted=True),  # type: ignore[misc]
                lambda student=student: erase_person(student, by=self.admin),  # type: ignore[misc]
            )
            self.assertFalse(User.objects.filter(pk=student.pk).exists())

    def test_erasing_somebody_who_refreshes(self) -> None:
        for _ in range(ROUNDS):
            person = make_user()
            pair = open_session(person, user_agent="")
            self.meet(
                lambda pair=pair: refresh_session(pair.refresh),  # type: ignore[misc]
                lambda person=person: erase_person(person, by=self.admin),  # type: ignore[misc]
            )
            self.assertFalse(User.objects.filter(pk=person.pk).exists())

    def test_erasing_two_people_who_name_each_other(self) -> None:
        for _ in range(4):  # without the locks each of them fails
            pair = [make_user(), make_user()]
            for person, other in (pair, pair[::-1]):
                UserProfile.objects.create(user=person, guardian_email=other.email)
            others = [make_admin(), self.admin]
            results = in_parallel(lambda n, p=pair, by=others: erase_person(p[n], by=by[n]), 2)  # type: ignore[misc]

            self.assertEqual(results, [None, None])

    def test_two_admins_who_change_the_same_people_the_other_way_round(self) -> None:
        admins, people = [self.admin, make_admin()], [make_user(), make_user(role="admin", status="active")]

        def change(number: int) -> None:
            for person in people if number % 2 else people[::-1]:
                change_account(person, by=admins[number % 2], account={"track": f"T{number}"})

        self.assertEqual(in_parallel(change, 4), [None] * 4)

    def test_somebody_who_saves_their_profile_while_an_admin_does(self) -> None:
        person = make_user()

        def save(number: int) -> None:
            if number % 2:
                update_account(person, profile={"bio": "mine"})
            else:
                change_account(person, by=self.admin, profile={"bio": "theirs"})

        self.assertEqual(in_parallel(save, 6), [None] * 6)
