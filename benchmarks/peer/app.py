"""The service: ``uvicorn benchmarks.peer.app:app --workers 2``, in the product's environment.

``benchmarks.peer`` says what it leaves out, and why it is a bound.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from benchmarks.peer.access import conversation_of, viewer_of
from benchmarks.peer.answers import Edge, Refused, json_answer, refusal
from benchmarks.peer.chat import page_of
from benchmarks.peer.environment import CONNECTIONS, CORS_ALLOWED_ORIGINS, DATABASE, REDIS_URL
from benchmarks.peer.links import Links
from benchmarks.peer.people import own_document
from benchmarks.peer.posting import Desk, publish
from benchmarks.peer.teams import group_document

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response


@asynccontextmanager
async def stores(app: Starlette) -> AsyncIterator[None]:
    """Hold the connections of a process."""
    pool = asyncpg.create_pool(
        **DATABASE, min_size=CONNECTIONS, max_size=CONNECTIONS, init=read_json, reset=keep_as_it_is
    )
    async with pool, Redis.from_url(REDIS_URL, socket_timeout=0.3, socket_connect_timeout=0.3) as redis:
        app.state.pool, app.state.redis = pool, redis
        yield


async def read_json(connection: asyncpg.Connection[Any]) -> None:
    """Have JSON columns read by orjson; none is written."""
    await connection.set_type_codec("jsonb", encoder=str, decoder=orjson.loads, schema="pg_catalog")


async def keep_as_it_is(connection: asyncpg.Connection[Any]) -> None:
    """Ask nothing when a connection goes back: no request leaves a lock, a cursor or a setting behind."""


async def me(request: Request) -> Response:
    """``GET /api/users/me/``: three statements."""
    async with request.app.state.pool.acquire() as database:
        return json_answer(await own_document(await viewer_of(request, database), database))


async def group_detail(request: Request) -> Response:
    """``GET /api/groups/{id}/``: four statements."""
    async with request.app.state.pool.acquire() as database:
        viewer = await viewer_of(request, database)
        return json_answer(await group_document(viewer, request.path_params["group"], database))


async def messages(request: Request) -> Response:
    """``GET /api/groups/{id}/messages``: three statements."""
    async with request.app.state.pool.acquire() as database:
        viewer = await viewer_of(request, database)
        links = Links(request, viewer.id)
        return json_answer(
            await page_of(viewer, request.path_params["group"], request.query_params, database, links)
        )


async def new_message(request: Request) -> Response:
    """``POST /api/groups/{id}/messages``: four statements, BEGIN and COMMIT; a PUBLISH."""
    body = await request.body()
    async with request.app.state.pool.acquire() as database:
        viewer = await viewer_of(request, database)
        group = await conversation_of(viewer, request.path_params["group"], database)
        shown, event = await Desk(viewer, group, database, Links(request, viewer.id)).post(body)
    if event is None:
        return json_answer(shown)
    await publish(event, group, request.app.state.redis)
    return json_answer(shown, 201)


class GroupId(Convertor[str]):
    """What can be a group's id; anything else is no route."""

    regex = "[A-Za-z0-9][A-Za-z0-9_-]{0,49}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("group", GroupId())
GROUP, MESSAGES = "/api/groups/{group:group}/", "/api/groups/{group:group}/messages"
app = Starlette(
    routes=[
        Route("/api/users/me/", me),
        Route(GROUP, group_detail),
        Route(MESSAGES, messages, methods=["GET"]),
        Route(MESSAGES, new_message, methods=["POST"]),
    ],
    middleware=[
        Middleware(Edge),
        Middleware(
            CORSMiddleware,
            allow_origins=CORS_ALLOWED_ORIGINS,
            allow_methods=["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"],
            allow_headers=["authorization", "content-type", "idempotency-key", "if-match", "if-none-match"],
            allow_credentials=True,
            expose_headers=[
                "Content-Disposition",
                "ETag",
                "Idempotent-Replayed",
                "Retry-After",
                "X-Request-ID",
            ],
        ),
    ],
    exception_handlers={Refused: refusal, HTTPException: refusal},
    lifespan=stores,
)
