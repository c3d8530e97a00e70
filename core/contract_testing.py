"""Holds what the test clients are answered against the OpenAPI document: status, type, every key of JSON."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
import orjson
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from django.http import HttpResponseBase

METHODS: Final = {"GET", "POST", "PUT", "PATCH", "DELETE"}
# What any operation may answer, and the document says once for all: an ``Accept`` without JSON, a body that
# is too large where none is wanted, and a fault of ours.
ANYWHERE: Final = {406, 413, 500}
DOCUMENT: Final = "urn:openapi"
JSON: Final = "application/json"
SHOWN: Final = 3


class Undocumented(AssertionError):
    """An answer is not what the OpenAPI document says."""


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document as clients get it."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


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


def template_of(method: str, path: str) -> str | None:
    """Return the path of the operation that a request is for, or None: it is for none."""
    if method not in METHODS or not path.startswith("/api/"):
        return None
    known = next((template for pattern, template in templates() if pattern.match(path)), None)
    return known if known and method.lower() in document()["paths"][known] else None


@cache
def validator_for(template: str, method: str, status: str) -> jsonschema_rs.Draft202012Validator:
    answer = document()["paths"][template][method]["responses"][status]
    return validator_of(answer["content"][JSON]["schema"])


@cache
def refusal() -> jsonschema_rs.Draft202012Validator:
    return validator_of({"$ref": "#/components/schemas/Refusal"})


def hold(
    method: str, path: str, response: HttpResponseBase, *, anywhere: AbstractSet[int] = ANYWHERE
) -> None:
    """Raise Undocumented where an operation's answer is not what the document says of it."""
    template = template_of(method, path)
    if template is None:
        return
    differences = differences_of(template, method.lower(), response, anywhere=anywhere)
    if differences:
        shown = "\n  ".join(differences[:SHOWN])
        raise Undocumented(
            f"{method} {template} answered {response.status_code}, not as documented:\n  {shown}"
        )


def differences_of(
    template: str, method: str, response: Any, *, anywhere: AbstractSet[int] = ANYWHERE
) -> list[str]:
    """Return how an answer differs from what its operation documents."""
    status, kind = str(response.status_code), response.headers.get("Content-Type", "").partition(";")[0]
    answers = document()["paths"][template][method]["responses"]
    if status not in answers and response.status_code in anywhere:
        return faults(refusal(), orjson.loads(response.content))
    if status not in answers:
        return [f"the status is none of {', '.join(answers)}"]
    kinds = answers[status].get("content", {})
    if not kinds:
        return (
            ["a body, of which the document does not know"] if response.streaming or response.content else []
        )
    if kind not in kinds:
        return [f"{kind or 'no content'} is none of {', '.join(kinds)}"]
    if kind != JSON or response.streaming:
        return []
    return faults(validator_for(template, method, status), orjson.loads(response.content))


def hold_answers() -> None:
    """Hold every answer of every test client, from now on: ``APIClient`` is a ``Client`` too."""
    ask: Callable[..., Any] = Client.request

    def request(self: Client, **environ: Any) -> Any:
        response = ask(self, **environ)
        asked = response.wsgi_request
        # ``?format=`` with what nobody renders is REST framework's 404.
        anywhere = ANYWHERE | ({404} if "format" in asked.GET else set())
        hold(asked.method, asked.path, response, anywhere=anywhere)
        return response

    document()
    Client.request = request  # type: ignore[method-assign]
