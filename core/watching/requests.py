"""One line of the log and some numbers for each request: by its route, never by its path."""

from __future__ import annotations

import logging
import time
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.db import connection
from django.utils.functional import SimpleLazyObject

from core.watching import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase
    from prometheus_client import Counter, Histogram

logger = logging.getLogger(__name__)

METHODS: Final = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
UNKNOWN: Final = "unknown"
QUIET: Final = {"metrics", "api/health/", "api/health/live/"}  # asked again and again, by machines

current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)


class RequestLogMiddleware:
    """Tells of every request once its answer begins: of a streamed one, before its body.

    A path holds tokens and ids, a query what is searched for; so neither is told, nor any address.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began, queries = time.perf_counter(), QueryCount()
        at_hand = current_request.set(request)
        metrics.requests_in_flight.inc()
        try:
            with connection.execute_wrapper(queries):
                response = self.get_response(request)
        finally:
            metrics.requests_in_flight.dec()
            current_request.reset(at_hand)
        tell(request, response.status_code, time.perf_counter() - began, queries.number)
        return response


class QueryCount:
    """Counts what goes to the database over one connection, whichever thread has it on loan."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, execute: Callable[..., Any], *args: Any) -> Any:
        self.number += 1
        return execute(*args)


def tell(request: HttpRequest, status: int, seconds: float, queries: int) -> None:
    route = route_of(request)
    method = request.method if request.method in METHODS else "other"  # nobody's own words
    requests, durations = numbers_of(method, route, status // 100)
    requests.inc()
    durations.observe(seconds)
    metrics.request_queries.observe(queries)
    level = level_of(route, status)
    if logger.isEnabledFor(level):
        told = {
            "method": method,
            "route": route,
            "status": status,
            "duration_ms": round(seconds * 1000, 1),
            "queries": queries,
            "user_id": user_id_of(request),
        }
        logger.log(level, "request", extra=told)


@lru_cache(maxsize=4096)
def numbers_of(method: str, route: str, hundreds: int) -> tuple[Counter, Histogram]:
    """Return what counts such requests: to look it up takes longer than to count."""
    return metrics.requests.labels(method, route, f"{hundreds}xx"), metrics.request_seconds.labels(route)


def level_of(route: str, status: int) -> int:
    if status >= 500:  # noqa: PLR2004 - server errors
        return logging.WARNING
    return logging.DEBUG if route in QUIET else logging.INFO


def route_of(request: HttpRequest) -> str:
    """Return the pattern of the URLconf that answers; one word for whatever none of them does."""
    match = request.resolver_match
    return UNKNOWN if match is None or match.url_name == "unknown-path" else match.route


def user_id_of(request: HttpRequest) -> int | str:
    """Return who is known to ask, or ``-``. Looks nobody up: whom no view asked for stays unknown."""
    user: Any = vars(request).get("user")
    if isinstance(user, SimpleLazyObject):
        user = vars(request).get("_cached_user")
    return getattr(user, "pk", None) or "-"
