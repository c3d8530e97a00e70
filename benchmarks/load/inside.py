"""The WSGI application called in this process: all of the product, without a server around it."""

from __future__ import annotations

import gc
import io
import statistics
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .calls import body_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .calls import Call


class Inside:
    """Sends calls to the application as gunicorn does, and closes what it answers."""

    def __init__(self) -> None:
        from btf_backend.wsgi import application

        self.application: Callable[..., Any] = application
        self.sent = 0

    def send(self, call: Call, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body. Raises SystemExit on another status than the call's, save 304."""
        path, token, body = call.path, call.token, b""
        if call.targets:
            path, token = call.targets[self.sent % len(call.targets)]
        if call.is_post:
            body = body_of(uuid.uuid4().hex)
        self.sent += 1
        environ = environ_of(call.method, path, {**call.headers, **headers}, token, body)
        told: list[Any] = []
        answer = self.application(environ, lambda status, fields, _error=None: told.extend((status, fields)))
        content = b"".join(answer)
        getattr(answer, "close", lambda: None)()
        status = int(told[0].split()[0])
        if status not in {call.status, 304}:
            raise SystemExit(f"{call.name}: {told[0]} {content[:500]!r}")
        return status, dict(told[1]), content


def environ_of(method: str, path: str, headers: dict[str, str], token: str, body: bytes) -> dict[str, Any]:
    """Return the environ of a request, as PEP 3333 has it."""
    bare, _, query = path.partition("?")
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {
        **named,
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "HTTP_HOST": "127.0.0.1",
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(bare),
        "QUERY_STRING": query,
        "CONTENT_TYPE": "application/json" if body else "",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def cpu_ms(send: Callable[[], object], *, chunks: int, size: int) -> list[float]:
    """Return the CPU milliseconds a call of each chunk, of this process alone."""
    gc.collect()
    found = []
    for _ in range(chunks):
        began = time.process_time()
        for _ in range(size):
            send()
        found.append((time.process_time() - began) * 1000 / size)
    return found


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):7.2f}  ({min(values):.2f} to {max(values):.2f})"
