"""Answers as JSON, refusals in the product's envelope, and the headers that every answer has."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOREIGN_ID: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class Refused(Exception):
    """What is answered instead, with the field that it is about, if any."""

    def __init__(self, status: int, code: str, sentence: str, field: str = "") -> None:
        self.status, self.code, self.sentence, self.field = status, code, sentence, field
        super().__init__(sentence)


NO_TOKEN: Final = (401, "not_authenticated", "Authentication credentials were not provided.")
BAD_TOKEN: Final = (401, "token_not_valid", "The token is invalid or has expired. Please sign in again.")
MISSING: Final = (404, "not_found", "Not found.")
OUTSIDE: Final = (403, "permission_denied", "You are not in this group.")


def invalid(field: str, sentence: str) -> Refused:
    """Return a refusal of what was sent in a field (400)."""
    return Refused(400, "validation_error", sentence, field)


def json_answer(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a document; moments are written in UTC with ``Z``."""
    body = orjson.dumps(document, option=orjson.OPT_UTC_Z)
    return Response(body, status, headers, media_type="application/json")


def refusal(request: Request, error: Exception) -> Response:
    """Return a refusal; anything else that the framework refuses is a 404."""
    refused = error if isinstance(error, Refused) else Refused(*MISSING)
    sentence, field = refused.sentence, refused.field
    said = f"{field}: {sentence}" if field else sentence
    fields = {field: [sentence]} if field else {}
    name = request.scope["request_id"].decode()
    body = {**fields, "error": said, "detail": said, "code": refused.code, "requestId": name}
    headers = {"WWW-Authenticate": 'Bearer realm="api"'} if refused.status == 401 else None  # noqa: PLR2004
    return json_answer(body, refused.status, headers)


class Edge:
    """Names the request, and keeps its answer out of every cache."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        name = given if FOREIGN_ID.fullmatch(given) else uuid.uuid4().hex.encode()
        scope["request_id"] = name

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(b"x-request-id", name), (b"cache-control", b"no-store")]
            await send(message)

        await self.app(scope, receive, send_named)
