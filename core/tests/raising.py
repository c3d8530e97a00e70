"""A URLconf whose views raise what the path asks for: inside REST framework, and outside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from django.urls import path, re_path
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from rest_framework import exceptions as drf
from rest_framework.response import Response

from core.refusals import Forbidden, Missing, Refused, TooMany, Unavailable
from core.views import PublicView, unknown_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from rest_framework.request import Request

BY_INDEX: Final[Any] = {1: ["Too long."], 3: ["Too long."]}
SECRET: Final = "host=10.0.0.7 ada@example.org"

ERRORS: Final[dict[str, Callable[[], Exception]]] = {
    "refusal": lambda: Refused("The group is full."),
    "refusal-of-a-field": lambda: Refused("The group is full.", field="groupId"),
    "forbidden": Forbidden,
    "missing": Missing,
    "too-many": lambda: TooMany(7),
    "unavailable": Unavailable,
    "not-authenticated": drf.NotAuthenticated,
    "authentication-failed": lambda: drf.AuthenticationFailed("No.", "token_not_valid"),
    "framework-throttle": lambda: drf.Throttled(wait=2.2),
    "media-type": lambda: drf.UnsupportedMediaType("text/plain"),
    "django-404": lambda: Http404(SECRET),
    "django-403": lambda: PermissionDenied(SECRET),
    "suspicious": lambda: SuspiciousOperation(SECRET),
    "too-big": lambda: RequestDataTooBig(SECRET),
    "integrity": lambda: IntegrityError(SECRET),
    "data": lambda: DataError(SECRET),
    "operational": lambda: OperationalError(SECRET),
    "interface": lambda: InterfaceError(SECRET),
    "redis-gone": lambda: RedisConnectionError(SECRET),
    "redis-slow": lambda: RedisTimeoutError(SECRET),
    "cache-gone": lambda: ConnectionInterrupted(None),
    "unexpected": lambda: RuntimeError(SECRET),
    "flat": lambda: drf.ValidationError("One sentence."),
    "nested": lambda: drf.ValidationError({"profile": {"yearLevel": ["Must be a whole number."]}}),
    "listed": lambda: drf.ValidationError({"members": [{}, {"email": ["Enter an address."]}]}),
    "by-index": lambda: drf.ValidationError({"areasOfInterest": BY_INDEX}),
    "deep": lambda: drf.ValidationError({"milestones": [{}, {"tasks": [{"name": ["Blank."]}]}]}),
    "whole-list": lambda: drf.ValidationError({"milestones": {"non_field_errors": ["Too many."]}}),
    "whole-body": lambda: drf.ValidationError({"non_field_errors": ["The body must be a JSON object."]}),
    "named-code": lambda: drf.ValidationError({"code": ["Wrong."]}),
}


class RaisingView(PublicView):
    """Raises by name; a POST echoes what was parsed."""

    def get(self, request: Request, kind: str) -> NoReturn:
        raise ERRORS[kind]()  # noqa: RSE102 - made anew each time

    def post(self, request: Request, kind: str) -> Response:
        data: Any = request.data
        return Response({"parsed": {name: data[name] for name in data}})


def plain(request: HttpRequest, kind: str) -> Any:
    """Raise outside REST framework."""
    raise ERRORS[kind]()  # noqa: RSE102 - made anew each time


urlpatterns = [
    path("api/framework/<kind>/", RaisingView.as_view()),
    path("api/plain/<kind>/", plain),
    path("pages/<kind>/", plain),
    path("api/bare", RaisingView.as_view(), {"kind": "echo"}),
    re_path(r"^api/", unknown_path, name="unknown-path"),
]
