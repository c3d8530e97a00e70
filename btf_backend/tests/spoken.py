"""What sockets say, held against the AsyncAPI document."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

import jsonschema_rs

from btf_backend.asyncapi import document
from core.contract_testing import Undocumented, faults, strict

PLACES: Final = {"/ws/chat/": "chat", "/ws/notifications": "notifications", "/ws/session": "session"}
# With which tests end a conversation that they listen to.
OF_TESTS: Final = {"last.word"}


@cache
def messages_of(channel: str, action: str) -> dict[str, Any]:
    """Return the schemas of what a channel's clients send (``receive``) or hear (``send``), by their kind."""
    key = "action" if action == "receive" else "type"
    found = {}
    for operation in document()["operations"].values():
        if operation["action"] == action and operation["channel"]["$ref"].endswith(f"/{channel}"):
            names = [one["$ref"].rpartition("/")[2] for one in operation["messages"]]
            schemas = [document()["components"]["messages"][name]["payload"] for name in names]
            found = {one["properties"][key]["const"]: one for one in schemas}
    return found


@cache
def validator_of(channel: str, kind: str) -> jsonschema_rs.Draft202012Validator:
    whole = {
        **messages_of(channel, "send")[kind],
        "components": {"schemas": document()["components"]["schemas"]},
    }
    # The document lets keys be added; what is said today has none that it does not name.
    return jsonschema_rs.Draft202012Validator(strict(whole), validate_formats=True)


def problems(channel: str, frame: Any) -> list[str]:
    """Return where a frame that a client heard differs from what is documented."""
    if frame["type"] not in messages_of(channel, "send"):
        return [f"{frame['type']} is no kind of frame there"]
    return faults(validator_of(channel, frame["type"]), frame)


def hold_frame(path: str, output: dict[str, Any]) -> None:
    """Raise Undocumented where what a socket was sent is not what the document says."""
    channel = next((name for place, name in PLACES.items() if path.startswith(place)), None)
    if channel is None or output["type"] != "websocket.send":
        return
    frame = json.loads(output["text"])
    if frame["type"] not in OF_TESTS and (differences := problems(channel, frame)):
        raise Undocumented(f"{path} said {frame['type']}, not as documented: {differences}")
