"""How soon a socket closes after somebody lost the right to it: with Redis, and without.

By hand, on a private PostgreSQL that ends with it (``make drill PART=revocation``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/revocation.py [ROUNDS]

An admin removes a member, suspends, changes a role, archives a group, and somebody logs out: 20 times each,
over gunicorn, while each person concerned sits at a uvicorn process. Measured from the answer to the close.
Fails where the p99 is above 2 s with Redis, or 5 s while it is dead, or where a close has another code.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import faults
from websockets.asyncio.client import ClientConnection, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from groups.models import Group
    from users.models import User

WITH_REDIS_SECONDS, WITHOUT_REDIS_SECONDS = 2.0, 5.0
PATIENCE_SECONDS: Final = 15
KINDS: Final[dict[str, tuple[int, Callable[[Case], tuple[Any, ...]]]]] = {
    "member removed": (4403, lambda case: ("DELETE", f"groups/{case.group}/members/{case.user}/")),
    "suspended": (4401, lambda case: ("PATCH", f"admin/users/{case.user}/status/", {"status": "inactive"})),
    "role changed": (4401, lambda case: ("PATCH", f"admin/users/{case.user}/", {"role": "supervisor"})),
    "group archived": (4404, lambda case: ("DELETE", f"groups/{case.group}/")),
    "logged out": (4401, lambda case: ("POST", "auth/logout/", {"refresh_token": case.refresh})),
}


@dataclass
class Case:
    """One person, alone in a group, and what becomes of their socket."""

    kind: str
    group: str
    user: int
    access: str
    refresh: str
    answered_at: float = 0.0
    closed_at: float = field(default=float("inf"))
    code: int | None = None

    @property
    def seconds(self) -> float:
        """Return the time from the answer to the close; one that came before the answer took none."""
        return max(0.0, self.closed_at - self.answered_at)

    async def open(self, port: int) -> ClientConnection:
        url = f"ws://{faults.HOST}:{port}/ws/chat/groups/{self.group}/?token={self.access}"
        socket = await connect(url, max_queue=None, open_timeout=30)
        await socket.recv()
        return socket

    async def sit(self, socket: ClientConnection) -> None:
        await socket.wait_closed()
        self.closed_at, self.code = time.monotonic(), socket.close_code


def cases(name: str, rounds: int) -> list[Case]:
    """Store a group for each round of each kind, with one member who has signed in."""
    from groups.models import Group

    made = []
    for n in range(rounds * len(KINDS)):
        group = Group.objects.create(id=f"{name}{n}", name="Drill")
        made.append(case_of(list(KINDS)[n % len(KINDS)], group, person(f"{name}{n}")))
    return made


def case_of(kind: str, group: Group, user: User) -> Case:
    from authentication.sessions import open_session
    from groups.models import GroupMember

    GroupMember.objects.create(group=group, user=user)
    pair = open_session(user, user_agent="")
    return Case(kind, group.pk, user.pk, pair.access, pair.refresh)


def person(name: str, **fields: Any) -> User:
    from users.models import User

    return User.objects.create_user(email=f"{name}@example.org", status="active", **fields)


class Admin:
    """Who does it all, over HTTP."""

    def __init__(self, port: int) -> None:
        from authentication.sessions import open_session

        self.port = port
        access = open_session(person("admin", role="admin"), user_agent="").access
        self.headers = {"Authorization": f"Bearer {access}", "Content-Type": "application/json"}

    def do(self, case: Case) -> None:
        method, path, *body = KINDS[case.kind][1](case)
        line = http.client.HTTPConnection(faults.HOST, self.port, timeout=30)
        line.request(method, f"/api/{path}", json.dumps(body[0]) if body else None, self.headers)
        response = line.getresponse()
        answer = response.read()
        case.answered_at = time.monotonic()
        line.close()
        if response.status not in {200, 204}:
            raise SystemExit(f"{method} {path}: {response.status} {answer!r}")


async def run(admin: Admin, made: list[Case], port: int, redis: faults.Server | None) -> None:
    """Open all sockets, kill Redis where it is to be dead, then take one right after the other."""
    sockets = [await case.open(port) for case in made]
    sitting = [asyncio.create_task(case.sit(socket)) for case, socket in zip(made, sockets, strict=True)]
    if redis is not None:
        await asyncio.to_thread(redis.kill)
    await asyncio.sleep(3)  # the sweep has learnt how things stand
    for case in made:
        await asyncio.to_thread(admin.do, case)
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*sitting), PATIENCE_SECONDS)


def is_quick(made: list[Case], bar: float, title: str) -> bool:
    """Print the times, of each kind and of all; tell whether they are as they must be."""
    print(f"\n{title}")
    for kind, (code, _) in KINDS.items():
        faults.spread(kind, [case.seconds for case in made if case.kind == kind])
        codes = {case.code for case in made if case.kind == kind}
        print(f"{'':34}closed with {codes}, as they must be {code}")
    p99 = faults.spread("all", [case.seconds for case in made])
    return p99 <= bar and all(case.code == KINDS[case.kind][0] for case in made)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    redis = faults.redis()
    faults.prepare(redis.port, API_WRITES_PER_USER="")
    http_server, socket_server = faults.http_server(), faults.socket_server()
    servers = [redis, http_server, socket_server]
    try:
        for server in servers:
            server.start()
        faults.wait_until_ready(http_server)
        faults.wait_until_ready(socket_server)
        admin, with_redis, without = Admin(http_server.port), cases("A", rounds), cases("B", rounds)
        asyncio.run(run(admin, with_redis, socket_server.port, None))
        asyncio.run(run(admin, without, socket_server.port, redis))
        is_right = is_quick(with_redis, WITH_REDIS_SECONDS, "With Redis")
        is_right &= is_quick(without, WITHOUT_REDIS_SECONDS, "Without Redis")
    finally:
        for server in reversed(servers):
            server.stop()
    if not is_right:
        raise SystemExit("FAILED: a number above is not right")


if __name__ == "__main__":
    main()
