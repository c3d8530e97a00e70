"""The one exception handler, and the error envelope that every 4xx and 5xx under ``/api/`` wears."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

import orjson
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError
from rest_framework import exceptions as drf
from rest_framework.views import exception_handler as drf_response

from core.http import request_id
from core.refusals import Refused, TooLarge, Unavailable
from core.watching import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.response import Response

logger = logging.getLogger(__name__)

STORE_ERRORS = (OperationalError, InterfaceError, RedisError, ConnectionInterrupted)
NOT_VALID = "Some fields are not valid."
WHOLE = "non_field_errors"


class Answer(drf.APIException):
    """An exception with its own status, and seconds to wait (``Retry-After``) where that makes sense."""

    def __init__(self, detail: Any, code: str, *, status: int, wait: float | None = None) -> None:
        super().__init__(detail, code)
        self.status_code, self.wait = status, wait


def envelope(sentence: str, code: str, request: Any, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the one error body: what the SPA shows, what programs read, what support asks for.

    Where a field is itself called ``code``, the slug keeps that place and the sentence names the field.
    """
    return {
        **(fields or {}),
        "error": sentence,
        "detail": sentence,
        "code": code,
        "requestId": request_id(request),
    }


def json_error(body: dict[str, Any], *, status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    """Answer an envelope where no REST framework is at hand."""
    return HttpResponse(orjson.dumps(body), status=status, headers=headers, content_type="application/json")


def error_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's EXCEPTION_HANDLER. None: not ours, ApiEdgeMiddleware answers 500."""
    request: Request = context["request"]
    error = as_api_exception(error)
    response = drf_response(error, context)
    if response is None or not isinstance(error, drf.APIException):
        return response
    response.data = body_of(error, request._request)  # noqa: SLF001 - it carries the id
    return response


def response_for(error: Exception, request: HttpRequest) -> HttpResponse:
    """Answer an exception that escaped the REST framework, or was raised outside it."""
    known = as_api_exception(error)
    if isinstance(known, drf.APIException):
        wait: float | None = getattr(known, "wait", None)
        headers = {"Retry-After": str(math.ceil(wait))} if wait else None
        return json_error(body_of(known, request), status=known.status_code, headers=headers)
    logger.error("unhandled_error", exc_info=error)
    got_request_exception.send(sender=None, request=request)
    return json_error(envelope("Something went wrong on our side.", "server_error", request), status=500)


def as_api_exception(error: Exception) -> Exception:
    """Translate what rules, stores and Django raise; leave what nobody expected as it is."""
    if isinstance(error, STORE_ERRORS):
        logger.error("store_unavailable", extra={"store_error": type(error).__name__})
        metrics.store_failures.labels(store_of(error)).inc()
    for kinds, answer in ANSWERS:
        if isinstance(error, kinds):
            return answer(error)
    return error


def store_of(error: BaseException) -> str:
    """Return which store an error of STORE_ERRORS is of."""
    return "database" if isinstance(error, (OperationalError, InterfaceError)) else "redis"


def from_refusal(refusal: Refused) -> drf.APIException:
    """Give a rule's refusal its status, its field and its Retry-After."""
    detail: Any = {refusal.field: [refusal.message]} if refusal.field else refusal.message
    return Answer(detail, refusal.code, status=refusal.status, wait=getattr(refusal, "retry_after", None))


ANSWERS: tuple[tuple[Any, Callable[[Any], Exception]], ...] = (
    (Refused, from_refusal),
    (STORE_ERRORS, lambda _: from_refusal(Unavailable())),
    (IntegrityError, lambda _: Answer("This conflicts with what is stored.", "conflict", status=409)),
    (RequestDataTooBig, lambda _: from_refusal(TooLarge())),
    (Http404, lambda _: drf.NotFound()),
    (PermissionDenied, lambda _: drf.PermissionDenied()),
    (DataError, lambda _: Answer("A value cannot be stored.", "invalid", status=400)),
    (SuspiciousOperation, lambda _: Answer("The request is not acceptable.", "bad_request", status=400)),
)


def body_of(error: drf.APIException, request: Any) -> dict[str, Any]:
    """Shape any API exception: a sentence, its code, and its fields where it names some."""
    detail: Any = error.detail
    if isinstance(detail, dict):
        return envelope(first_sentence(detail), code_of(error), request, as_lists(detail))
    if isinstance(error, drf.ParseError):
        detail = "The request body could not be read."
    return envelope(first_sentence(detail), code_of(error), request)


def code_of(error: drf.APIException) -> str:
    """Return one slug, also where every field has its own."""
    if isinstance(error, drf.ValidationError):
        return "validation_error"
    codes: Any = error.get_codes()
    while not isinstance(codes, str):
        codes = next(iter(codes.values() if isinstance(codes, dict) else codes), "invalid")
    return codes


def first_sentence(detail: Any, name: str = "", *, is_listed: bool = False) -> str:
    """Return the first message of a nested field map, led by the field that it is about.

    That is the field's own name, or in a list the way to it: ``members.0.role``.
    """
    detail = numbered(detail)
    if isinstance(detail, dict):
        named = [(key, value) for key, value in detail.items() if value]
        key, value = named[0] if named else (WHOLE, NOT_VALID)
        is_listed = is_listed or isinstance(key, int)
        if key == WHOLE:
            return first_sentence(value, name, is_listed=is_listed)
        return first_sentence(value, f"{name}.{key}" if is_listed else str(key), is_listed=is_listed)
    if isinstance(detail, list):
        return first_sentence(next((item for item in detail if item), NOT_VALID), name)
    return f"{name}: {detail}" if name else str(detail)


def numbered(detail: Any) -> Any:
    """Return the errors of a list of objects by their index, in whichever form the framework has them."""
    has_fields = isinstance(detail, list) and any(isinstance(item, dict) for item in detail)
    return dict(enumerate(detail)) if has_fields else detail


def as_lists(detail: dict[str, Any]) -> dict[str, Any]:
    """Keep the nesting of objects, make every leaf a list of strings; a list's errors become one list."""
    return {field: leaf(value) for field, value in detail.items()}


def leaf(value: Any) -> Any:
    if isinstance(value, dict) and set(value) != {WHOLE} and not any(isinstance(key, int) for key in value):
        return as_lists(value)
    return sentences(value)


def sentences(value: Any, way: str = "") -> list[str]:
    """Return all messages in a list of objects, each led by its way from there: ``0.tasks.2.name: ...``."""
    value = numbered(value)
    if isinstance(value, dict):
        ways = {key: way if key == WHOLE else f"{way}.{key}".strip(".") for key in value}
        return [sentence for key, item in value.items() for sentence in sentences(item, ways[key])]
    messages = value if isinstance(value, list) else [value]
    return [f"{way}: {message}" if way else str(message) for message in messages if message]
