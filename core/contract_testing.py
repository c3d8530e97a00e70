"""Holds what test clients are answered against the OpenAPI document: status, headers, type, keys of JSON."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
import orjson
from django.conf import settings
from django.test import AsyncClient, Client

from core.docs import document
from core.schema import envelope

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from django.http import HttpRequest, HttpResponseBase

# HEAD is answered as GET is, and OPTIONS by whoever asks for what CORS allows: the document tells of neither.
UNTOLD: Final = {"HEAD", "OPTIONS"}
# What may come before it is known that there is no such method, beside 405 itself.
BEFORE_METHOD: Final = {401, 403, 404, 429, 503}
NOTHING: Final[AbstractSet[int]] = frozenset()
NOT_ALLOWED: Final = 405
# Headers that the document tells of wherever they are sent.
TOLD: Final = ("ETag", "Idempotent-Replayed", "Location", "Retry-After")
DOCUMENT: Final = "urn:openapi"
JSON: Final = "application/json"
SHOWN: Final = 3


class Undocumented(AssertionError):
    """An answer is not what the OpenAPI document says."""


def strict(part: Any) -> Any:
    """Return a JSON Schema of which an object has the keys that it names and no other."""
    if isinstance(part, list):
        return [strict(item) for item in part]
    if not isinstance(part, dict):
        return part
    made = {name: strict(value) for name, value in part.items()}
    if isinstance(made.get("properties"), dict):
        made.setdefault("additionalProperties", False)
    return made


@cache
def registry() -> jsonschema_rs.Registry:
    schemas = {name: strict(one) for name, one in document()["components"]["schemas"].items()}
    return jsonschema_rs.Registry([(DOCUMENT, {"components": {"schemas": schemas}})])


def absolute(part: Any) -> Any:
    """Let the references of a schema name the document that they are of."""
    if isinstance(part, list):
        return [absolute(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {name: DOCUMENT + value if name == "$ref" else absolute(value) for name, value in part.items()}


def validator_of(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Return what tells the faults of a value by a schema of the document."""
    whole = absolute(strict(schema))
    return jsonschema_rs.Draft202012Validator(whole, registry=registry(), validate_formats=True)


def faults(validator: jsonschema_rs.Draft202012Validator, value: Any) -> list[str]:
    """Return where a value differs from its schema, and how."""
    return [
        f"{'/'.join(map(str, error.instance_path)) or 'the whole'}: {error.message[:200]}"
        for error in validator.iter_errors(value)
    ]


@cache
def templates() -> list[tuple[re.Pattern[str], str]]:
    """Return every path as a pattern, with the fewest parameters first."""
    paths = sorted(document()["paths"], key=lambda path: (path.count("{"), path))
    return [
        (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(one.rstrip("/"))) + "/?$"), one)
        for one in paths
    ]


def template_of(path: str) -> str | None:
    """Return the path of the document that an address is of, or None: it is of none."""
    return next((template for pattern, template in templates() if pattern.match(path)), None)


@cache
def validator_for(template: str, method: str, status: str) -> jsonschema_rs.Draft202012Validator:
    answer = document()["paths"][template][method]["responses"][status]
    return validator_of(answer["content"][JSON]["schema"])


@cache
def refusal(status: int) -> jsonschema_rs.Draft202012Validator:
    return validator_of(envelope(status))


def hold(method: str, path: str, response: HttpResponseBase, *, anywhere: AbstractSet[int] = NOTHING) -> None:
    """Raise Undocumented where an answer under a path of the document is not what is said of it.

    ``anywhere``: what the request has earned, whatever its operation tells of: see ``earned``.
    """
    template = None if method in UNTOLD else template_of(path)
    if template is None:
        return
    differences = differences_of(template, method.lower(), response, anywhere=anywhere)
    if differences:
        shown = "\n  ".join(differences[:SHOWN])
        raise Undocumented(
            f"{method} {template} answered {response.status_code}, not as documented:\n  {shown}"
        )


