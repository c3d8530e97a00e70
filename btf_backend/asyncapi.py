"""The AsyncAPI document: every socket, every frame in either direction, and how each may close."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from authentication.frames import INBOX, SESSION
from btf_backend.openapi import SPECTACULAR_SETTINGS
from chat.frames import POST, conversation
from core.frames import CLOSES

if TYPE_CHECKING:
    from core.frames import Channel, Frame

FILE: Final = Path(__file__).resolve().parent.parent / "docs" / "asyncapi.yaml"
REFERENCE: Final = re.compile(r"#/components/schemas/(\w+)")
PROOFS: Final = {
    "ticket": {
        "type": "httpApiKey",
        "in": "query",
        "name": "ticket",
        "description": (
            "From `POST /api/ws/ticket/`: good once, for 30 seconds, and from the same `User-Agent`. It "
            "decides alone: no token beside it is looked at."
        ),
    },
    "token": {
        "type": "httpApiKey",
        "in": "query",
        "name": "token",
        "description": "The access token; `access_token` is another name for it. Addresses end up in logs.",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "The access token, from programs."},
}
QUERY: Final = {
    name: {"type": "string", "description": PROOFS[name]["description"]} for name in ("ticket", "token")
}
DESCRIPTION: Final = """\
The sockets of the platform; its HTTP API is `/api/schema/` (OpenAPI).

A frame is one JSON object, as text, of at most 64 KiB. What clients send names its `action` (or `type`); what
the server sends names its `type`. Nothing but flooding, lost rights and a frame of more than a megabyte
closes a socket: what is wrong is answered with an `error` frame. Kinds of frames and keys may be added:
ignore what you do not know.

A handshake from a page of a foreign origin is refused with HTTP 403. Whatever else is refused is accepted
first and closed then, so that a page sees the code: a path that does not exist with 4404, a proof that is no
good with 4401. A socket ends with its session, and when its access token runs out: refresh it, and reconnect.
"""


@cache
def document() -> dict[str, Any]:
    """Return the document, with the schemas of the HTTP API that frames hold."""
    api: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    schemas = api["components"]["schemas"]
    channels = [conversation(schemas[POST]["properties"]), INBOX, SESSION]
    messages = {frame.name: message_of(frame) for one in channels for frame in [*one.sends, *one.tells]}
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "BIOTech Futures Hub sockets",
            "version": SPECTACULAR_SETTINGS["VERSION"],
            "description": DESCRIPTION,
            "license": {"name": "MIT"},
            "tags": [{"name": one.name, "description": one.title} for one in channels],
        },
        "defaultContentType": "application/json",
        "servers": {"hub": SERVER},
        "channels": {one.name: channel_of(one) for one in channels},
        "operations": {name: one for channel in channels for name, one in operations_of(channel).items()},
        "components": {
            "messages": messages,
            "securitySchemes": PROOFS,
            "schemas": needed(messages, schemas),
        },
    }


SERVER: Final = {
    "host": "{host}",
    "protocol": "wss",
    "description": "Whichever server the HTTP API is at; `ws` on a laptop.",
    "variables": {"host": {"default": "localhost:8000", "description": "Name and port."}},
    "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in PROOFS],
}


def message_of(frame: Frame) -> dict[str, Any]:
    return {
        "name": frame.name,
        "title": frame.name,
        "summary": frame.summary,
        "contentType": "application/json",
        "payload": frame.schema,
        "examples": [{"name": "Example", "payload": frame.example}],
    }


def channel_of(channel: Channel) -> dict[str, Any]:
    frames = {frame.name: frame for frame in [*channel.sends, *channel.tells]}
    made: dict[str, Any] = {
        "address": channel.address,
        "title": channel.title,
        "description": f"{channel.description}\n\n{closing(channel)}",
        "servers": [{"$ref": "#/servers/hub"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in frames},
        "bindings": {
            "ws": {"method": "GET", "query": {"type": "object", "properties": {**QUERY, **channel.query}}}
        },
        "x-close-codes": closes_of(channel),
    }
    return made | ({"parameters": channel.parameters} if channel.parameters else {})


def closes_of(channel: Channel) -> dict[str, str]:
    return {str(code): words for code, words in sorted({**CLOSES, **channel.closes}.items())}


def closing(channel: Channel) -> str:
    rows = [f"| {code} | {words} |" for code, words in closes_of(channel).items()]
    return "\n".join(["| Closed with | Because |", "|---|---|", *rows])


def operations_of(channel: Channel) -> dict[str, Any]:
    """Return the two directions, as the server sees them."""
    label = channel.name.capitalize()

    def one(action: str, frames: list[Frame], words: str) -> dict[str, Any]:
        here = f"#/channels/{channel.name}"
        return {
            "action": action,
            "channel": {"$ref": here},
            "title": words,
            "summary": words,
            "description": "; ".join(frame.summary for frame in frames) + ".",
            "tags": [{"name": channel.name, "description": channel.title}],
            "messages": [{"$ref": f"{here}/messages/{frame.name}"} for frame in frames],
        }

    return {
        f"hear{label}": one("receive", channel.sends, "What clients send"),
        f"tell{label}": one("send", channel.tells, "What the server sends"),
    }


def needed(part: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas that a part names, and those that they name."""
    found: dict[str, Any] = {}
    waiting = set(REFERENCE.findall(str(part)))
    while waiting:
        name = waiting.pop()
        found[name] = schemas[name]
        waiting |= set(REFERENCE.findall(str(schemas[name]))) - set(found)
    return dict(sorted(found.items()))


def written() -> bytes:
    """Return the document as YAML."""
    text: bytes = OpenApiYamlRenderer().render(document(), renderer_context={})  # type: ignore[no-untyped-call]
    return text


def rewrite() -> None:
    """Write docs/asyncapi.yaml anew."""
    FILE.write_bytes(written())
