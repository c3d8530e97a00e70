"""People and links that are sent again with the same ``Idempotency-Key`` (B34)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch

from django.db import connection
from django.test import TestCase, TransactionTestCase
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from core.models import AuditEvent, IdempotentWrite
from core.testing import in_parallel
from users.models import StudentSupervisor, User
from users.services.accounts import create_account
from users.services.erasure import erase_person
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

PEOPLE, LINKS = reverse("admin_panel:user-list"), reverse("admin_panel:student-supervisors-list")
ADA = {"email": "ada@example.org", "profile": {"firstName": "Ada"}}


def send(client: APIClient, url: str, body: Any, key: str = "k-1") -> Any:
    return client.post(url, body, format="json", headers={"Idempotency-Key": key})


class RetriedWriteTests(TestCase):
    def setUp(self) -> None:
        self.admin, self.student, self.adult = make_admin(), make_user(), make_user(role="supervisor")
        self.client: APIClient = signed_in_client(self.admin)
        link = {"studentId": self.student.pk, "supervisorId": self.adult.pk, "relationshipType": "guardian"}
        self.bodies: dict[str, dict[str, Any]] = {PEOPLE: ADA, LINKS: link}

    def test_a_repeat_answers_with_the_same_row_and_is_recorded_once(self) -> None:
        for url, action in ((PEOPLE, "user_created"), (LINKS, "link_created")):
            with self.subTest(url=url):
                first, again = (send(self.client, url, self.bodies[url], url) for _ in range(2))

                self.assertEqual((first.status_code, again.status_code), (201, 201))
                self.assertEqual(again.json(), first.json())
                self.assertEqual(again.headers["Idempotent-Replayed"], "true")
                self.assertEqual(AuditEvent.objects.filter(action=action).count(), 1)

    def test_a_repeat_with_another_body_is_refused(self) -> None:
        for url, other in ((PEOPLE, {"email": "bob@example.org"}), (LINKS, {"relationshipType": "mentor"})):
            with self.subTest(url=url):
                send(self.client, url, self.bodies[url], url)
                answer = send(self.client, url, {**self.bodies[url], **other}, url)

                self.assertEqual((answer.status_code, answer.json()["code"]), (422, "idempotency_key_reused"))

    def test_the_same_key_at_the_other_address_is_refused(self) -> None:
        send(self.client, PEOPLE, ADA)

        self.assertEqual(send(self.client, LINKS, self.bodies[LINKS]).status_code, 422)

    def test_a_taken_address_is_mended_with_the_same_key(self) -> None:
        make_user(email="ada@example.org")

        refused, mended = (send(self.client, PEOPLE, {"email": f"{n}@example.org"}) for n in ("ada", "eve"))

        self.assertEqual((refused.status_code, mended.status_code), (400, 201))
        self.assertEqual(User.objects.get(pk=mended.json()["id"]).email, "eve@example.org")

    def test_another_admin_with_the_same_key_is_told_of_the_address(self) -> None:
        send(self.client, PEOPLE, ADA)

        self.assertEqual(send(signed_in_client(make_admin()), PEOPLE, ADA).status_code, 400)

    def test_a_person_who_was_erased_since_is_not_made_again(self) -> None:
        first = send(self.client, PEOPLE, ADA)
        self.client.delete(reverse("admin_panel:user-detail", args=[first.json()["id"]]))

        self.assertEqual(send(self.client, PEOPLE, ADA).status_code, 404)
        self.assertFalse(User.objects.with_address("ada@example.org").exists())

    def test_an_admin_who_lost_the_role_repeats_nothing(self) -> None:
        send(self.client, PEOPLE, ADA)
        User.objects.filter(pk=self.admin.pk).update(role="mentor")

        self.assertEqual(send(self.client, PEOPLE, ADA).status_code, 403)

    def test_an_admin_who_lost_the_role_meanwhile_leaves_no_key(self) -> None:
        def demote(**kwargs: Any) -> User:
            User.objects.filter(pk=self.admin.pk).update(role="mentor")
            return create_account(**kwargs)

        with patch("users.views.people.create_account", side_effect=demote):
            self.assertEqual(send(self.client, PEOPLE, ADA).status_code, 403)

        self.assertFalse(IdempotentWrite.objects.exists())


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class ParallelTests(TransactionTestCase):
    def send_at_once(self, url: str, body: Any) -> list[Any]:
        admin = make_admin()
        clients = [signed_in_client(admin) for _ in range(20)]

        return in_parallel(lambda n: send(clients[n], url, body), 20)

    def test_20_at_once_make_one_person(self) -> None:
        answers = self.send_at_once(PEOPLE, ADA)

        ada = User.objects.with_address("ada@example.org").get()
        self.assertEqual(
            [(answer.status_code, answer.json()["id"]) for answer in answers], [(201, ada.pk)] * 20
        )
        self.assertEqual(AuditEvent.objects.filter(action="user_created").count(), 1)

    def test_an_admin_who_is_erased_at_that_moment_has_added_somebody_or_is_signed_out(self) -> None:
        eraser = make_admin()
        for number in range(12):
            admin = make_admin()
            client, body = signed_in_client(admin), {"email": f"new{number}@example.org"}
            calls: list[Callable[[], Any]] = [
                partial(send, client, PEOPLE, body),
                partial(erase_person, admin, by=eraser),
            ]
            answer, erased = in_parallel(lambda n, calls=calls: calls[n](), 2)  # type: ignore[misc]

            self.assertIsNone(erased)
            self.assertIn(answer.status_code, (201, 401))
        self.assertFalse(IdempotentWrite.objects.exists())

    def test_20_at_once_make_one_link(self) -> None:
        student, adult = make_user(), make_user(role="supervisor")
        body = {"studentId": student.pk, "supervisorId": adult.pk, "relationshipType": "guardian"}

        answers = self.send_at_once(LINKS, {**body, "joinPermissionGranted": True})

        link = StudentSupervisor.objects.get()
        self.assertEqual(
            [(answer.status_code, answer.json()["id"]) for answer in answers], [(201, link.pk)] * 20
        )
        self.assertEqual(link.permission_changes.count(), 1)
