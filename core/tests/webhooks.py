"""What mail services send, and a case that sends it to the real addresses."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.test import TestCase, override_settings
from django.urls import clear_url_caches

import btf_backend.urls
from core.models import Delivery, MailTrouble, Notice
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Mapping

    from users.models import User

SECRET, SIGNING_KEY = "hub:s3cret", "key-of-the-webhooks"
POSTMARK = "/api/mail/webhooks/postmark/tracking/"
MAILGUN = "/api/mail/webhooks/mailgun/tracking/"
ANYMAIL = {"WEBHOOK_SECRET": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}
MAILJET = "/api/mail/webhooks/mailjet/tracking/"
ADDRESS = "ada@example.org"
JOINED: Final = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT: Final = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)


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


def mailjet(address: object = ADDRESS, event: str = "spam", **more: Any) -> dict[str, Any]:
    """Return one of the events that Mailjet sends many of at once."""
    told = {"event": event, "time": MOMENT.timestamp(), "MessageID": 0, "email": address, **more}
    return {**told, "hard_bounce": True, "error": "user unknown", **more} if event == "bounce" else told


def mount(service: str = "") -> None:
    """Read the routes anew: the settings decide which there are."""
    backend = {"EMAIL_BACKEND": f"anymail.backends.{service}.EmailBackend"} if service else {}
    with override_settings(**backend):
        importlib.reload(btf_backend.urls)
    clear_url_caches()


class WebhookCase(TestCase):
    """Ada has an account, and whichever service is asked for sends our mail."""

    user: ClassVar[User]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.addClassCleanup(mount)
        cls.enterClassContext(override_settings(ANYMAIL=ANYMAIL))

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = make_user(email=ADDRESS, date_joined=JOINED)

    def post(self, url: str, body: Any, headers: Mapping[str, str] | None = None) -> int:
        mount(url.split("/")[4])
        return self.post_again(url, body, headers)

    def post_again(self, url: str, body: Any, headers: Mapping[str, str] | None = None) -> int:
        response: Any = self.client.post(
            url,
            body if isinstance(body, bytes) else json.dumps(body),
            content_type="application/json",
            headers=basic() if headers is None else dict(headers),
        )
        return int(response.status_code)

    def troubles(self) -> list[tuple[str, str, str]]:
        rows = MailTrouble.objects.standing().order_by("pk")
        return list(rows.values_list("address", "cause", "detail"))

    def delivered(self, message_id: str, person: User | None = None) -> Delivery:
        notice = Notice.objects.create(kind="news", subject=message_id, data={})
        return Delivery.objects.create(
            notice=notice, person=person or self.user, state="sent", message_id=message_id, sent_at=MOMENT
        )
