"""What a production server does before it serves: run the start-up checks, or not start; then load all."""

import gc
import sys
from importlib import import_module

import django
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages

from core.checks import STARTUP
from core.watching.uncaught import log_what_nobody_caught

# gunicorn stops at this status; at any other it starts the worker again, for ever.
CANNOT_BOOT = 3
MAILS_NOBODY = {
    "core.console_mail.EmailBackend",
    *(
        f"django.core.mail.backends.{name}.EmailBackend"
        for name in ("console", "dummy", "filebased", "locmem")
    ),
}


def doubts() -> list[str]:
    """Say what lets a production server start, but hardly as it was meant."""
    found = []
    if settings.PRODUCTION and settings.EMAIL_BACKEND in MAILS_NOBODY:
        found.append("EMAIL_BACKEND mails nobody; console even prints addresses and codes into the log.")
    if settings.PRODUCTION and "yourdomain.com" in settings.FRONTEND_BASE_URL:
        found.append("FRONTEND_BASE_URL is not set: mailed links open somebody else's site.")
    return found


def refuse_unsafe_start() -> None:
    """End the process with one line per reason where the configuration must not be served.

    gunicorn and uvicorn know nothing of Django's checks; and a server of their kind on the
    embedded profile is a mistake unless DEBUG=True was said in so many words.
    """
    try:
        django.setup()
        found = run_checks(tags=[STARTUP])
        reasons = [str(message.msg) for message in found if message.is_serious()]
        warnings = [*doubts(), *(str(message.msg) for message in found if not message.is_serious())]
        if settings.EMBEDDED and not settings.DEBUG_WAS_SAID:
            reasons.append(
                "The embedded profile is for `make run`: set DB_NAME and REDIS_URL, or say DEBUG=True."
            )
    except ImproperlyConfigured as error:
        reasons, warnings = [str(error)], []
    for warning in () if reasons else warnings:
        sys.stderr.write(f"Warning: {warning}\n")
    for reason in reasons:
        sys.stderr.write(f"Refused to start: {reason}\n")
    if reasons:
        sys.exit(CANNOT_BOOT)
    if settings.PRODUCTION:
        log_what_nobody_caught()


def load_all() -> None:
    """Load now what the first request would wait for, some 0.2 seconds; call it when all else is loaded.

    What is there by then stays: a full search for garbage would look through it, and hold every thread up
    for a tenth of a second.
    """
    import_module(settings.ROOT_URLCONF)
    storages["default"]  # the library of a bucket, where files lie in one
    gc.collect()
    gc.freeze()
