"""People are told when somebody else lets them in, approves them or suspends them: once for each change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core import mail
from django.db import transaction
from django.test import Client, TestCase, override_settings
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from core.mail import Reader
from core.models import Delivery, Notice
from core.notifications.fanout import fan_out_next
from core.notifications.kinds import Told
from users.letters import ACCOUNT_STATUS
from users.services.accounts import (
    change_account,
    change_status,
    create_account,
    provision_user,
    update_account,
)
from users.services.erasure import erase_person
from users.tests.factories import make_admin, make_superuser, make_user
from users.tests.importing import ImportTestCase

if TYPE_CHECKING:
    from users.models import User

SUBJECTS = {
    "approved": "Your BIOTech Futures Hub account has been approved",
    "suspended": "Your BIOTech Futures Hub account is not active at the moment",
    "reopened": "Your BIOTech Futures Hub account is open again",
}


def told() -> list[str]:
    """Return what was told of, oldest first."""
    notices = Notice.objects.filter(kind="account_status").order_by("pk")
    return [notice.data["change"] for notice in notices]


@override_settings(PROGRAMME_NAME="BIOTech Futures Hub", FRONTEND_BASE_URL="https://hub.example.org")
class StatusMailTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()

    def change(self, person: User, **account: Any) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            change_account(person, by=self.admin, account=account)

    def test_each_change_that_is_felt_is_mailed_and_stands_in_the_inbox(self) -> None:
        cases = (
            ("pending", "active", "approved"),
            ("active", "inactive", "suspended"),
            ("pending", "inactive", "suspended"),
            ("inactive", "active", "reopened"),
            ("inactive", "pending", "reopened"),
        )
        for before, after, change in cases:
            with self.subTest(before=before, after=after):
                person = make_user(status=before)
                mail.outbox.clear()
                self.change(person, status=after)

                self.assertEqual(
                    [(m.to, m.subject) for m in mail.outbox], [([person.email], SUBJECTS[change])]
                )
                delivery = Delivery.objects.get(person=person)
                self.assertEqual((delivery.state, delivery.in_inbox), ("sent", True))

    def test_changes_that_nobody_feels_are_told_to_nobody(self) -> None:
        for status, account in (
            ("active", {"status": "active"}),
            ("active", {"status": "pending"}),
            ("active", {"track": "AUS-NSW"}),
            ("pending", {"role": "mentor"}),
            ("inactive", {"is_active": False}),
        ):
            with self.subTest(status, **account):
                self.change(make_user(status=status), **account)
                self.assertEqual(told(), [])

    def test_the_other_gate_is_a_suspension_too(self) -> None:
        person = make_user(status="active")
        for is_active in (False, True):
            self.change(person, is_active=is_active)

        self.assertEqual(told(), ["suspended", "reopened"])
        self.assertEqual(len(mail.outbox), 2)

    def test_back_and_forth_is_told_each_time(self) -> None:
        person = make_user(status="pending")
        for status in ("active", "inactive", "active", "inactive"):
            self.change(person, status=status)

        self.assertEqual(told(), ["approved", "suspended", "reopened", "suspended"])
        self.assertEqual(len(mail.outbox), 4)

    def test_the_words_lead_to_the_sign_in_page_or_say_whom_to_ask(self) -> None:
        person = make_user(status="pending")
        for status in ("active", "inactive"):
            self.change(person, status=status)

        approved, suspended = (str(message.body) for message in mail.outbox)
        self.assertIn("https://hub.example.org/#/login", approved)
        self.assertIn("ask the programme team", suspended)
        self.assertNotIn("http", suspended)

    def test_what_is_rolled_back_is_told_to_nobody(self) -> None:
        person = make_user()
        with (
            self.captureOnCommitCallbacks(execute=True),
            self.assertRaises(RuntimeError),
            transaction.atomic(),
        ):
            change_status(person, status="active", by=self.admin)
            raise RuntimeError

        self.assertEqual((told(), mail.outbox), ([], []))

    def test_who_is_erased_before_they_were_told_gets_nothing(self) -> None:
        person = make_user()
        change_status(person, status="inactive", by=self.admin)
        erase_person(person, by=self.admin)
        with self.captureOnCommitCallbacks(execute=True):
            fan_out_next(notice_id=Notice.objects.get().pk)

        self.assertEqual((Delivery.objects.count(), mail.outbox), (0, []))

    def test_a_suspension_that_was_lifted_before_its_mail_left_is_not_told(self) -> None:
        for status, change, is_told in (
            ("inactive", "suspended", True),
            ("active", "suspended", False),
            ("active", "approved", True),
            ("inactive", "approved", False),
            ("inactive", "reopened", False),
            ("pending", "approved", False),
            ("pending", "reopened", True),
        ):
            with self.subTest(status, change=change):
                letter = ACCOUNT_STATUS.letter(
                    Told(make_user(status=status), {"change": change}, Reader("en"))
                )
                self.assertEqual(letter.subject if letter else None, SUBJECTS[change] if is_told else None)

    def change_before_a_worker_comes(self, person: User, *statuses: str) -> list[str]:
        """Change a status some times at once; return the subjects of the mails that leave in the end."""
        mail.outbox.clear()
        with self.captureOnCommitCallbacks(execute=True):
            for status in statuses:
                change_status(person, status=status, by=self.admin)
        self.assertEqual([message.to for message in mail.outbox], [[person.email]] * len(mail.outbox))
        return [str(message.subject) for message in mail.outbox]

    def test_of_changes_that_waited_together_the_last_is_mailed(self) -> None:
        for before, statuses, change in (
            ("active", ("inactive", "active", "inactive"), "suspended"),
            ("inactive", ("active", "inactive", "active"), "reopened"),
            ("pending", ("active", "inactive", "active"), "reopened"),
        ):
            with self.subTest(before, statuses=statuses):
                person = make_user(status=before)
                other = make_user(status="active")
                change_status(other, status="inactive", by=self.admin)
                subjects = self.change_before_a_worker_comes(person, *statuses)
                self.assertEqual(subjects, [SUBJECTS[change]])
                states = Delivery.objects.filter(person=person).order_by("pk").values_list("state", flat=True)
                self.assertEqual(list(states), ["dropped", "dropped", "sent"])

    def test_an_approval_that_was_taken_back_is_not_mailed(self) -> None:
        self.assertEqual(self.change_before_a_worker_comes(make_user(), "active", "pending"), [])

    def test_one_that_is_tried_again_gives_way_to_a_newer_one_that_nobody_was_told_of_yet(self) -> None:
        person = make_user(status="active")
        change_status(person, status="inactive", by=self.admin)
        first = Notice.objects.get()
        with self.captureOnCommitCallbacks():
            fan_out_next(notice_id=first.pk)
        for status in ("active", "inactive"):
            change_status(person, status=status, by=self.admin)

        told = Told(person, first.data, Reader("en"), delivery_id=Delivery.objects.get().pk)
        self.assertIsNone(ACCOUNT_STATUS.letter(told))

    def test_it_promises_no_seat_to_whom_it_lets_in_again(self) -> None:
        person = make_user(status="inactive")
        self.change(person, status="active")

        self.assertIn("Seats at events may have been given to others", str(mail.outbox[0].body))

    def test_nobody_is_told_of_what_they_did_themselves_or_of_a_new_account(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            person, _ = provision_user("ada@example.org")
            update_account(person, profile={"first_name": "Ada"})
            create_account(by=self.admin, account={"email": "eve@example.org", "status": "active"})

        self.assertEqual((told(), mail.outbox), ([], []))


class DoorTests(TestCase):
    """Every door by which somebody's status is changed."""

    def test_the_api(self) -> None:
        people = [make_user(), make_user()]
        client = signed_in_client(make_admin())
        with self.captureOnCommitCallbacks(execute=True):
            status = reverse("admin_panel:user-update-status", args=[people[0].pk])
            self.assertEqual(client.put(status, {"status": "active"}, format="json").status_code, 200)
            detail = reverse("admin_panel:user-detail", args=[people[1].pk])
            self.assertEqual(client.patch(detail, {"status": "inactive"}, format="json").status_code, 200)

        self.assertEqual(told(), ["approved", "suspended"])
        self.assertEqual([message.to[0] for message in mail.outbox], [one.email for one in people])

    def test_the_action_of_the_admin_site(self) -> None:
        people = [make_user(status="active") for _ in range(3)]
        client = Client()
        client.force_login(make_superuser())
        body = {"action": "suspend", "_selected_action": [one.pk for one in people], "post": "yes"}
        with self.captureOnCommitCallbacks(execute=True):
            client.post(reverse("admin:users_user_changelist"), body)

        self.assertEqual(told(), ["suspended"] * 3)
        self.assertEqual({message.to[0] for message in mail.outbox}, {one.email for one in people})


class ImportDoorTests(ImportTestCase):
    """A spreadsheet changes many: each is told, and whom it makes is not."""

    def test_who_is_changed_is_told_and_who_is_made_is_not(self) -> None:
        make_user(email="ada@example.org", status="pending")
        make_user(email="eve@example.org", status="active")
        rows = [["email", "status"], *([f"{name}@example.org", "active"] for name in ("ada", "eve", "new"))]

        batch = self.imported(*rows, changeStatus=True)

        self.assertEqual(self.counts(batch), (1, 1, 1, 0))
        self.assertEqual(told(), ["approved"])
        self.assertEqual([message.to for message in mail.outbox], [["ada@example.org"]])

    def test_an_undo_tells_whom_it_changes_back(self) -> None:
        make_user(email="ada@example.org", status="inactive")
        batch = self.imported(
            ["email", "status"],
            ["ada@example.org", "active"],
            ["new@example.org", "active"],
            changeStatus=True,
        )
        self.step("undo", batch["id"])

        self.assertEqual(told(), ["reopened", "suspended"])
        self.assertEqual([message.to for message in mail.outbox], [["ada@example.org"]] * 2)
