"""How log lines look: one line of text on a laptop, one JSON object in production."""

from typing import Any, Final

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
HANDLERS: Final = ["console", "defects"]
SERVERS: Final = ("django.server", "gunicorn.access", "uvicorn", "uvicorn.access", "uvicorn.error")
FOR_PRODUCTION: Final = ("core.watching.requests", "core.clock", "core.periodic")
# In this order: a client's fault is known by its words.
FILTERED: Final = ["client_faults", "request_id", "no_words", "no_tokens"]
# On a laptop an exception may say what it has to say.
FILTERED_AS_TEXT: Final = [name for name in FILTERED if name != "no_words"]


def logging_settings(*, level: str, structured: bool) -> dict[str, Any]:
    """Return Django's LOGGING: every line carries the request's id and no personal datum."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": "core.logs.RequestIdFilter"},
            "no_words": {"()": "core.logs.WordlessMessages"},
            "no_tokens": {"()": "core.logs.TokenScrubber"},
            "client_faults": {"()": "core.logs.ClientFaults"},
        },
        "formatters": {
            "text": {"format": "{levelname:7} {name} [{request_id}] {message}", "style": "{"},
            "json": {
                "()": "core.logs.WordlessJson",
                "format": "{asctime}{levelname}{name}{request_id}{message}",
                "style": "{",
            },
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "filters": FILTERED if structured else FILTERED_AS_TEXT,
                "formatter": "json" if structured else "text",
            },
            "defects": {
                "class": "core.watching.defects.DefectHandler",
                "filters": ["client_faults"],
                "level": "ERROR",
            },
        },
        "root": {"handlers": HANDLERS, "level": level},
        "loggers": loggers(level=level, structured=structured),
    }


def loggers(*, level: str, structured: bool) -> dict[str, Any]:
    """Return what single loggers do otherwise.

    On a laptop the server tells of each request already, so ours is kept for production; and what comes round
    each minute would push the mail with the code out of sight.
    """
    # Servers bring handlers of their own, which know nothing of our filters.
    server = {"handlers": HANDLERS, "level": level, "propagate": False}
    return {
        "django": {"level": level},
        **dict.fromkeys(SERVERS, server),
        "gunicorn.error": {"handlers": HANDLERS, "propagate": False},  # at the level that gunicorn was given
        **{name: {"level": level if structured else "WARNING"} for name in FOR_PRODUCTION},
        "daphne.server": {"level": "WARNING"},
        # The library logs the arguments' results of each task; ours logs names alone.
        "django_tasks": {"level": "WARNING"},
    }


def gunicorn_settings() -> dict[str, Any]:
    """Return what of it gunicorn can have before any settings are known: JSON, and no report of defects."""
    known = logging_settings(level="INFO", structured=True)
    return {
        **{name: known[name] for name in ("version", "disable_existing_loggers", "filters", "formatters")},
        "handlers": {"console": known["handlers"]["console"]},
        "loggers": {"gunicorn.error": {"handlers": ["console"], "propagate": False}},
    }
