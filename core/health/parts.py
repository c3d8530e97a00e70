"""Storage and mail, which may take long to answer: asked in the background, every half a minute at most."""

from __future__ import annotations

import logging
import os
import shutil
import smtplib
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from core.uploads.files import bucket_client, in_bucket, is_in_bucket

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 30.0
LIMIT_SECONDS: Final = 15.0  # above every time-out of the probes: who takes longer does not answer
FREE_BYTES: Final = 268_435_456  # ten of the largest files
SMTP_SECONDS: Final = 3.0
SMTP_BACKEND: Final = "django.core.mail.backends.smtp.EmailBackend"

CONNECTED, ERROR, UNKNOWN, NOT_PROBED = "connected", "error", "unknown", "not_probed"


class Probe:
    """Asks one thing in a thread of its own, for all callers of this process.

    However many call, it asks once in ``EVERY_SECONDS``, and never twice at a time. What was learnt is good
    for the ``target`` that was asked: where the settings say another, nothing is known of it yet.
    """

    def __init__(self, name: str, ask: Callable[[], str], target: Callable[[], object]) -> None:
        self.name, self.ask, self.target = name, ask, target
        self.executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"health-{name}")
        self.lock = Lock()
        self.forget()

    def forget(self) -> None:
        self.learnt, self.asked_at = UNKNOWN, -EVERY_SECONDS
        self.asked: object = None
        self.answer: Future[None] | None = None

    def begin(self) -> None:
        """Ask, where it is time to."""
        with self.lock:
            target = self.target()
            if target != self.asked:
                self.forget()
                self.asked = target
            is_free = self.answer is None or self.answer.done()
            if is_free and monotonic() - self.asked_at >= EVERY_SECONDS:
                self.asked_at = monotonic()
                # Its one thread does one after the other: when the second is done, all is known.
                asked = self.executor.submit(self.ask)
                self.answer = self.executor.submit(self.learn, target, asked)

    def learn(self, target: object, answer: Future[str]) -> None:
        error = answer.exception()
        if error is not None:
            logger.warning("probe_failed", extra={"probe": self.name, "store_error": type(error).__name__})
        if target == self.asked:
            self.learnt = answer.result() if error is None else ERROR

    def word(self, until: float) -> str:
        """Return what was learnt last. While that is nothing, wait for it, to that moment at most."""
        answer = self.answer
        if answer is None or answer.done():
            return self.learnt
        if self.learnt == UNKNOWN:
            wait([answer], timeout=max(0.0, until - monotonic()))
        is_overdue = not answer.done() and monotonic() - self.asked_at > LIMIT_SECONDS
        return ERROR if is_overdue else self.learnt


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


def where_files_lie() -> object:
    return (settings.STORAGES["default"], settings.MEDIA_ROOT)


def where_mail_goes() -> object:
    names: Any = ("EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_SSL")
    return tuple(getattr(settings, name) for name in names)


storage: Final = Probe("storage", ask_storage, where_files_lie)
mail: Final = Probe("mail", ask_mail, where_mail_goes)
