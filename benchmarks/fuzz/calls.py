"""Calls that are right, made of the OpenAPI document, and what becomes of them where one part is nasty."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import nasty
import yaml
from aim import MARKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METHODS: Final = ("get", "post", "put", "patch", "delete")
MARK: Final = "@@here@@"
DEPTH: Final = 3
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=frontier"
WORDS: Final = {
    "date": "2031-05-06",
    "date-time": "2031-05-06T18:00:00Z",
    "time": "18:00:00",
    "uri": "https://example.org/",
    "uuid": "6f9c1d3e-8f0a-4b7e-9a52-5a3c1a0a7f11",
    "email": "ada@example.org",
}
# Stands for a file where a form has one.
FILE: Final = "@@file@@"
PIXEL: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)
TEXT: Final = b"email\nnew@example.org\n"
FIELDS: Final = {
    "email": "ada@example.org",
    "timezone": "Europe/London",
    "timeZone": "Australia/Sydney",
    "endAt": "2031-05-06T20:00:00Z",
    "expiresAt": "2031-05-07T00:00:00Z",
    "groupId": "",
}


@dataclass(frozen=True)
class Call:
    """One request, before its ids are filled in."""

    operation: str
    method: str
    path: str
    statuses: frozenset[str]
    what: str = "as it should be"
    values: dict[str, Any] = field(default_factory=dict)
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    # Where a nasty part stands in the path: another route may answer.
    is_astray: bool = False

    @property
    def names(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    def target(self, values: dict[str, Any]) -> str:
        """Return the path and query, with ids filled in where they are not nasty."""
        path = self.path
        for name, value in {**values, **self.values}.items():
            path = path.replace(f"{{{name}}}", value if name in self.values else quote(str(value), safe=""))
        return f"{path}?{self.query}" if self.query else path


class Document:
    """The OpenAPI document, read for what a body looks like."""

    def __init__(self, path: Path) -> None:
        self.whole: dict[str, Any] = yaml.safe_load(path.read_text())

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, methods in self.whole["paths"].items():
            for method, operation in methods.items():
                if method in METHODS:
                    yield method.upper(), path, operation

    def resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        """Follow references, and take the first of several shapes and types."""
        while True:
            if "$ref" in part:
                part = self.whole["components"]["schemas"][part["$ref"].rpartition("/")[2]]
            elif shapes := part.get("allOf") or part.get("oneOf") or part.get("anyOf"):
                part = shapes[0]
            elif isinstance(part.get("type"), list):
                part = {**part, "type": part["type"][0]}
            else:
                return part

    def example(self, part: dict[str, Any], name: str = "", depth: int = 0) -> Any:
        """Return a value that fits."""
        part = self.resolved(part)
        if name in MARKS and part.get("type") in {"integer", "string"}:
            return str(MARKS[name]) if part["type"] == "string" else MARKS[name]
        if "enum" in part:
            return part["enum"][0]
        if part.get("type") == "object":
            return {
                key: self.example(value, key, depth + 1) for key, value in part.get("properties", {}).items()
            }
        if part.get("type") == "array":
            return [self.example(part["items"], name, depth + 1)] if depth < DEPTH else []
        if part.get("type") == "string":
            return text_for(part, name)
        return {"integer": part.get("minimum", 1), "number": 1, "boolean": True}.get(part.get("type", ""))

    def calls(self) -> Iterator[Call]:
        """Yield every operation as it should be called, and with each part of it nasty in turn."""
        for method, path, operation in self.operations():
            statuses = frozenset(operation["responses"])
            good = Call(f"{method} {path}", method, path, statuses)
            content = operation.get("requestBody", {}).get("content", {})
            kind = "application/json" if "application/json" in content else next(iter(content), "")
            body = self.example(content[kind]["schema"]) if kind else None
            yield from self.by_body(good, kind, body)
            # Other parts are nasty while the body is right, or nothing ever gets past it.
            if kind == "application/json":
                good = with_json(good, body)
            elif isinstance(body, dict):
                good = replace(good, body=multipart(body), headers={"Content-Type": PARTS})
            yield good
            yield from by_parameters(good, operation.get("parameters", []))

    def by_body(self, good: Call, kind: str, body: Any) -> Iterator[Call]:
        if not kind:
            return
        for name, (text, content_type) in nasty.BODIES.items():
            yield replace(good, what=f"body: {name}", body=text, headers={"Content-Type": content_type})
        if isinstance(body, dict):
            yield from by_form(good, body)
            if kind == "application/json":
                yield from by_fields(good, body)


def text_for(part: dict[str, Any], name: str) -> str:
    if part.get("format") == "binary":
        return FILE
    text: str = FIELDS.get(name, WORDS.get(part.get("format", ""), "Grow biofilms"))
    return text[: part.get("maxLength", len(text))]


def with_json(good: Call, body: Any) -> Call:
    return replace(good, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def by_fields(good: Call, body: dict[str, Any]) -> Iterator[Call]:
    """Yield the call with each field, and each field of a field, nasty; also without it."""
    for way, marked in marked_fields(body):
        text = json.dumps(marked).encode()
        for name, value in nasty.JSON.items():
            changed = text.replace(json.dumps(MARK).encode(), value)
            yield replace(
                good, what=f"{way}: {name}", body=changed, headers={"Content-Type": "application/json"}
            )
    for name in body:
        yield replace(
            with_json(good, {key: value for key, value in body.items() if key != name}), what=f"no {name}"
        )


def marked_fields(part: Any, way: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield a body for each field in it, which the mark stands for."""
    inner = dict(enumerate(part)) if isinstance(part, list) else part
    if not isinstance(inner, dict) or depth == DEPTH:
        return
    for key, value in inner.items():
        here = f"{way}.{key}".lstrip(".")
        for deeper, marked in [(here, MARK), *marked_fields(value, here, depth + 1)]:
            yield deeper, ([marked] if isinstance(part, list) else {**part, key: marked})


