"""What a mail service tells of our mail: real bodies of two services, to the real addresses."""

from __future__ import annotations

import logging
from typing import Any

from anymail.signals import AnymailTrackingEvent
from django.test import TestCase

from authentication.tests.signing_in import SignInTestCase, mailed, redeem_link
from core.models import AuditEvent, MailTrouble
from core.notifications.troubles import Event, in_trouble, report
from core.notifications.webhooks import cause_of
from core.tests.webhooks import ADDRESS, MAILGUN, POSTMARK, WebhookCase, basic, mailgun, mount, postmark
from users.tests.factories import make_user


class WebhookTests(WebhookCase):
    def test_a_bounce_of_postmark_ends_mail_to_that_address(self) -> None:
        delivery = self.delivered("883953f4-6105-42a2-a16a-77a8eac79483")

        self.assertEqual(self.post(POSTMARK, postmark()), 200)

        self.assertEqual(self.troubles(), [(ADDRESS, "bounced", "Postmark: bounced")])
        self.assertEqual(list(in_trouble([self.user.pk])), [self.user.pk])
        delivery.refresh_from_db()
        self.assertEqual((delivery.state, delivery.reason), ("bounced", "Postmark: bounced"))
        event = AuditEvent.objects.get(action="mail_suppressed")
        self.assertEqual((event.actor_id, event.object_id), (None, str(self.user.pk)))

    def test_a_bounce_of_mailgun_does_too_if_it_is_signed(self) -> None:
        delivery = self.delivered("<2026.1@example.org>")

        self.assertEqual(self.post(MAILGUN, mailgun()), 200)

        self.assertEqual(self.troubles(), [(ADDRESS, "bounced", "Mailgun: bounced")])
        delivery.refresh_from_db()
        self.assertEqual(delivery.state, "bounced")

    def test_complaints_end_it_for_their_own_cause(self) -> None:
        for url, body in (
            (POSTMARK, postmark("SpamComplaint", record="SpamComplaint")),
            (POSTMARK, postmark("SpamNotification")),
            (
                POSTMARK,
                {
                    "RecordType": "SubscriptionChange",
                    "MessageID": "883953f4",
                    "Recipient": ADDRESS,
                    "ChangedAt": "2026-11-26T09:30:00Z",
                    "SuppressSending": True,
                    "SuppressionReason": "ManualSuppression",
                    "Metadata": {},
                },
            ),
            (MAILGUN, mailgun("complained")),
            (MAILGUN, mailgun("unsubscribed")),
        ):
            with self.subTest(str(body)[:60]):
                MailTrouble.objects.all().delete()
                self.assertEqual(self.post(url, body), 200)
                self.assertEqual([cause for _, cause, _ in self.troubles()], ["complained"])

    def test_a_complaint_counts_more_than_a_bounce(self) -> None:
        for body in (postmark(), postmark("SpamComplaint", record="SpamComplaint"), postmark()):
            self.post(POSTMARK, body)

        self.assertEqual([cause for _, cause, _ in self.troubles()], ["complained"])

    def test_what_may_pass_or_is_the_services_matter_ends_nothing(self) -> None:
        delivery = self.delivered("883953f4-6105-42a2-a16a-77a8eac79483")
        delivered = {"RecordType": "Delivery", "MessageID": "883953f4", "Recipient": ADDRESS, "Metadata": {}}
        for url, body in (
            *(
                (POSTMARK, postmark(kind))
                for kind in ("SoftBounce", "Transient", "DnsError", "AutoResponder")
            ),
            *((POSTMARK, postmark(kind)) for kind in ("Blocked", "DMARCPolicy", "VirusNotification", "New")),
            (POSTMARK, delivered),
            (MAILGUN, mailgun(severity="temporary", reason="generic")),
            (MAILGUN, mailgun(reason="generic")),
            (MAILGUN, mailgun("delivered")),
            (MAILGUN, mailgun("opened")),
            (MAILGUN, mailgun("rejected", reject={"reason": "Sandbox"})),
        ):
            with self.subTest(str(body)[:60]):
                self.assertEqual(self.post(url, body), 200)
                self.assertEqual(self.troubles(), [])
        delivery.refresh_from_db()
        self.assertEqual(delivery.state, "sent")

    def test_what_is_told_again_changes_nothing_again(self) -> None:
        self.post(POSTMARK, postmark())
        before = MailTrouble.objects.values().get()

        for _ in range(3):
            self.assertEqual(self.post(POSTMARK, postmark()), 200)

        self.assertEqual(MailTrouble.objects.values().get(), before)
        self.assertEqual(AuditEvent.objects.filter(action="mail_suppressed").count(), 1)

    def test_an_address_of_nobody_is_passed_over(self) -> None:
        for address in ("nobody@example.org", "", None, "x" * 400, "a\0b@example.org"):
            with self.subTest(str(address)[:20]):
                self.assertEqual(self.post(POSTMARK, postmark(Email=address)), 200)
        self.assertEqual(self.troubles(), [])

    def test_the_address_counts_in_any_case(self) -> None:
        self.post(POSTMARK, postmark(Email="ADA@Example.org"))

        self.assertEqual(list(in_trouble([self.user.pk])), [self.user.pk])

    def test_who_cannot_prove_to_be_the_service_is_refused(self) -> None:
        forged = mailgun(key="another")
        unsigned = {"event-data": mailgun()["event-data"]}
        for url, body, headers in (
            (POSTMARK, postmark(), {}),
            (POSTMARK, postmark(), basic("hub:wrong")),
            (POSTMARK, postmark(), {"Authorization": "Basic ???"}),
            (POSTMARK, postmark(), {"Authorization": "Bearer a.b.c"}),
            (MAILGUN, mailgun(), {}),
            (MAILGUN, forged, basic()),
            (MAILGUN, unsigned, basic()),
        ):
            with self.subTest(f"{url} {headers}"):
                self.assertEqual(self.post(url, body, headers), 400)
        self.assertEqual(self.troubles(), [])

    def test_no_line_of_the_log_holds_an_address(self) -> None:
        with self.assertLogs(level=logging.DEBUG) as logs:
            logging.getLogger("test").info("one line at least")
            self.post(POSTMARK, postmark())
            self.post(POSTMARK, postmark(), {})
            self.post(MAILGUN, mailgun("complained"))

        sql = [record for record in logs.records if record.name != "django.db.backends"]
        self.assertNotIn(ADDRESS, " ".join(record.getMessage() for record in sql))
        self.assertNotIn("example.org", str(AuditEvent.objects.values_list("changes", flat=True)))

    def test_get_is_not_answered(self) -> None:
        mount("postmark")
        self.assertEqual(self.client.get(POSTMARK, headers=basic()).status_code, 405)


