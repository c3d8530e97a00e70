"""What is known of the request at hand, and what no log line may carry: a token out of a URL."""

import logging
import re
from contextvars import ContextVar

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
    """Takes for a client's fault what uvicorn logs as an error of its own: a text that is no UTF-8.

    It has closed with 1007 (RFC 6455, 8.1). As an error, anybody could fill logs and alarms with it.
    """

    SENTENCE = "Invalid UTF-8 sequence received from client."

    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg == self.SENTENCE:
            record.levelno, record.levelname, record.exc_info = logging.INFO, "INFO", None
        return True