def by_form(good: Call, body: dict[str, Any]) -> Iterator[Call]:
    """Yield the call as the two kinds of form, each field nasty in turn."""
    flat = {name: str(value) for name, value in body.items() if not isinstance(value, dict | list)}
    for field_name in body:
        others = urlencode({name: value for name, value in flat.items() if name != field_name})
        for name, value in nasty.QUOTED.items():
            text = f"{others}&{field_name}={value}".encode()
            yield replace(good, what=f"form {field_name}: {name}", body=text, headers={"Content-Type": FORM})
        for name, raw in nasty.JSON.items():
            parts = {**flat, field_name: raw}
            yield replace(
                good,
                what=f"part {field_name}: {name}",
                body=multipart(parts),
                headers={"Content-Type": PARTS},
            )


def multipart(parts: dict[str, Any]) -> bytes:
    text = b""
    for name, value in parts.items():
        about, content = b"", value if isinstance(value, bytes) else str(value).encode()
        if value == FILE and name == "coverImage":
            about, content = b'; filename="a.png"\r\nContent-Type: image/png', PIXEL
        elif value == FILE:
            about, content = b'; filename="a.txt"\r\nContent-Type: text/plain', TEXT
        head = b'--frontier\r\nContent-Disposition: form-data; name="%s"%s' % (name.encode(), about)
        text += head + b"\r\n\r\n" + content + b"\r\n"
    return text + b"--frontier--\r\n"


def by_parameters(good: Call, parameters: list[dict[str, Any]]) -> Iterator[Call]:
    """Yield the call with each part of its path, each query parameter and each header nasty."""
    for name in [one["name"] for one in parameters if one["in"] == "path"]:
        for what, value in nasty.QUOTED.items():
            yield replace(good, what=f"path {name}: {what}", values={name: value}, is_astray=True)
    queries = [one["name"] for one in parameters if one["in"] == "query"]
    for name in [*queries, "unknown"]:
        for what, value in nasty.QUOTED.items():
            yield replace(good, what=f"query {name}: {what}", query=f"{name}={value}")
        yield replace(good, what=f"query {name}: twice", query=f"{name}=1&{name}=x&{name}[]=2&{name}")
    for name, values in nasty.HEADERS.items():
        for value in values:
            yield replace(good, what=f"header {name}: {value[:20]!r}", headers={**good.headers, name: value})