class PassingTests(TestCase):
    """Services that say in words of their own that a bounce will pass; Anymail calls both a bounce."""

    def test_each_services_word_for_it_is_known(self) -> None:
        cases: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
            ("Amazon SES", {"bounce": {"bounceType": "Transient"}}, {"bounce": {"bounceType": "Permanent"}}),
            ("Brevo", {"event": "soft_bounce"}, {"event": "hard_bounce"}),
            ("MailerSend", {"data": {"type": "soft_bounced"}}, {"data": {"type": "hard_bounced"}}),
            ("Mailjet", {"hard_bounce": False}, {"hard_bounce": True}),
            ("Postmark", {"Type": "SoftBounce"}, {"Type": "HardBounce"}),
            ("Resend", {"data": {"bounce": {"type": "Transient"}}}, {"data": {"bounce": {"message": "x"}}}),
            (
                "SparkPost",
                {"msys": {"message_event": {"bounce_class": "22"}}},
                {"msys": {"message_event": {"bounce_class": "10"}}},
            ),
        ]
        for service, passing, final in cases:
            for document, cause in ((passing, None), (final, "bounced")):
                with self.subTest(f"{service} {document}"):
                    self.assertEqual(cause_of(bounce(document), service), cause)

    def test_mandrill_gives_no_reason(self) -> None:
        for event, cause in (("hard_bounce", "bounced"), ("soft_bounce", None)):
            with self.subTest(event):
                self.assertEqual(cause_of(bounce({"event": event}, reason=None), "Mandrill"), cause)


def bounce(document: dict[str, Any], reason: str | None = "bounced") -> AnymailTrackingEvent:
    return AnymailTrackingEvent(event_type="bounced", reject_reason=reason, esp_event=document)


class LiftedTests(SignInTestCase):
    def test_who_signs_in_by_mail_has_a_mailbox_that_works(self) -> None:
        for cause, left in (("bounced", 0), ("complained", 1)):
            with self.subTest(cause):
                person = make_user(email=f"{cause}@example.org")
                report([Event(person.email, cause)])
                mail = mailed(self.client, person.email)
                self.assertEqual(redeem_link(self.client, mail.token).status_code, 200)
                self.assertEqual(len(in_trouble([person.pk])), left)
