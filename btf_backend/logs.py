"""How log lines look: one line of text on a laptop, one JSON object in production."""

from typing import Any, Final

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
HANDLERS: Final = ["console", "defects"]
SERVERS: Final = ("django.server", "gunicorn.access", "uvicorn", "uvicorn.access", "uvicorn.error")


def logging_settings(*, level: str, structured: bool) -> dict[str, Any]:
    """Return Django's LOGGING: every line carries the request's id and no personal datum."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": "core.logs.RequestIdFilter"},
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
                "filters": ["client_faults", "request_id", "no_tokens"],
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

    On a laptop the server tells of each request already, so ours is kept for production.
    """
    # Servers bring handlers of their own, which know nothing of our filters.
    server = {"handlers": HANDLERS, "level": level, "propagate": False}
    return {
        "django": {"level": level},
        **dict.fromkeys(SERVERS, server),
        "core.watching.requests": {"level": level if structured else "WARNING"},
        "daphne.server": {"level": "WARNING"},
        # The library logs the arguments' results of each task; ours logs names alone.
        "django_tasks": {"level": "WARNING"},
    }
