"""What is known of the request at hand, and what no log line may carry: a token, an exception's words."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from traceback import format_tb
from typing import TYPE_CHECKING, Any

from pythonjsonlogger.json import JsonFormatter

if TYPE_CHECKING:
    from collections.abc import Iterator

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="-")
current_address: ContextVar[str] = ContextVar("current_address", default="")


class RequestIdFilter(logging.Filter):
    """Adds ``request_id`` to each record; lets every record through."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        return True


class TokenScrubber(logging.Filter):
    """Blanks what servers log of URLs: tokens of sockets, links, calendars and mail, what is searched for."""

    PATHS = re.compile(r"(/media/|/calendar/|/notifications/unsubscribe/)[\w:%-]+")
    QUERIES = re.compile(r"((?:/ws/|/auth/verify|/api/admin/|/api/messages/)[^\s?\"']*\?)[^\s\"']+")

    def filter(self, record: logging.LogRecord) -> bool:
        # Django hands the request along, and a JSON formatter would write its whole URL.
        record.__dict__.pop("request", None)
        text = record.getMessage()
        clean = self.PATHS.sub(r"\1***", self.QUERIES.sub(r"\1***", text))
        if clean != text:
            record.msg, record.args = clean, ()
        return True


class ClientFaults(logging.Filter):
    """Takes for a client's fault what servers log as an error of their own, with its traceback.

    uvicorn does so for a text that is no UTF-8, closed with 1007 (RFC 6455, 8.1); Django for every
    SuspiciousOperation, answered 400: a foreign Host, too many fields. Anybody could fill logs and alarms.
    It belongs to handlers: a logger's own filters pass over what its children log.
    """

    SENTENCE = "Invalid UTF-8 sequence received from client."
    CHILDREN = "django.security."

    def filter(self, record: logging.LogRecord) -> bool:
        is_refusal = record.name.startswith(self.CHILDREN) and record.levelno >= logging.ERROR
        if is_refusal or record.msg == self.SENTENCE:
            record.levelno, record.levelname, record.exc_info = logging.INFO, "INFO", None
        return True


class WordlessJson(JsonFormatter):
    """Writes of an exception which kind and where; its words may be a row of the database (B40)."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return "\n\n".join(told_without_words(ei[1])) if ei[1] else ""


def told_without_words(error: BaseException) -> Iterator[str]:
    """Tell a whole chain, the latest first: kinds, frames and lines of code. Groups tell of their members."""
    waiting, seen = [error], set[int]()
    while waiting:
        found = waiting.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        kind = type(found)
        yield f"{kind.__module__}.{kind.__qualname__}\n{''.join(format_tb(found.__traceback__))}".rstrip()
        if isinstance(found, BaseExceptionGroup):
            waiting += found.exceptions
        before = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
        if before is not None:
            waiting.append(before)
