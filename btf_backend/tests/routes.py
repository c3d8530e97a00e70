"""Every route and operation below ``/api/``, read from the code, so that a new one is tested unasked."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from core.docs import document

if TYPE_CHECKING:
    from collections.abc import Iterator

PART: Final = re.compile(r"<(?:\w+:)?(\w+)>")
DOCS: Final = {"schema", "sockets-schema", "docs", "redoc"}
METHODS: Final = ("get", "post", "put", "patch", "delete")
ENVELOPE: Final = {"error", "detail", "code", "requestId"}


def text_of(pattern: Any) -> str:
    text = str(pattern.pattern)
    return simplify_regex(text).lstrip("/") if isinstance(pattern.pattern, RegexPattern) else text


def walk(patterns: list[Any], prefix: str = "/") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        path = prefix + text_of(pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, path)
        else:
            yield path, pattern


def api_routes() -> list[tuple[str, URLPattern]]:
    """Return each route's path, with 1 for every part that varies, and its pattern."""
    return [
        (PART.sub("1", path), pattern)
        for path, pattern in walk(get_resolver().url_patterns)
        if path.startswith("/api/") and pattern.name != "unknown-path" and "<format>" not in path
    ]


def api_paths() -> list[str]:
    """Return the paths of operations: everything but the documentation's own pages."""
    return [path for path, pattern in api_routes() if pattern.name not in DOCS]


def schema() -> dict[str, Any]:
    """Return the OpenAPI document as clients get it: made once, before the suite's processes part."""
    return document()


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """Return method, path template and operation of everything in the OpenAPI document."""
    return [
        (method.upper(), path, operation)
        for path, methods in schema()["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def is_public(operation: dict[str, Any]) -> bool:
    """Tell whether an operation asks for nobody's token."""
    return {} in operation.get("security", [{}])


@cache
def offered() -> dict[tuple[str, str], bool]:
    """Return whether it is public by path, as in ``api_paths``, and method, for each operation."""
    return {
        (re.sub(r"\{\w+\}", "1", path), method.lower()): is_public(operation)
        for method, path, operation in operations()
    }


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """Follow a ``$ref`` to what it names."""
    while "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        part = schema()["components"]["schemas"][name]
    return part


def body_fields(operation: dict[str, Any]) -> dict[str, list[str]]:
    """Return the fields of an operation's JSON body, each object field with its own ones."""
    content = operation.get("requestBody", {}).get("content", {})
    properties = properties_of(content.get("application/json", {}).get("schema", {}))
    return {name: list(properties_of(part)) for name, part in properties.items()}


def properties_of(part: dict[str, Any]) -> dict[str, Any]:
    part = resolved(part)
    if len(part.get("allOf", [])) == 1:
        part = resolved(part["allOf"][0])
    properties: dict[str, Any] = part.get("properties", {})
    return properties
