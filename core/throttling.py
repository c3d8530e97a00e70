"""Budgets as REST framework throttles: 429 with ``Retry-After``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS
from rest_framework.throttling import BaseThrottle

from core.http import client_source
from core.limits import take, take_or_fall_back
from core.watching import metrics

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class BudgetThrottle(BaseThrottle):
    """Takes one place of a bucket's budget per request.

    ``setting`` names the rates, read at each request. Redis down: the request fails with 503,
    save where ``falls_back`` bounds it by this process's own memory instead.
    """

    setting = ""
    falls_back = False

    def allow_request(self, request: Request, view: APIView) -> bool:
        self.seconds = 0
        bucket = self.bucket(request)
        # A method that the view does not have costs nothing: it is answered 405.
        if bucket is not None and hasattr(view, (request.method or "").lower()):
            budget = take_or_fall_back if self.falls_back else take
            self.seconds = budget(f"{self.setting}:{bucket}", getattr(settings, self.setting))
        if self.seconds:
            metrics.throttled.labels(self.setting).inc()
        return self.seconds == 0

    def bucket(self, request: Request) -> str | None:
        """Name the budget; None where this request needs none."""
        raise NotImplementedError

    def wait(self) -> float | None:
        return self.seconds


class WritesPerPerson(BudgetThrottle):
    """Writes by one signed-in person: fairness, so an outage of Redis stops nobody."""

    setting = "API_WRITES_PER_USER"
    falls_back = True

    def bucket(self, request: Request) -> str | None:
        if request.method in SAFE_METHODS or not request.user.is_authenticated:
            return None
        return str(request.user.pk)


class ExportsPerPerson(BudgetThrottle):
    """Whole tables that one person takes away. An outage of Redis stops nobody."""

    setting = "EXPORTS_PER_USER"
    falls_back = True

    def bucket(self, request: Request) -> str | None:
        return str(request.user.pk) if request.user.is_authenticated else None


class PerSource(BudgetThrottle):
    """Requests from one source address."""

    def bucket(self, request: Request) -> str | None:
        return client_source(request)
