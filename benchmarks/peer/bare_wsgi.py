"""``benchmarks.peer.bare_wsgi:app``: what gunicorn gives at most, a small answer that costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

BODY: Final = b'{"status":"ok"}'
HEADERS: Final = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]


def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answer, whatever is asked."""
    start_response("200 OK", HEADERS)
    return [BODY]
