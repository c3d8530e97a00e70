"""Exports at the admin site: within the same budget as over the API (EXPORTS_PER_USER)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponseRedirect

from core.admin.house import actor
from core.limits import take_or_fall_back
from core.refusals import Refused, TooMany
from core.throttling import ExportsPerPerson
from core.watching import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from users.models import User


class ExportedMuch(TooMany):
    """The budget of a person for exports is used up (429)."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        minutes = -(-retry_after // 60)
        self.message = f"You have exported much lately. The next export is possible in {minutes} min."


def take_export(*, by: User) -> None:
    """Take one place of a person's budget for exports. Raises ExportedMuch (429)."""
    name = ExportsPerPerson.setting
    if seconds := take_or_fall_back(f"{name}:{by.pk}", settings.EXPORTS_PER_USER):
        metrics.throttled.labels(name).inc()
        raise ExportedMuch(seconds)


def export_or_back(
    page: ModelAdmin[Any], request: HttpRequest, make: Callable[[], HttpResponseBase], *, back: str
) -> HttpResponseBase:
    """Answer with the file that ``make`` writes; lead ``back`` where the budget is used up, or it refuses."""
    try:
        take_export(by=actor(request))
        return make()
    except Refused as refusal:
        page.message_user(request, refusal.message, messages.ERROR)
    return HttpResponseRedirect(back)
