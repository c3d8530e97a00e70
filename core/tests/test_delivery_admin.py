"""Mail at the admin site: what became of it, another try, and mailboxes that are let in again."""

from __future__ import annotations

from typing import Any, ClassVar
from unittest.mock import patch

from django.contrib.auth.models import Permission
from django.core import mail
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import AuditEvent, Delivery, MailTrouble, Notice
from core.notifications import again
from core.notifications.again import send_again
from core.notifications.troubles import Event, report
from core.testing import context_of, undrawn
from core.tests.telling import TellingCase
from users.models import User
from users.tests.factories import make_superuser, make_user

State = Delivery.State


def page(name: str) -> str:
    return reverse(f"admin:core_{name}_changelist")


class SendAgainTests(TellingCase):
    staff: ClassVar[User]
    ada: ClassVar[User]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.staff, cls.ada = make_superuser(), make_user(email="ada@example.org")

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.staff)

    def failed(self, **more: Any) -> Delivery:
        self.tell(self.ada, **more)
        delivery = self.delivery(self.ada, state=State.QUEUED)
        Delivery.objects.filter(pk=delivery.pk).update(
            state=State.FAILED, attempts=9, due_at=None, reason="550 5.1.1"
        )
        return delivery

    def ask(self, *deliveries: Delivery, post: str = "yes") -> Any:
        chosen: dict[str, Any] = {"action": "send_again", "_selected_action": [row.pk for row in deliveries]}
        chosen["post"] = post
        return self.client.post(page("delivery"), chosen, follow=True)

    def test_a_mail_that_failed_is_sent_and_that_is_recorded(self) -> None:
        delivery = self.failed()

        with self.captureOnCommitCallbacks(execute=True):
            self.assertContains(self.ask(delivery), "1 queued")

        delivery.refresh_from_db()
        self.assertEqual((delivery.state, delivery.attempts, delivery.reason), (State.SENT, 1, ""))
        self.assertEqual([one.to for one in mail.outbox], [["ada@example.org"]])
        event = AuditEvent.objects.get(action="mail_sent_again")
        self.assertEqual((event.actor_id, event.object_id), (self.staff.pk, str(self.ada.pk)))
        self.assertEqual(event.changes, {"kind": "news"})

    def test_no_other_mail_is_sent_again(self) -> None:
        self.failed()
        for state in set(State) - {State.FAILED}:
            Delivery.objects.update(state=state)
            with self.subTest(state), self.captureOnCommitCallbacks(execute=True):
                self.assertEqual(send_again(Delivery.objects.all(), by=self.staff), (0, 0, 0))
        self.assertEqual(mail.outbox, [])

    def test_what_is_not_wanted_any_more_is_dropped(self) -> None:
        delivery = self.failed()
        self.wish(self.ada, news="off")

        with self.captureOnCommitCallbacks(execute=True), undrawn():
            self.ask(delivery)

        delivery.refresh_from_db()
        self.assertEqual((delivery.state, delivery.reason, mail.outbox), (State.DROPPED, "not wanted", []))

    def test_whose_words_are_not_kept_is_refused_and_holds_up_no_other(self) -> None:
        """Such as a link to sign in."""
        told = self.failed()
        for kind in ("former", "must"):
            notice = Notice.objects.create(kind=kind, subject="1")
            lost = Delivery.objects.create(notice=notice, person=self.ada, state=State.FAILED)
            with self.subTest(kind):
                response = self.ask(lost)
                self.assertContains(response, "0 queued")
                self.assertContains(response, "is not kept")
        self.assertContains(self.ask(lost, told), "1 queued")

    def failed_many(self, count: int) -> None:
        notices = Notice.objects.bulk_create(
            Notice(kind="news", subject=f"{count} {n}", data={"title": "x"}) for n in range(count)
        )
        rows = (Delivery(notice=one, person=self.ada, state=State.FAILED) for one in notices)
        Delivery.objects.bulk_create(rows)

    def test_many_cost_the_same_and_are_one_task(self) -> None:
        costs = []
        for count in (2, 20):
            self.failed_many(count)
            with (
                patch("core.notifications.again.enqueue_on_commit") as enqueued,
                CaptureQueriesContext(connection) as queries,
            ):
                self.assertEqual(send_again(Delivery.objects.all(), by=self.staff).queued, count)
            enqueued.assert_called_once()
            costs.append(len(queries))
        self.assertEqual(costs[0], costs[1])
        self.assertEqual(AuditEvent.objects.filter(action="mail_sent_again").count(), 22)

    def test_no_more_are_queued_than_the_service_takes(self) -> None:
        self.failed_many(5)
        with patch.object(again, "AT_ONCE", 3):
            for queued, left in ((3, 2), (2, 0), (0, 0)):
                done = send_again(Delivery.objects.all(), by=self.staff)
                self.assertEqual((done.queued, done.left), (queued, left))

    def test_it_is_asked_first_with_the_number_of_those_that_can_be_sent(self) -> None:
        failed, sent = self.failed(title="one"), self.failed(title="two")
        Delivery.objects.filter(pk=sent.pk).update(state=State.SENT)

        asked = self.ask(failed, sent, post="")

        self.assertContains(asked, "Send 1 mail")
        self.assertContains(asked, "<strong>1</strong>: Only mail that failed is sent again.")
        failed.refresh_from_db()
        self.assertEqual(failed.state, State.FAILED)

    def test_what_was_sent_meanwhile_is_counted_as_left(self) -> None:
        failed = self.failed()
        with patch("core.admin.notices.send_again", return_value=again.SentAgain(0, 0, 0)):
            self.assertContains(self.ask(failed), "It was done meanwhile. (1)")

    def test_a_choice_that_is_not_offered_is_none(self) -> None:
        self.failed()
        for name in ("delivery", "notice"):
            for kind in ("former", "%ED%A0%80"):
                with self.subTest(name, kind=kind):
                    response = self.client.get(page(name) + f"?kind={kind}")
                    self.assertContains(response, "news" if name == "notice" else "ada@")

    def test_who_may_look_may_not_send(self) -> None:
        delivery = self.failed()
        desk = make_user(is_staff=True)
        desk.user_permissions.set(permissions("view_delivery", "view_mailtrouble"))
        self.client.force_login(desk)

        self.assertContains(self.client.get(page("delivery")), "ada@example.org")
        with undrawn():
            self.ask(delivery)

        delivery.refresh_from_db()
        self.assertEqual(delivery.state, State.FAILED)

    def test_lists_are_narrowed_and_searched(self) -> None:
        self.failed()
        self.tell(make_user(email="eve@example.org"), kind="urgent", title="Other")
        for query, found in (
            ("?state__exact=failed", "ada@example.org"),
            ("?kind=urgent", "eve@example.org"),
            ("?q=ADA@example.org", "ada@example.org"),
        ):
            with self.subTest(query):
                shown = context_of(self.client, page("delivery") + query)["cl"].result_list
                self.assertEqual([row.person.email for row in shown], [found])

    def test_a_notice_tells_how_its_mail_stands(self) -> None:
        self.failed(title="one")
        self.tell(self.ada, make_user(), title="two")
        one = Notice.objects.get(subject="one")

        listed = self.client.get(page("notice"))
        opened = self.client.get(reverse("admin:core_notice_change", args=[one.pk]))

        self.assertContains(listed, "Queued: 2")
        self.assertContains(listed, "Failed: 1")
        self.assertContains(opened, "Failed: 1")
        self.assertEqual(context_of(self.client, page("notice") + "?kind=urgent")["cl"].result_count, 0)


