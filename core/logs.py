"""What is known of the request at hand, and what no log line may carry: a token, an exception's words."""

from __future__ import annotations

import errno
import logging
import re
import sys
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


def is_one_word(record: logging.LogRecord) -> bool:
    """Tell whether a message is the name of an event, as ours are: there is nothing in it to take out."""
    return not record.args and isinstance(record.msg, str) and record.msg.isidentifier()


class TokenScrubber(logging.Filter):
    """Blanks what servers log of URLs: tokens of sockets, links, calendars and mail, what is searched for."""

    PATHS = re.compile(r"(/media/|/calendar/|/notifications/unsubscribe/)[\w:%-]+")
    # Of any path: a server that logs a request which broke does not know what it carries.
    QUERIES = re.compile(r"(/[^\s?\"']*\?)[^\s\"']+")

    def filter(self, record: logging.LogRecord) -> bool:
        # Django hands the request along, and a JSON formatter would write its whole URL.
        record.__dict__.pop("request", None)
        if is_one_word(record):
            return True
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


class WordlessMessages(logging.Filter):
    """Keeps out of a message what libraries put there of an exception, beside or instead of its traceback."""

    TRACEBACK = "Traceback (most recent call last)"
    # asyncio: what a callback was called with; below the first line, representations of tasks and handles.
    CALLBACK = re.compile(r"(Exception in callback [^\s(]+).*", re.DOTALL)
    COROUTINE = re.compile(r"coro=<([\w.<>]+?)\(\)")
    # gunicorn: the line of a request, or its header, that nobody can read.
    INVALID = re.compile(r"(Invalid request from ip=\S*:).*", re.DOTALL)

    def filter(self, record: logging.LogRecord) -> bool:
        if is_one_word(record):
            return True
        record.msg = named(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(named(value) for value in record.args)
        text = record.getMessage()
        clean = self.of_asyncio(text) if record.name == "asyncio" else text
        clean = self.INVALID.sub(rf"\1 {named(sys.exc_info()[1])}", clean)
        before, traceback, _ = clean.partition(self.TRACEBACK)
        if traceback:
            clean, record.exc_info = before.rstrip(), record.exc_info or sys.exc_info()
        if clean != text:
            record.msg, record.args = clean, ()
        return True

    def of_asyncio(self, text: str) -> str:
        first, _, rest = text.partition("\n")
        coroutines = self.COROUTINE.findall(rest)
        return " ".join([self.CALLBACK.sub(r"\1", first), *coroutines])


def named(value: object) -> object:
    """Return of an exception its kind, and of a system's fault which one; anything else as it is."""
    if not isinstance(value, BaseException):
        return value
    number = value.errno if isinstance(value, OSError) else None
    return " ".join([kind_of(value), *([errno.errorcode.get(number, str(number))] if number else [])])


def kind_of(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


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
        yield f"{kind_of(found)}\n{''.join(format_tb(found.__traceback__))}".rstrip()
        if isinstance(found, BaseExceptionGroup):
            waiting += found.exceptions
        before = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
        if before is not None:
            waiting.append(before)
