"""What must hold of the operators' own secrets before the server starts."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from core.checks import STARTUP

MINIMUM_TOKEN_LENGTH = 20


@register(STARTUP)
def metrics_are_guarded(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterator[CheckMessage]:
    """Refuse a token that somebody could guess, or that no header can carry."""
    token = settings.METRICS_TOKEN
    if token and (len(token) < MINIMUM_TOKEN_LENGTH or not token.isascii() or " " in token):
        yield Error(
            f"METRICS_TOKEN must be {MINIMUM_TOKEN_LENGTH} ASCII characters or more, without spaces.",
            id="btf.E013",
        )


@register(STARTUP)
def defects_can_be_reported(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterator[CheckMessage]:
    """Refuse what is no address of an error tracker: the first defect would find out."""
    if settings.SENTRY_DSN and not is_dsn(settings.SENTRY_DSN):
        yield Error("SENTRY_DSN must be https://<key>@<host>/<project number>.", id="btf.E014")


def is_dsn(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    project = parts.path.rpartition("/")[2]
    return parts.scheme in {"http", "https"} and bool(parts.username and parts.hostname) and project.isdigit()
