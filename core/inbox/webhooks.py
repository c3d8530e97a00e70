"""Where the mail service tells what became of our mail: one address, of that service, behind a secret."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from anymail.exceptions import AnymailAPIError
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.urls import path

from core.mail_services import anymails_view, service_in_use
from core.notifications.webhooks import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest
    from django.urls import URLPattern
    from django.views import View

logger = logging.getLogger(__name__)

# What Anymail stumbles with over a document that is not of its service.
UNREADABLE: Final = (
    *(ValueError, LookupError, TypeError, AttributeError, AssertionError, OverflowError, OSError),
    *(RecursionError, AnymailAPIError, ImproperlyConfigured),
)


class AllAtOnce:
    """Anymail's view of a service, but for its signal for each event: a request is noted at once.

    The password is looked at before anything else is. An event that nobody can read holds up no other.
    """

    validators: list[Any]
    esp_name: str
    passed_over: Exception | None = None

    def run_validators(self, request: HttpRequest) -> None:
        with refusing_unreadable(self.esp_name):
            for validator in reversed(self.validators):  # Anymail has its own, the password's, behind others
                validator(self, request)

    def parse_events(self, request: HttpRequest) -> list[Any]:
        with refusing_unreadable(self.esp_name):
            events = super().parse_events(request)  # type: ignore[misc]  # of the service's view
        if self.passed_over:
            tell_unreadable(self.esp_name, self.passed_over)
        note([event for event in events if event is not None], self.esp_name)
        return []

    def esp_to_anymail_event(self, *document: Any) -> Any:
        try:
            return super().esp_to_anymail_event(*document)  # type: ignore[misc]
        except UNREADABLE as error:
            self.passed_over = error  # said once, however many there are
            return None


@contextmanager
def refusing_unreadable(service: str) -> Iterator[None]:
    """Answer 400 to what is no document of that service, instead of 500."""
    try:
        yield
    except UNREADABLE as error:
        tell_unreadable(service, error)
        raise SuspiciousOperation from error


def tell_unreadable(service: str, error: Exception) -> None:
    logger.warning("mail_event_unreadable", extra={"service": service, "fault": type(error).__name__})


def view_of(service: str) -> type[View]:
    """Return the view of a service, which notes a whole request at once."""
    theirs = anymails_view(service)
    return type(theirs.__name__, (AllAtOnce, theirs), {})


def mail_webhooks() -> list[URLPattern]:
    """Return the route of the service in use; none without a secret: Anymail would believe whoever calls."""
    service = service_in_use()
    if service is None or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        return []
    return [path(f"{service}/tracking/", view_of(service).as_view(), name="mail-webhook")]
