"""Requests of a drill over HTTP or HTTPS, and what each came to."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT_SECONDS: Final = 40
UNAVAILABLE: Final = 503


@dataclass(frozen=True)
class Answer:
    """What a request came to. Status 0: no answer, and why; a 503 that is not clean says why, too."""

    kind: str
    began: float
    ended: float
    status: int
    fault: str = ""

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004

    @property
    def is_clean(self) -> bool:
        return self.status == UNAVAILABLE and not self.fault


@dataclass(frozen=True)
class Call:
    """A request, and what to write down once it is acknowledged."""

    kind: str
    method: str
    path: str
    body: bytes | None = None
    content_type: str = "application/json"
    keep: Callable[[Any], None] = lambda _: None
    also: str = ""  # a refusal's code that says that it has been done before


class Wire:
    """One kept connection. A kept one that turns out to be closed is opened anew, as every client does."""

    def __init__(self, base: str, context: ssl.SSLContext | None) -> None:
        self.address, self.context = urlsplit(base), context
        self.line: http.client.HTTPConnection | None = None
        self.stale = 0

    def opened(self) -> http.client.HTTPConnection:
        where = (self.address.hostname or "", self.address.port)
        if self.address.scheme == "https":
            return http.client.HTTPSConnection(*where, timeout=TIMEOUT_SECONDS, context=self.context)
        return http.client.HTTPConnection(*where, timeout=TIMEOUT_SECONDS)

    def ask(self, call: Call, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        """Raises OSError or HTTPException where there is no answer."""
        if self.line is not None and self.line.sock is not None:
            try:
                return self.once(call, headers)
            except (ConnectionError, http.client.RemoteDisconnected, ssl.SSLEOFError):
                self.stale += 1
        self.line = self.opened()
        return self.once(call, headers)

    def once(self, call: Call, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        assert self.line is not None  # noqa: S101 - ``ask`` opened it
        try:
            self.line.request(call.method, f"/api/{call.path}", call.body, headers)
            response = self.line.getresponse()
            return response, response.read()
        except (OSError, http.client.HTTPException):
            self.line.close()
            raise
