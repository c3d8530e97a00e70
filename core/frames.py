"""What sockets say and hear, as data: from which the AsyncAPI document is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from core.realtime import FLOODED, TRY_LATER, UNAUTHENTICATED


@dataclass(frozen=True)
class Frame:
    """One kind of frame: one JSON object, as text."""

    name: str
    summary: str
    schema: dict[str, Any]
    example: dict[str, Any]


@dataclass(frozen=True)
class Channel:
    """A socket path, and what goes through it in either direction."""

    name: str
    address: str
    title: str
    description: str
    sends: list[Frame]
    """What clients send."""
    tells: list[Frame]
    """What the server sends."""
    query: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    closes: dict[int, str] = field(default_factory=dict)


CLOSES: Final = {
    1009: "A frame of more than a megabyte.",
    1011: "A fault of ours: reconnect.",
    1012: "The server restarts: reconnect.",
    TRY_LATER: "Too slow a reader, or something that we depend on is away: wait, and reconnect.",
    UNAUTHENTICATED: "No good token or ticket, or the session has ended, or its access token ran out.",
    FLOODED: "Too many sockets, opened too often, or flooding: wait a minute.",
}
UNREAD: Final = {"type": "integer", "minimum": 0, "description": "How much in the inbox is unread."}
INTEGER: Final = {"type": "integer"}


def component(name: str) -> dict[str, str]:
    """Refer to a document of the HTTP API."""
    return {"$ref": f"#/components/schemas/{name}"}


def told(kind: str, *optional: str, **properties: Any) -> dict[str, Any]:
    """Return the schema of a frame from the server; it has all properties but the optional ones.

    Others may be added: tests are stricter (``btf_backend.tests.spoken``).
    """
    return shaped("type", kind, properties, [name for name in properties if name not in optional])


def asked(action: str, *required: str, **properties: Any) -> dict[str, Any]:
    """Return the schema of a frame from a client; its action may as well be called ``type``."""
    return {**shaped("action", action, properties, list(required)), "additionalProperties": False}


def shaped(key: str, kind: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [key, *required],
        "properties": {key: {"const": kind}, **properties},
    }


def refusing(name: str, codes: set[str], *, example: tuple[str, str]) -> Frame:
    """Return the frame that refuses another, by its slugs; ``example`` is one of them, and its sentence."""
    slug, sentence = example
    properties: dict[str, Any] = {
        "error": {"enum": sorted(codes), "description": "A stable slug, for programs."},
        "detail": {"type": "string", "description": "A sentence for the user."},
        "payload": {
            "type": "object",
            "required": ["detail"],
            "properties": {"detail": {"type": "string"}},
            "description": "The sentence once more.",
        },
        "retry_after": {"type": "integer", "description": "In seconds; with `rate_limited` alone."},
    }
    shown: dict[str, Any] = {
        "type": "error",
        "error": slug,
        "detail": sentence,
        "payload": {"detail": sentence},
    }
    if slug == "rate_limited":
        shown["retry_after"] = 2
    return Frame(name, "The frame before was refused", told("error", "retry_after", **properties), shown)
