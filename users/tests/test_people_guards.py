"""Nobody reaches above themselves, nobody shuts themselves out, and one admin stays (B23, B24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.test import TestCase, TransactionTestCase, skipUnlessDBFeature
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from core.refusals import Forbidden, SignedOut
from core.testing import in_parallel
from users.access import LastAdmin, NotYours, check_change, check_removal
from users.models import StudentSupervisor, User, UserProfile
from users.services.accounts import change_account, create_account, update_account
from users.services.erasure import erase_person
from users.services.links import change_link, decide_join_permission, link_people, unlink
from users.tests.factories import make_admin, make_link, make_superuser, make_user
from users.tests.test_people import page_of, status_of

if TYPE_CHECKING:
    from collections.abc import Callable

WRITES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("put", {"email": "evil@example.org"}),
    ("patch", {"track": "x"}),
    ("patch", {"role": "student"}),
    ("patch", {"profile": {"bio": "x"}}),
    ("delete", {}),
)
DEMOTIONS = ({"role": "mentor"}, {"status": "inactive"})


def attempt(client: Any, method: str, url: str, body: Any) -> Any:
    return getattr(client, method)(url, body, format="json")


class SuperuserTests(TestCase):
    def setUp(self) -> None:
        self.superuser = make_superuser()
        self.before = User.objects.filter(pk=self.superuser.pk).values().get()

    def test_an_admin_may_do_nothing_to_a_superuser(self) -> None:
        """B23."""
        client = signed_in_client(make_admin())
        attempts = [(method, page_of(self.superuser), body) for method, body in WRITES]
        attempts.append(("put", status_of(self.superuser), {"status": "inactive"}))

        for method, url, body in attempts:
            with self.subTest(method=method, body=body):
                response = attempt(client, method, url, body)
                self.assertEqual(response.status_code, 403)
                self.assertTrue(response.json()["error"])
        self.assertEqual(User.objects.filter(pk=self.superuser.pk).values().get(), self.before)

    def test_a_superuser_changes_another_and_deletes_none(self) -> None:
        client = signed_in_client(make_superuser())

        self.assertEqual(attempt(client, "patch", page_of(self.superuser), {"track": "x"}).status_code, 200)
        self.assertEqual(client.delete(page_of(self.superuser)).status_code, 403)


class OwnAccountTests(TestCase):
    def test_admins_neither_demote_suspend_nor_delete_themselves(self) -> None:
        """B24."""
        make_admin()
        for admin in (make_admin(), make_superuser(role="admin")):
            client = signed_in_client(admin)
            suspension = ("put", status_of(admin), {"status": "inactive"})
            deletion: Any = ("delete", page_of(admin), {})
            for method, url, body in (
                suspension,
                ("patch", page_of(admin), {"status": "inactive"}),
                deletion,
            ):
                with self.subTest(admin=admin.is_superuser, method=method):
                    response = attempt(client, method, url, body)
                    self.assertEqual(response.status_code, 400)
                    self.assertEqual(response.json()["code"], "own_account")

    def test_an_admin_does_not_give_up_the_role(self) -> None:
        """B24."""
        admin = make_admin()
        make_admin()

        response = attempt(signed_in_client(admin), "patch", page_of(admin), {"role": "student"})

        self.assertEqual((response.status_code, response.json()["code"]), (400, "own_account"))

    def test_they_change_the_rest_of_themselves(self) -> None:
        admin = make_admin()
        client = signed_in_client(admin)

        response = attempt(client, "patch", page_of(admin), {"track": "x", "profile": {"firstName": "A"}})

        self.assertEqual((response.status_code, response.json()["name"]), (200, "A"))


class LastAdminTests(TestCase):
    def test_an_admin_demotes_another_while_one_stays(self) -> None:
        for change in DEMOTIONS:
            with self.subTest(change=change):
                response = attempt(
                    signed_in_client(make_admin()), "patch", page_of(make_admin()), dict(change)
                )
                self.assertEqual(response.status_code, 200)

    def test_the_rule_itself_keeps_the_last_one_whoever_asks(self) -> None:
        """B24. Over the API the one who asks is an admin too, and keeps what they are."""
        last, by = make_admin(), make_superuser()

        for change in DEMOTIONS:
            with self.subTest(change=change):
                with self.assertRaises(LastAdmin):
                    check_change(last, dict(change), by=by, admins=[last])
                check_change(last, dict(change), by=by, admins=[last, by])
        with self.assertRaises(LastAdmin):
            check_removal(last, by=by, admins=[last])

    def test_for_an_active_admin_another_active_one_must_stay(self) -> None:
        """B24. A pending one may never have signed in."""
        active, pending = make_admin(), make_user(role="admin")
        client = signed_in_client(pending)

        for change in DEMOTIONS:
            with self.subTest(change=change):
                response = attempt(client, "patch", page_of(active), dict(change))
                self.assertEqual((response.status_code, response.json()["code"]), (400, "last_admin"))
        self.assertEqual(attempt(client, "delete", page_of(active), {}).status_code, 400)
        check_change(pending, {"role": "mentor"}, by=active, admins=[pending, make_user(role="admin")])

    def test_one_who_has_lost_the_role_a_moment_ago_takes_it_from_nobody(self) -> None:
        """B24."""
        for loss in ({"role": "mentor"}, {"status": "inactive"}, {"is_active": False}):
            person, by = make_admin(), make_admin()
            User.objects.filter(pk=by.pk).update(**loss)

            with self.subTest(loss=loss):
                with self.assertRaises((Forbidden, SignedOut)):
                    change_account(person, by=by, account={"role": "student"})
                with self.assertRaises((Forbidden, SignedOut)):
                    erase_person(person, by=by)


class LateWriteTests(TestCase):
    """A request that was let in before its sender lost their rights, and whose body arrives after."""

    def attempts(self, by: User) -> dict[str, Callable[[], object]]:
        student, adult = make_user(), make_user(role="supervisor")
        link = make_link(student, make_user(role="mentor"))
        values = {"student": student, "supervisor": adult, "relationship_type": "guardian"}
        return {
            "create": lambda: create_account(by=by, account={"email": "eve@example.org", "role": "admin"}),
            "change": lambda: change_account(student, by=by, account={"role": "admin"}),
            "erase": lambda: erase_person(student, by=by),
            "link": lambda: link_people(by=by, granted=True, **values),
            "change link": lambda: change_link(link, by=by, values={"notes": "x"}, granted=True),
            "decide": lambda: decide_join_permission(link, by=by, granted=True),
            "unlink": lambda: unlink(link, by=by),
        }

    def refused(self, by: User, kind: type[Exception]) -> None:
        tries = self.attempts(by)
        before = list(User.objects.values().order_by("pk"))
        for name, attempt_it in tries.items():
            with self.subTest(name, kind=kind), self.assertRaises(kind):
                attempt_it()
        self.assertEqual(list(User.objects.values().order_by("pk")), before)
        self.assertFalse(StudentSupervisor.objects.filter(join_permission_granted=True).exists())

    def test_nothing_is_written_by_who_was_suspended_demoted_or_erased_since(self) -> None:
        """B8, B23: each service reads who acts again, with the row held."""
        for loss, kind in (
            ({"status": "inactive"}, SignedOut),
            ({"is_active": False}, SignedOut),
            ({"role": "student"}, Forbidden),
        ):
            by = make_admin()
            User.objects.filter(pk=by.pk).update(**loss)
            self.refused(by, kind)
        gone = make_admin()
        User.objects.filter(pk=gone.pk).delete()
        self.refused(gone, SignedOut)

    def test_who_was_a_superuser_a_moment_ago_reaches_no_superuser(self) -> None:
        """B23."""
        by, target = make_superuser(role="admin"), make_superuser()
        User.objects.filter(pk=by.pk).update(is_superuser=False)

        with self.assertRaises(NotYours):
            change_account(target, by=by, account={"email": "evil@example.org"})

    def test_nobody_writes_their_own_document_after_suspension_or_erasure(self) -> None:
        suspended, erased = make_user(), make_user()
        User.objects.filter(pk=suspended.pk).update(status="inactive")
        User.objects.filter(pk=erased.pk).delete()

        for person in (suspended, erased):
            with self.assertRaises(SignedOut):
                update_account(person, profile={"bio": "x"})
        self.assertFalse(UserProfile.objects.exists())

    def test_over_the_api_that_is_a_401(self) -> None:
        person = make_user()
        client = signed_in_client(person)

        def suspend(*args: Any, **kwargs: Any) -> Any:
            User.objects.filter(pk=person.pk).update(status="inactive")
            return update_account(*args, **kwargs)

        with patch("users.views.me.update_account", side_effect=suspend):
            response = client.put(reverse("users:me"), {"track": "x"}, format="json")

        self.assertEqual((response.status_code, response.json()["code"]), (401, "token_not_valid"))


@skipUnlessDBFeature("has_select_for_update")
class RaceTests(TransactionTestCase):
    """Two admins turn on each other at the same moment: one is left, in every round."""

    def duel(self, method: str, body: dict[str, Any], *, path: Any) -> tuple[list[int], int]:
        pair = [make_admin(), make_admin()]
        clients = [signed_in_client(admin) for admin in pair]
        answers = in_parallel(lambda n: attempt(clients[n], method, path(pair[1 - n]), body), 2)
        left = User.objects.filter(User.ADMINS, is_active=True).exclude(status="inactive").count()
        User.objects.all().delete()
        return sorted(answer.status_code for answer in answers), left

    def test_demoting_suspending_and_deleting_each_other(self) -> None:
        """B24."""
        for method, body, path in (
            ("patch", {"role": "mentor"}, page_of),
            ("put", {"status": "inactive"}, status_of),
            ("delete", {}, page_of),
        ):
            for number in range(3):
                with self.subTest(method=method, body=body, round=number):
                    statuses, left = self.duel(method, body, path=path)
                    self.assertEqual(left, 1)
                    self.assertIn(statuses[0], (200, 204))
                    self.assertIn(statuses[1], (400, 401, 403, 404))

    def test_one_address_for_two_new_people_goes_to_one(self) -> None:
        client_of = [signed_in_client(make_admin()) for _ in range(8)]

        answers = in_parallel(
            lambda n: attempt(
                client_of[n], "post", reverse("admin_panel:user-list"), {"email": "ada@example.org"}
            ),
            8,
        )

        self.assertEqual(sorted(answer.status_code for answer in answers), [201, *[400] * 7])