class TroubleTests(TestCase):
    staff: ClassVar[User]
    ada: ClassVar[User]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.staff, cls.ada = make_superuser(), make_user(email="ada@example.org")
        make_user(email="eve@example.org")
        report([Event("ada@example.org", "complained")])

    def setUp(self) -> None:
        self.client.force_login(self.staff)

    def allow(self, post: str = "yes") -> Any:
        chosen = {"action": "allow_mail", "_selected_action": [MailTrouble.objects.get().pk], "post": post}
        return self.client.post(page("mailtrouble"), chosen, follow=True)

    def found(self, trouble: str) -> list[User]:
        """Return whom the list of people shows with such a trouble."""
        people = reverse("admin:users_user_changelist")
        return list(context_of(self.client, people, {"mail_trouble": trouble})["cl"].result_list)

    def test_mail_is_allowed_again_and_that_is_recorded(self) -> None:
        self.assertContains(self.allow(), "1 get mail again")

        self.assertFalse(MailTrouble.objects.standing().exists())
        event = AuditEvent.objects.get(action="mail_allowed")
        self.assertEqual((event.actor_id, event.object_id), (self.staff.pk, str(self.ada.pk)))

    def test_it_is_asked_first_and_who_has_mail_already_is_left_out(self) -> None:
        self.assertContains(self.allow(post=""), "Allow 1 person")
        self.assertTrue(MailTrouble.objects.standing().exists())

        self.allow()

        self.assertContains(self.allow(post=""), "<strong>1</strong>: Mail is allowed already.")

    def test_who_may_look_may_not_allow_it(self) -> None:
        desk = make_user(is_staff=True)
        desk.user_permissions.set(permissions("view_delivery", "view_mailtrouble"))
        self.client.force_login(desk)

        with undrawn():
            self.allow()

        self.assertTrue(MailTrouble.objects.standing().exists())

    def test_people_are_flagged_and_found_by_it(self) -> None:
        people = reverse("admin:users_user_changelist")

        self.assertContains(self.client.get(people), "Reported as spam, ")
        self.assertEqual(self.found("complained"), [self.ada])
        self.assertEqual(self.found("bounced"), [])
        self.assertContains(self.client.get(people + "?mail_trouble=zz"), "eve@example.org")
        opened = reverse("admin:users_user_change", args=[self.ada.pk])
        self.assertContains(self.client.get(opened), "Reported as spam, ")

    def test_who_gets_mail_again_is_neither_flagged_nor_found(self) -> None:
        with undrawn():
            self.allow()
        people = reverse("admin:users_user_changelist")

        self.assertNotContains(self.client.get(people), "Reported as spam, ")
        self.assertEqual(self.found("complained"), [])

    def test_a_new_address_has_no_trouble(self) -> None:
        User.objects.filter(pk=self.ada.pk).update(email="new@example.org")
        people = reverse("admin:users_user_changelist")

        self.assertNotContains(self.client.get(people), "Reported as spam, ")
        self.assertEqual(self.found("complained"), [])


def permissions(*names: str) -> Any:
    return Permission.objects.filter(codename__in=names)
