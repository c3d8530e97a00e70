"""What works, and what says that it does not, while Redis is down (SAFETY R3).

By hand, on a private PostgreSQL that ends with it (``make drill PART=redis_down``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/redis_down.py

Everything that a signed-in person does is asked five times over gunicorn, with Redis, without it and with
it again. Fails unless all but sign-in works throughout, sign-in answers a clean 503 with ``Retry-After``,
health says which part is down, budgets of writes still bound, and new sockets are closed with 1013.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import faults
from traffic import READS, Traffic
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from world import Person, World, make_world

if TYPE_CHECKING:
    from wire import Answer

ROUNDS: Final = 5
BUDGET: Final = 60  # writes of one person in a minute, by one process
KINDS: Final = ("message", "task", "seat", "upload", "refresh")
UNAVAILABLE, TOO_MANY, TRY_LATER = 503, 429, 1013


def ask(port: int, path: str, body: Any = None, token: str = "") -> tuple[int, Any, bool]:
    """Return status, document, and whether ``Retry-After`` was said."""
    request = Request(f"http://{faults.HOST}:{port}/api/{path}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urlopen(request, timeout=30) as response:  # noqa: S310
            return response.status, json.load(response), "Retry-After" in response.headers
    except HTTPError as error:
        return error.code, json.load(error), "Retry-After" in error.headers


def people_go_on(port: int, world: World) -> list[str]:
    """Have each do all that they do; return what was not answered well."""
    traffic = Traffic(f"http://{faults.HOST}:{port}", world, per_second=1)
    answers: list[Answer] = []
    for client in traffic.clients:
        for n in range(ROUNDS):
            client.sent = n * len(READS)
            answers.extend(client.send(getattr(client, f"new_{kind}")(f"{port}-{n}")) for kind in KINDS)
            for client.sent in range(len(READS)):
                answers.append(client.send(client.new_read("")))
    return [f"{one.kind}: {one.status} {one.fault}" for one in answers if not one.is_good]


def sign_in(port: int, expected: int) -> list[str]:
    """Ask for a link, and try a code and a link; return what was not answered as expected."""
    bodies = {
        "auth/magic-link/": {"email": "new@example.org"},
        "auth/verify-otp/": {"email": "new@example.org", "code": "000000"},
        "auth/verify/": {"token": "x" * 43},
    }
    wrong = []
    for path, body in bodies.items():
        status, document, may_retry = ask(port, path, body)
        is_clean = {"error", "detail", "code"} <= document.keys() and may_retry
        if status != expected or (expected == UNAVAILABLE and not is_clean):
            wrong.append(f"{path}: {status} {document}")
    return wrong


def health(port: int, redis: str) -> list[str]:
    status, document, _ = ask(port, "health/")
    live, _, _ = ask(port, "health/live/")
    services = {"database": "connected", "redis": redis}
    as_is = services.items() <= document["services"].items()
    as_is = as_is and status == (200 if redis == "connected" else UNAVAILABLE)
    return [] if as_is and live == 200 else [f"health: {status} {document}, live {live}"]  # noqa: PLR2004


def still_bounded(port: int, person: Person) -> list[str]:
    """Write without end; one process must say stop at the budget, though nobody counts for all."""
    body, statuses = {"text": "x"}, list[int]()
    while TOO_MANY not in statuses and len(statuses) <= 2 * BUDGET:
        statuses.append(ask(port, f"groups/{person.group}/messages", body, person.access)[0])
    print(
        f"without Redis one process let {len(statuses) - 1} writes of one person through ({BUDGET} a minute)"
    )
    return [] if len(statuses) - 1 <= BUDGET else ["writes are not bounded"]


async def socket_says(port: int, person: Person) -> int:
    """Return the code with which a new socket is closed; 0 where it stays."""
    url = f"ws://{faults.HOST}:{port}/ws/chat/groups/{person.group}/?token={person.access}"
    async with connect(url, open_timeout=10) as socket:
        try:
            await asyncio.wait_for(socket.recv(), 5)
        except ConnectionClosed as closed:
            return closed.code
    return 0


def drill(redis: faults.Server, web: faults.Server, sockets: faults.Server) -> dict[str, list[str]]:
    world, port = make_world(3), web.port
    writer = world.people.pop()
    found = {"with Redis": people_go_on(port, world) + health(port, "connected")}
    redis.kill()
    found["without"] = people_go_on(port, world) + health(port, "error")
    found["sign-in without"] = [wrong for _ in range(ROUNDS) for wrong in sign_in(port, UNAVAILABLE)]
    found["budgets without"] = still_bounded(port, writer)
    code = asyncio.run(socket_says(sockets.port, writer))
    found["sockets without"] = [] if code == TRY_LATER else [f"closed with {code}"]
    redis.start()
    found["with it again"] = people_go_on(port, world) + health(port, "connected")
    status, _, _ = ask(port, "auth/magic-link/", {"email": "again@example.org"})
    code = asyncio.run(socket_says(sockets.port, writer))
    found["sign-in and sockets again"] = [] if (status, code) == (200, 0) else [f"{status}, {code}"]
    return found


def main() -> int:
    redis = faults.redis()
    redis.start()
    writes = {"API_WRITES_PER_USER": f"{BUDGET}/1m", "CHAT_BURST": "100000", "MAGIC_LINK_PER_ADDRESS": ""}
    faults.prepare(redis.port, **writes)
    web, sockets = faults.http_server(), faults.socket_server()
    try:
        for server in (web, sockets):
            server.start()
            faults.wait_until_ready(server)
        found = drill(redis, web, sockets)
    finally:
        for server in (sockets, web, redis):
            server.stop()
    faults.complaints([web, sockets])
    for name, wrong in found.items():
        print(f"{name:28}{'well' if not wrong else f'{len(wrong)} wrong'}", wrong[:5] or "")
    is_right = not any(found.values()) and "unhandled_error" not in web.told() + sockets.told()
    return faults.verdict(is_right=is_right)


if __name__ == "__main__":
    sys.exit(main())
