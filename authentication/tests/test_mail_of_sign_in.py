"""The mails of sign-in as deliveries: in whose language, and what becomes of them when a worker dies."""

from __future__ import annotations

import smtplib
from typing import Any
from unittest.mock import patch

from django.core import mail
from django.test import TestCase, override_settings
from django.utils import timezone
from django_tasks.base import TaskResultStatus

from authentication.letters import SESSION_ENDED, SIGN_IN
from authentication.services import SEAL_PURPOSE
from authentication.sessions import open_session
from authentication.tasks import mail_sign_in
from authentication.tests.signing_in import ADDRESS, SignInTestCase, ask, redeem_code
from core.mail import Reader
from core.models import Delivery, MailTrouble, Notice, NotificationSettings
from core.notifications.kinds import Told
from core.registry import notification_kinds
from core.sealing import seal
from users.models import User
from users.tests.factories import make_user

SEND = "django.core.mail.backends.locmem.EmailBackend.send_messages"


def sealed(**more: Any) -> str:
    """Return what a request leaves behind for the worker."""
    content = {
        "id": "f00",
        "address": ADDRESS,
        "token": "t0k3n",
        "code": "004217",
        "expires": timezone.now().timestamp() + 600,
    }
    return seal({**content, **more}, purpose=SEAL_PURPOSE)


class DeliveryTests(SignInTestCase):
    def test_who_has_an_account_has_a_delivery_which_holds_no_secret(self) -> None:
        person = make_user(email=ADDRESS)
        ask(self.client)

        delivery = Delivery.objects.select_related("notice").get(person=person)
        self.assertEqual((delivery.state, delivery.in_inbox, delivery.attempts), ("sent", False, 1))
        self.assertEqual((delivery.notice.kind, delivery.notice.data), ("sign_in", {}))
        self.assertEqual(delivery.message_id, mail.outbox[0].extra_headers["Message-ID"])
        self.assertRegex(delivery.notice.subject, r"^[0-9a-f]{32}$")

    def test_who_has_none_has_the_mail_alone(self) -> None:
        ask(self.client)

        self.assertEqual((len(mail.outbox), Notice.objects.count()), (1, 0))

    def test_each_request_is_a_mail_of_its_own(self) -> None:
        make_user(email=ADDRESS)
        with override_settings(MAGIC_LINK_PER_ADDRESS=""):
            for _ in range(2):
                ask(self.client)

        self.assertEqual((len(mail.outbox), Delivery.objects.count()), (2, 2))
        self.assertEqual(len({message.extra_headers["Message-ID"] for message in mail.outbox}), 2)

    def test_a_task_that_runs_again_mails_nobody_again_whose_delivery_says_sent(self) -> None:
        make_user(email=ADDRESS)
        for _ in range(2):
            mail_sign_in.enqueue(sealed=sealed())

        self.assertEqual((len(mail.outbox), Delivery.objects.get().attempts), (1, 1))

    def test_killed_before_it_could_say_so_it_sends_the_same_message_id(self) -> None:
        make_user(email=ADDRESS)
        for _ in range(2):
            mail_sign_in.enqueue(sealed=sealed())
            Delivery.objects.update(state="queued")

        first, second = (message.extra_headers["Message-ID"] for message in mail.outbox)
        self.assertEqual(first, second)

    def test_without_an_account_it_is_the_same_message_id_too(self) -> None:
        for _ in range(2):
            mail_sign_in.enqueue(sealed=sealed())

        first, second = (message.extra_headers["Message-ID"] for message in mail.outbox)
        self.assertEqual(first, second)

    def test_a_fault_is_written_down_and_tried_again(self) -> None:
        make_user(email=ADDRESS)
        faults = [smtplib.SMTPServerDisconnected("Connection unexpectedly closed"), 1]
        with patch(SEND, side_effect=faults):
            result = mail_sign_in.enqueue(sealed=sealed())

        delivery = Delivery.objects.get()
        self.assertEqual((result.status, delivery.state), (TaskResultStatus.SUCCESSFUL, "sent"))
        self.assertEqual((delivery.attempts, delivery.reason), (2, ""))

    def test_an_address_that_is_refused_for_good_is_not_tried_again(self) -> None:
        make_user(email=ADDRESS)
        refused = smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"5.1.1 <ada@example.org> unknown")})
        with patch(SEND, side_effect=refused) as send:
            result = mail_sign_in.enqueue(sealed=sealed())

        delivery = Delivery.objects.get()
        self.assertEqual((result.status, send.call_count), (TaskResultStatus.FAILED, 1))
        self.assertEqual((delivery.state, delivery.reason), ("failed", "recipient refused 550 5.1.1"))

    def test_what_has_run_out_is_not_mailed(self) -> None:
        make_user(email=ADDRESS)
        mail_sign_in.enqueue(sealed=sealed(expires=timezone.now().timestamp()))

        self.assertEqual((mail.outbox, Notice.objects.count()), ([], 0))

    def test_a_mailbox_that_gave_mail_back_still_gets_its_sign_in(self) -> None:
        MailTrouble.objects.create(person=make_user(email=ADDRESS), address=ADDRESS, cause="bounced")
        ask(self.client)

        self.assertEqual(len(mail.outbox), 1)

    def test_it_speaks_the_language_of_the_account(self) -> None:
        NotificationSettings.objects.create(person=make_user(email=ADDRESS), language="pt-br")
        ask(self.client)

        body = str(mail.outbox[0].body)
        self.assertEqual(mail.outbox[0].subject, "Entre em BIOTech Futures Hub")
        self.assertRegex(body, r"(?m)^One-Time Code: \d{6}$")

    @override_settings(PROGRAMME_LANGUAGE="pt-br")
    def test_and_without_one_that_of_the_programme(self) -> None:
        ask(self.client)

        self.assertTrue(mail.outbox[0].subject.startswith("Entre "))

    def test_the_first_sign_in_is_told_nothing_more(self) -> None:
        ask(self.client)
        body = str(mail.outbox[0].body)
        with self.captureOnCommitCallbacks(execute=True):
            redeem_code(self.client, body.partition("One-Time Code: ")[2][:6])

        self.assertEqual((User.objects.count(), len(mail.outbox)), (1, 1))


class KindTests(TestCase):
    def test_nobody_can_switch_them_off(self) -> None:
        for kind in (SIGN_IN, SESSION_ENDED):
            self.assertTrue(kind.is_mandatory)
            self.assertIs(notification_kinds.entries[kind.name], kind)

    def test_the_mail_of_a_session_names_the_device_and_the_inbox_does_not(self) -> None:
        person = make_user()
        open_session(
            person, user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        )
        session = person.sessions.get()
        told = Told(person, {"session": session.pk}, Reader("en"))

        with self.assertNumQueries(0):
            self.assertNotIn("(", SESSION_ENDED.write(told).opening)
        with self.assertNumQueries(1):
            letter = SESSION_ENDED.letter(told)
        assert letter
        self.assertIn(f"({session.device})", letter.opening)

        session.delete()
        letter = SESSION_ENDED.letter(told)
        assert letter
        self.assertIn("(unknown device)", letter.opening)

    def test_what_a_sign_in_said_is_told_to_nobody_again(self) -> None:
        letter = SIGN_IN.write(Told(make_user(), {}, Reader("en")))

        self.assertEqual((letter.facts, letter.link), ((), ""))
