"""Reports of defects to an error tracker (SENTRY_DSN): which kind, where in the code, in which request.

No words of an exception, no value of a variable, nothing that was sent to us: any of these may name a child.
What leaves is picked out by ``scrubbed``, so what a later version of the library gathers stays here.
Without SENTRY_DSN the library is not even imported; with it, a process starts its thread at the first defect.
"""

from __future__ import annotations

import atexit
import logging
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from django.conf import settings

from core.logs import current_request_id
from core.watching import metrics
from core.watching.requests import current_request, route_of, user_id_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentry_sdk.types import Event

SERVER_NAME: Final = "hub"
FLUSH_SECONDS: Final = 2
OF_EVENT: Final = {
    *("event_id", "timestamp", "level", "platform", "release", "server_name", "tags", "user", "sdk"),
}
OF_ERROR: Final = {"type", "module"}
OF_FRAME: Final = {"filename", "function", "module", "lineno", "context_line", "in_app"}


class DefectHandler(logging.Handler):
    """Reports what is logged with its exception, whichever library logs it."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            report(record.exc_info[1], where=record.name)


def report(error: BaseException, *, where: str = "task", **about: str) -> None:
    """Count a defect and, where an error tracker is set, report it. Costs the caller no wait."""
    metrics.defects.labels(where).inc()
    if not settings.SENTRY_DSN:
        return
    from sentry_sdk.utils import event_from_exception  # noqa: PLC0415 - off, it costs nothing

    sender = client()
    event, _ = event_from_exception(error, client_options=sender.options)
    event["tags"] = {"where": where, "request_id": current_request_id.get(), **about}
    request = current_request.get()
    if request is not None:
        event["tags"]["route"] = route_of(request)
        event["user"] = {"id": str(user_id_of(request))}  # "-" where nobody is known
    sender.capture_event(event)


@cache
def client() -> Any:
    """Return this process's sender. Of the library's own habits none is on."""
    import sentry_sdk  # noqa: PLC0415 - off, it costs nothing

    made = sentry_sdk.Client(
        dsn=settings.SENTRY_DSN,
        release=settings.SPECTACULAR_SETTINGS["VERSION"],
        server_name=SERVER_NAME,
        before_send=scrubbed,
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        send_client_reports=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
    )
    atexit.register(made.close, timeout=FLUSH_SECONDS)
    return made


def scrubbed(event: Event, hint: object) -> Event:
    """Return what may leave of an event: the kinds of its errors and the lines of code."""
    errors = (event.get("exception") or {}).get("values", [])
    kept = {**picked(event, OF_EVENT), "exception": {"values": [error_of(error) for error in errors]}}
    return cast("Event", kept)


def error_of(error: Mapping[str, Any]) -> dict[str, Any]:
    frames = [picked(frame, OF_FRAME) for frame in (error.get("stacktrace") or {}).get("frames", [])]
    return {**picked(error, OF_ERROR), "stacktrace": {"frames": frames}}


def picked(found: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name in names}
