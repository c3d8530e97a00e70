"""Where fuzzing takes place: production servers of its own, and whether their logs are clean afterwards."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "drills"))
import faults

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST, PROJECT, BIN = faults.HOST, faults.PROJECT, faults.BIN
ROOT_CAUSES: Final = ("unhandled_error", "Traceback (most recent call last)")
# Fairness is off: what is refused unread finds nothing. What bounds guesses of one code stays.
UNTHROTTLED: Final = {
    "API_WRITES_PER_USER": "",
    "EXPORTS_PER_USER": "",
    "MAGIC_LINK_PER_ADDRESS": "",
    "MAGIC_LINK_PER_SOURCE": "",
    "VERIFY_PER_SOURCE": "",
    "SOCKETS_PER_SOURCE": "",
    "SOCKETS_PER_USER": "",
    "CHAT_BURST": "1000000",
    "CHAT_PER_SECOND": "1000000",
    "FILE_UPLOADS_PER_DAY": "1000000",
    "FILE_UPLOAD_BYTES_PER_DAY": "1000000000000",
    "JWT_ACCESS_TOKEN_LIFETIME_HOURS": "24",
    "DJANGO_LOG_LEVEL": "WARNING",
    # Mail goes nowhere; that it is written is what counts here.
    "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
}


class Stage:
    """The servers: ``http`` is gunicorn, ``sockets`` is uvicorn; a worker runs what they enqueue."""

    def __init__(self) -> None:
        self.redis = faults.redis()
        self.folder = tempfile.TemporaryDirectory(prefix="btf-fuzz-")
        os.environ.update(UNTHROTTLED, MEDIA_ROOT=self.folder.name)
        faults.ENVIRONMENT.update(UNTHROTTLED)
        self.http = faults.http_server(workers=2)
        self.sockets = faults.socket_server()
        self.worker = faults.worker()
        self.started = [self.redis, self.http, self.sockets, self.worker]

    def start(self) -> None:
        self.redis.start()
        faults.prepare(self.redis.port)
        for server in (self.http, self.sockets, self.worker):
            server.start()
        faults.wait_until_ready(self.http)

    def stop(self) -> None:
        for server in reversed(self.started):
            server.stop()
        self.folder.cleanup()

    @property
    def origin(self) -> str:
        return f"http://{faults.HOST}:{self.http.port}"

    def complaints(self) -> int:
        """Count the errors nobody expected in the servers' logs, and print the first of them."""
        found = [
            line
            for server in (self.http, self.sockets, self.worker)
            for line in server.told().splitlines()
            if any(cause in line for cause in ROOT_CAUSES)
        ]
        for line in found[:5]:
            print(line[:1_200], "...", line[-1_800:])
        return len(found)


@contextmanager
def standing() -> Iterator[Stage]:
    """Start a stage, and end it whatever happens on it."""
    stage = Stage()
    try:
        stage.start()
        yield stage
    finally:
        stage.stop()


def tell_unreached(operations: set[str]) -> None:
    """Print what nobody was let through to: calls are made of the document, and rules know more."""
    for operation in sorted(operations):
        print(f"    only refused: {operation}")


def settle(faulty: dict[str, int]) -> None:
    """Print what must be nothing, and exit with 1 where it is not."""
    for name, number in faulty.items():
        print(f"{name:44}{number:>8}")
    if any(faulty.values()):
        raise SystemExit("FAILED: a number above is not 0")
