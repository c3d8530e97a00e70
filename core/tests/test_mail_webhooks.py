"""What a mail service tells of our mail: real bodies of two services, to the real addresses."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import json
import logging
from base64 import b64encode
from typing import TYPE_CHECKING, Any, ClassVar

from anymail.signals import AnymailTrackingEvent
from django.core.checks import run_checks
from django.test import TestCase, override_settings
from django.urls import clear_url_caches
from django.utils import timezone

import btf_backend.urls
from authentication.tests.signing_in import SignInTestCase, mailed, redeem_link
from core.checks import STARTUP
from core.models import AuditEvent, Delivery, MailTrouble, Notice
from core.notifications.troubles import in_trouble, report
from core.notifications.webhooks import cause_of
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Mapping

    from users.models import User

SECRET, SIGNING_KEY = "hub:s3cret", "key-of-the-webhooks"
POSTMARK = "/api/mail/webhooks/postmark/tracking/"
MAILGUN = "/api/mail/webhooks/mailgun/tracking/"
ANYMAIL = {"WEBHOOK_SECRET": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}
ADDRESS = "ada@example.org"


def basic(secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(secret.encode()).decode()}"}


def postmark(kind: str = "HardBounce", *, record: str = "Bounce", **more: Any) -> dict[str, Any]:
    """Return what Postmark sends of a bounce or a complaint."""
    return {
        "RecordType": record,
        "MessageStream": "outbound",
        "ID": 4323372036854775807,
        "Type": kind,
        "TypeCode": 1,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Details": f"smtp;550 5.1.1 <{ADDRESS}> does not exist",
        "Email": ADDRESS,
        "From": "hub@example.org",
        "BouncedAt": "2026-11-26T09:30:00Z",
        "DumpAvailable": True,
        "Inactive": True,
        "CanActivate": True,
        "Subject": "Poster day",
        "Metadata": {},
        **more,
    }


def mailgun(event: str = "failed", *, key: str = SIGNING_KEY, **more: Any) -> dict[str, Any]:
    """Return what Mailgun sends, signed with a key."""
    moment, token = "1795685400", "c" * 50
    signature = hmac.new(key.encode(), f"{moment}{token}".encode(), hashlib.sha256).hexdigest()
    failure = {"severity": "permanent", "reason": "bounce"} if event == "failed" else {}
    data = {
        "event": event,
        **failure,
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "timestamp": 1795685400.9,
        "recipient": ADDRESS,
        "message": {"headers": {"message-id": "2026.1@example.org", "to": ADDRESS}},
        "delivery-status": {"code": 550, "message": f"5.1.1 {ADDRESS} unknown", "description": ""},
        **more,
    }
    return {
        "signature": {"timestamp": moment, "token": token, "signature": signature},
        "event-data": data,
    }


def mount() -> None:
    """Read the routes anew: the settings decide which there are."""
    importlib.reload(btf_backend.urls)
    clear_url_caches()


class WebhookTests(TestCase):
    user: ClassVar[User]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.addClassCleanup(mount)
        cls.enterClassContext(override_settings(ANYMAIL=ANYMAIL))
        mount()

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = make_user(email=ADDRESS)

    def post(self, url: str, body: Any, headers: Mapping[str, str] | None = None) -> int:
        response: Any = self.client.post(
            url,
            json.dumps(body),
            content_type="application/json",
            headers=basic() if headers is None else dict(headers),
        )
        return int(response.status_code)

    def troubles(self) -> list[tuple[str, str, str]]:
        return list(MailTrouble.objects.values_list("address", "cause", "detail"))

    def delivered(self, message_id: str) -> Delivery:
        notice = Notice.objects.create(kind="news", subject=message_id, data={})
        return Delivery.objects.create(
            notice=notice, person=self.user, state="sent", message_id=message_id, sent_at=timezone.now()
        )

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
        self.assertEqual(self.client.get(POSTMARK, headers=basic()).status_code, 405)


class NotMountedTests(TestCase):
    def test_without_the_secret_there_are_no_webhooks(self) -> None:
        for url in (POSTMARK, MAILGUN, "/api/mail/webhooks/mandrill/"):
            response = self.client.post(url, json.dumps(postmark()), content_type="application/json")
            self.assertEqual((response.status_code, response.json()["code"]), (404, "not_found"))

    def test_the_start_warns_where_a_service_would_not_be_heard(self) -> None:
        service = "anymail.backends.postmark.EmailBackend"
        smtp = "django.core.mail.backends.smtp.EmailBackend"
        for backend, anymail, warned in (
            (service, {}, True),
            (service, {"WEBHOOK_SECRET": ""}, True),
            (service, {"WEBHOOK_SECRET": SECRET}, False),
            (smtp, {}, False),
        ):
            with (
                self.subTest(f"{backend} {anymail}"),
                override_settings(EMAIL_BACKEND=backend, ANYMAIL=anymail),
            ):
                found = {message.id for message in run_checks(tags=[STARTUP])}
                self.assertEqual("btf.W001" in found, warned)


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
                report(person.email, cause=cause)
                mail = mailed(self.client, person.email)
                self.assertEqual(redeem_link(self.client, mail.token).status_code, 200)
                self.assertEqual(MailTrouble.objects.count(), left)
