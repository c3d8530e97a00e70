"""Which mail service sends our mail, and whether it can be believed in what it tells of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from django.views import View

BACKEND: Final = re.compile(r"anymail\.backends\.(\w+)\.EmailBackend")
# The services whose words Anymail reads, and its views for them.
VIEWS: Final = {
    "amazon_ses": "AmazonSESTrackingWebhookView",
    "brevo": "BrevoTrackingWebhookView",
    "mailersend": "MailerSendTrackingWebhookView",
    "mailgun": "MailgunTrackingWebhookView",
    "mailjet": "MailjetTrackingWebhookView",
    "mailtrap": "MailtrapTrackingWebhookView",
    "mandrill": "MandrillCombinedWebhookView",
    "postal": "PostalTrackingWebhookView",
    "postmark": "PostmarkTrackingWebhookView",
    "resend": "ResendTrackingWebhookView",
    "sendgrid": "SendGridTrackingWebhookView",
    "sendinblue": "SendinBlueTrackingWebhookView",
    "sparkpost": "SparkPostTrackingWebhookView",
    "unisender_go": "UnisenderGoTrackingWebhookView",
}
# Anymail asks for this one at the first event only.
LATE_KEYS: Final = {"mandrill": "MANDRILL_WEBHOOK_KEY"}


def service_in_use() -> str | None:
    """Return the mail service that sends our mail, where it can tell what became of it."""
    found = BACKEND.fullmatch(settings.EMAIL_BACKEND)
    return found[1] if found and found[1] in VIEWS else None


def anymails_view(service: str) -> type[View]:
    """Return Anymail's view of what a service tells of mail."""
    view: type[View] = import_string(f"anymail.webhooks.{service}.{VIEWS[service]}")
    return view


def missing_of(service: str) -> str | None:
    """Return what a service's view lacks, in Anymail's words; None where it has what it needs."""
    try:
        anymails_view(service)()
    except ImproperlyConfigured as error:
        return str(error)
    key = LATE_KEYS.get(service)
    return f"{key} is not set." if key and not settings.ANYMAIL.get(key) else None
