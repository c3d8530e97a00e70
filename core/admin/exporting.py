"""Exports at the admin site: within the same budget as over the API (EXPORTS_PER_USER)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from core.limits import take_or_fall_back
from core.refusals import TooMany
from core.throttling import ExportsPerPerson
from core.watching import metrics

if TYPE_CHECKING:
    from users.models import User


def take_export(*, by: User) -> None:
    """Take one place of a person's budget for exports. Raises TooMany (429)."""
    name = ExportsPerPerson.setting
    if seconds := take_or_fall_back(f"{name}:{by.pk}", settings.EXPORTS_PER_USER):
        metrics.throttled.labels(name).inc()
        raise TooMany(seconds)