def differences_of(
    template: str, method: str, response: Any, *, anywhere: AbstractSet[int] = NOTHING
) -> list[str]:
    """Return how an answer differs from what its operation documents."""
    operation = document()["paths"][template].get(method)
    if operation is None:
        return unknown_method(response, anywhere)
    answers, status = operation["responses"], str(response.status_code)
    if status not in answers and response.status_code in anywhere:
        return refusal_faults(response)
    if status not in answers:
        return [f"the status is none of {', '.join(answers)}"]
    return header_faults(response, answers[status].get("headers", {})) + body_faults(
        response, template, method, answers[status].get("content", {})
    )


def unknown_method(response: Any, anywhere: AbstractSet[int]) -> list[str]:
    """Return how an answer differs from 405 (RFC 9110, 15.5.6), or from what may come before it."""
    if response.status_code == NOT_ALLOWED and "Allow" not in response.headers:
        return ["a 405 that does not say what is allowed"]
    if response.status_code not in {NOT_ALLOWED, *BEFORE_METHOD, *anywhere}:
        return ["the document does not know the method, which is 405"]
    return refusal_faults(response)


def refusal_faults(response: Any) -> list[str]:
    """Return how a refusal differs from the envelope with a code of its status."""
    if kind_of(response) != JSON:
        return [f"{kind_of(response)}, and no envelope"]
    return faults(refusal(response.status_code), orjson.loads(response.content))


def header_faults(response: Any, headers: dict[str, Any]) -> list[str]:
    """Return which headers were not told of, are missing, or hold something else than is told."""
    found = [f"{name}, of which the document does not know" for name in TOLD if name in response.headers]
    found = [one for one in found if one.partition(",")[0] not in headers]
    for name, header in headers.items():
        value = response.headers.get(name)
        if value is None:
            found += [f"no {name}"] if header.get("required") else []
        elif header["schema"]["type"] == "integer":
            found += [] if value.isdecimal() else [f"{name}: {value} is no number"]
        else:
            found += [f"{name}: {one}" for one in faults(validator_of(header["schema"]), value)]
    return found


def body_faults(response: Any, template: str, method: str, kinds: dict[str, Any]) -> list[str]:
    if not kinds:
        is_empty = not (response.streaming or response.content)
        return [] if is_empty else ["a body, of which the document does not know"]
    kind = kind_of(response)
    if kind not in kinds:
        return [f"{kind or 'no content'} is none of {', '.join(kinds)}"]
    if kind != JSON or response.streaming:
        return []
    validator = validator_for(template, method, str(response.status_code))
    return faults(validator, orjson.loads(response.content))


def kind_of(response: Any) -> str:
    kind: str = response.headers.get("Content-Type", "").partition(";")[0]
    return kind


def earned(request: HttpRequest, *, may_fail: bool) -> set[int]:
    """Return what any operation may answer to such a request, as the document says once for all.

    An unknown ``?format=``, an ``Accept`` without JSON, a body above what we read, and a fault of ours where
    the test expects one: its client does not raise it.
    """
    length = request.headers.get("Content-Length") or "0"
    reasons = {
        404: request.GET.get("format", "") not in {"", "json"},
        406: JSON not in request.headers.get("Accept", JSON),
        413: length.isdecimal() and is_above(length, settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0),
        500: may_fail,
    }
    return {status for status, is_so in reasons.items() if is_so}


def is_above(digits: str, limit: int) -> bool:
    """Compare a number of which nobody knows how long it is: Python reads 4,300 digits at most."""
    return len(digits) > len(str(limit)) or int(digits) > limit


def hold_answer(client: Client | AsyncClient, request: HttpRequest, response: Any) -> None:
    may_fail = not client.raise_request_exception
    hold(str(request.method), request.path, response, anywhere=earned(request, may_fail=may_fail))


def hold_answers() -> None:
    """Hold every answer of every test client, from now on: ``APIClient`` is a ``Client`` too."""
    ask: Callable[..., Any] = Client.request
    ask_async: Callable[..., Any] = AsyncClient.request

    def request(self: Client, **environ: Any) -> Any:
        response = ask(self, **environ)
        hold_answer(self, response.wsgi_request, response)
        return response

    async def request_async(self: AsyncClient, **scope: Any) -> Any:
        response = await ask_async(self, **scope)
        hold_answer(self, response.asgi_request, response)
        return response

    document()
    Client.request = request  # type: ignore[method-assign]
    AsyncClient.request = request_async  # type: ignore[method-assign]
