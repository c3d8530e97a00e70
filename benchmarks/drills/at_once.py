"""600 posts at once, over HTTP and over sockets, and 100 new groups at once (SAFETY R5, R10).

By hand, on a private PostgreSQL that ends with it (``make drill PART=at_once``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/at_once.py

600 connections to gunicorn post one message each; then 100 sockets at one uvicorn process post six each; then
an admin creates 100 groups. Fails where anything is answered with an error, where PostgreSQL ever has more
connections than threads may open, or where two groups get one id.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread
from typing import TYPE_CHECKING, Any, Final

import faults
from websockets.asyncio.client import connect
from world import UNBOUNDED, Person, World, make_world, stored_messages

if TYPE_CHECKING:
    from collections.abc import Callable

POSTS, GROUPS, SOCKETS = 600, 100, 100
PEOPLE: Final = 100
WORKERS, THREADS = 2, 8
SOCKET_DB_THREADS: Final = 4  # the setting's default
PATIENCE_SECONDS: Final = 60


class Watched:
    """Looks at how many connections PostgreSQL has, all the time."""

    def __init__(self) -> None:
        self.most, self.is_over = 0, Event()
        self.thread = Thread(target=self.look, daemon=True)

    def look(self) -> None:
        from django.db import connection

        query = """SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND backend_type = 'client backend'"""
        while not self.is_over.is_set():
            with connection.cursor() as cursor:
                cursor.execute(query)
                self.most = max(self.most, cursor.fetchone()[0])
            time.sleep(0.005)
        connection.close()

    def __enter__(self) -> Watched:
        from django.db import connection

        connection.close()  # our own would count
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.is_over.set()
        self.thread.join()


def all_at_once(count: int, call: Callable[[int, Barrier], Any]) -> list[Any]:
    start = Barrier(count)
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda n: call(n, start), range(count)))


def post(port: int, path: str, token: str, body: Any, start: Barrier) -> tuple[int, Any]:
    line = http.client.HTTPConnection(faults.HOST, port, timeout=PATIENCE_SECONDS)
    line.connect()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    start.wait()
    line.request("POST", f"/api/{path}", json.dumps(body), headers)
    response = line.getresponse()
    document = json.loads(response.read())
    line.close()
    return response.status, document


def posts_over_http(port: int, people: list[Person]) -> bool:
    def one(n: int, start: Barrier) -> int:
        person = people[n % len(people)]
        body = {"text": f"Message {n}", "clientId": f"http-{n}"}
        return post(port, f"groups/{person.group}/messages", person.access, body, start)[0]

    with Watched() as watched:
        statuses = Counter(all_at_once(POSTS, one))
    bound = WORKERS * THREADS
    print(f"{POSTS} posts over HTTP: {dict(statuses)}; connections {watched.most} (bound {bound})")
    return statuses == {201: POSTS} and 0 < watched.most <= bound


async def frames(port: int, people: list[Person]) -> Counter[str]:
    """Open all sockets, send all frames, and count what comes back to each of its own."""
    urls = [f"ws://{faults.HOST}:{port}/ws/chat/groups/{one.group}/?token={one.access}" for one in people]
    sockets = [await connect(url, max_queue=None, open_timeout=30) for url in urls]
    each = POSTS // len(sockets)

    async def talk(number: int) -> Counter[str]:
        socket, heard = sockets[number], Counter[str]()
        for n in range(each):
            name = f"socket-{number}-{n}"
            await socket.send(json.dumps({"action": "send_message", "text": name, "clientId": name}))
        while heard["message.created"] + heard["error"] < each:
            frame = json.loads(await socket.recv())
            is_own = frame["type"] == "error" or frame.get("payload", {}).get("clientId")
            heard[frame["type"]] += bool(is_own)
        return heard

    async with asyncio.timeout(PATIENCE_SECONDS):
        counted = await asyncio.gather(*(talk(n) for n in range(len(sockets))))
    await asyncio.gather(*(socket.close() for socket in sockets))
    return sum(counted, Counter[str]())


def posts_over_sockets(port: int, people: list[Person]) -> bool:
    with Watched() as watched:
        heard = asyncio.run(frames(port, people[:SOCKETS]))
    print(
        f"{POSTS} posts over {SOCKETS} sockets: {dict(heard)}; "
        f"connections {watched.most} (bound {SOCKET_DB_THREADS})"
    )
    return heard["message.created"] == POSTS and 0 < watched.most <= SOCKET_DB_THREADS


def new_groups(port: int, world: World) -> bool:
    def one(n: int, start: Barrier) -> tuple[int, Any]:
        body = {"name": f"Group {n}", "members": [{"userId": world.people[n].id}]}
        return post(port, "groups/", world.admin.access, body, start)

    answers = all_at_once(GROUPS, one)
    statuses = Counter(status for status, _ in answers)
    ids = {document.get("id") for _, document in answers}
    print(f"{GROUPS} groups created: {dict(statuses)}, ids {len(ids)}, {min(ids)} to {max(ids)}")
    return statuses == {201: GROUPS} and len(ids) == GROUPS


def main() -> int:
    redis = faults.redis()
    redis.start()
    faults.prepare(redis.port, **UNBOUNDED)
    web = faults.http_server(workers=WORKERS, threads=THREADS)
    sockets = faults.socket_server()
    try:
        world = make_world(PEOPLE)
        web.start()
        faults.wait_until_ready(web)
        results = [posts_over_http(web.port, world.people), new_groups(web.port, world)]
        web.stop()
        sockets.start()
        faults.wait_until_ready(sockets)
        results.append(posts_over_sockets(sockets.port, world.people))
        names = [name for group in {one.group for one in world.people} for name in stored_messages(group)]
    finally:
        for server in (sockets, web, redis):
            server.stop()
    print(f"messages stored {len(names)}, of that different {len(set(names))} (must be {2 * POSTS})")
    is_right = all(results) and len(names) == len(set(names)) == 2 * POSTS
    return faults.verdict(is_right=is_right)


if __name__ == "__main__":
    sys.exit(main())
