"""Storage, mail and channels, which may take long: asked in the background, every half a minute at most."""

from __future__ import annotations

import logging
import os
import shutil
import smtplib
from concurrent.futures import wait
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.uploads.files import bucket_client, in_bucket, is_in_bucket
from core.watching.lending import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 30.0
GOOD_SECONDS: Final = 2 * EVERY_SECONDS
LIMIT_SECONDS: Final = 15.0  # above every time-out of the probes: who takes longer does not answer
FREE_BYTES: Final = 268_435_456  # ten of the largest files
SMTP_SECONDS: Final = 3.0
CHANNELS_SECONDS: Final = 1.0
SMTP_BACKEND: Final = "django.core.mail.backends.smtp.EmailBackend"

CONNECTED, ERROR, UNKNOWN, NOT_PROBED = "connected", "error", "unknown", "not_probed"


class Probe:
    """Asks one thing in a thread of its own, for all callers of this process.

    However many call, it asks once in ``EVERY_SECONDS``, and never twice at a time. What was learnt is good
    for the ``target`` that was asked. An error stays until a newer answer takes its place: a fault that shows
    after seconds is learnt by the next call, however late that comes. That all was well tells nothing of now
    after two such turns.
    """

    def __init__(self, name: str, ask: Callable[[], str], target: Callable[[], object]) -> None:
        self.name, self.ask, self.target = name, ask, target
        self.lock = Lock()
        self.forget()

    def forget(self) -> None:
        self.learnt, self.learnt_at = UNKNOWN, -GOOD_SECONDS
        self.asked_at = -EVERY_SECONDS
        self.asked: object = None
        self.answer: Future[str] | None = None

    def begin(self) -> None:
        """Ask, where it is time to."""
        with self.lock:
            target = self.target()
            if target != self.asked:
                self.forget()
                self.asked = target
            self.learn()
            if self.answer is None and monotonic() - self.asked_at >= EVERY_SECONDS:
                self.asked_at = monotonic()
                self.answer = in_thread(f"health-{self.name}", self.ask)

    def learn(self) -> None:
        """Take the answer, if there is one. It is as old as its question."""
        if self.answer is None or not self.answer.done():
            return
        answer, self.answer = self.answer, None
        error = answer.exception()
        if error is not None:
            logger.warning("probe_failed", extra={"probe": self.name, "store_error": type(error).__name__})
        self.learnt, self.learnt_at = (answer.result() if error is None else ERROR), self.asked_at

    def word(self, until: float) -> str:
        """Return what was learnt last. While that is old or nothing, wait for news, until then at most."""
        with self.lock:
            self.learn()
            answer = self.answer if self.is_old() and not self.is_overdue() else None
        if answer is not None:
            wait([answer], timeout=max(0.0, until - monotonic()))
        with self.lock:
            self.learn()
            return self.known()

    def known(self) -> str:
        if self.is_overdue() or self.learnt == ERROR:
            return ERROR
        return UNKNOWN if self.is_old() else self.learnt

    def is_old(self) -> bool:
        return monotonic() - self.learnt_at >= GOOD_SECONDS

    def is_overdue(self) -> bool:
        return self.answer is not None and monotonic() - self.asked_at > LIMIT_SECONDS


def ask_storage() -> str:
    """Ask the bucket for its headers, or write some bytes where the files lie. Raises what either raises."""
    if is_in_bucket():
        bucket_client().head_bucket(Bucket=in_bucket("")["Bucket"])
        return CONNECTED
    folder = folder_of_files()
    with TemporaryFile(dir=folder) as file:
        file.write(b"written")
        file.flush()
    return CONNECTED if shutil.disk_usage(folder).free >= FREE_BYTES else ERROR


def folder_of_files() -> Path:
    """Return MEDIA_ROOT, or the folder in which it would be made."""
    wished = Path(settings.MEDIA_ROOT).absolute()
    return next(folder for folder in (wished, *wished.parents) if os.path.lexists(folder))


def ask_mail() -> str:
    """Have the mail server say who it is. A mail service is not asked: each call of it may count or cost.

    Raises SMTPException and OSError.
    """
    if settings.EMAIL_BACKEND != SMTP_BACKEND:
        return NOT_PROBED
    kind = smtplib.SMTP_SSL if settings.EMAIL_USE_SSL else smtplib.SMTP
    server = kind(settings.EMAIL_HOST, settings.EMAIL_PORT, local_hostname="localhost", timeout=SMTP_SECONDS)
    server.quit()
    return CONNECTED


def ask_channels() -> str:
    """Have the Redis that carries events answer a ping. Raises what its client does."""
    limits: Any = {"socket_connect_timeout": CHANNELS_SECONDS, "socket_timeout": CHANNELS_SECONDS}
    with Redis.from_url(settings.CHANNEL_REDIS_URL, retry=Retry(NoBackoff(), 0), **limits) as client:
        client.ping()
    return CONNECTED


def are_channels_apart() -> bool:
    """Tell whether events have a Redis of their own: else ``redis`` tells of it, or there is none."""
    url = settings.CHANNEL_REDIS_URL
    return bool(url) and server_of(url) != server_of(settings.CACHES["default"]["LOCATION"])


def server_of(url: str) -> tuple[str, str]:
    """Return what names a Redis, whichever of its databases is meant."""
    parts = urlsplit(url)
    return parts.netloc, parts.path if parts.scheme == "unix" else ""


def where_files_lie() -> object:
    return (settings.STORAGES["default"], settings.MEDIA_ROOT)


def where_mail_goes() -> object:
    names: Any = ("EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_SSL")
    return tuple(getattr(settings, name) for name in names)


def where_events_go() -> object:
    return settings.CHANNEL_REDIS_URL


storage: Final = Probe("storage", ask_storage, where_files_lie)
mail: Final = Probe("mail", ask_mail, where_mail_goes)
channels: Final = Probe("channels", ask_channels, where_events_go)
