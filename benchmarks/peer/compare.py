"""Holds the peer's answers against the product's, over one database.

    scripts/services.sh run -- .venv/bin/python -m benchmarks.peer.compare

Seeds a small programme, adds what a conversation may hold (hidden and waiting messages, quotes of them,
people without a name or erased), starts the peer, and asks both the same as everybody. Bodies, status and
the headers that both give must be equal: of what is posted twice all but its id, place and moment. So must
the events be that the posts publish.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from benchmarks.peer.wire import Answer, ask, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis.client import PubSub

ORIGIN: Final = "https://hub.example.org"
ENVIRONMENT: Final = {
    "DJANGO_SETTINGS_MODULE": "btf_backend.settings",
    "SECRET_KEY": secrets.token_hex(32),
    "DEBUG": "false",
    "SECURE_SSL_REDIRECT": "false",
    "ALLOWED_HOSTS": "127.0.0.1",
    "FRONTEND_BASE_URL": ORIGIN,
    "CORS_ALLOWED_ORIGINS": ORIGIN,
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "EMAIL_HOST": "smtp.example.org",
    "DJANGO_LOG_LEVEL": "CRITICAL",
}
PEOPLE: Final = 80
MESSAGES: Final = 2_000
PLACED: Final = {"id", "seq", "revision", "timestamp", "clientId"}
START_SECONDS: Final = 20


class Both:
    """The product in this process, and the peer in one of its own."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.equal = 0
        self.differences: list[str] = []

    def product(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
        """Ask the product, through all of its middleware."""
        from django.test import Client

        named = {"Host": self.host, **headers}
        client = Client(raise_request_exception=False)
        got = client.generic(method, path, body or b"", "application/json", headers=named)
        return Answer(got.status_code, dict(got.headers), json.loads(got.content or b"null"))

    def peer(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
        return ask(self.host, method, path, headers, body)

    def read(self, path: str, token: str) -> None:
        """Ask both, and note what differs."""
        headers = {"Origin": ORIGIN, "X-Request-ID": "compare-both"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        self.note(path, self.product("GET", path, headers, None), self.peer("GET", path, headers, None))

    def note(self, what: str, product: Answer, peer: Answer) -> None:
        """Count an equal pair; keep both sides of another."""
        if product.compared == peer.compared:
            self.equal += 1
        else:
            self.differences.append(f"{what}\n  product {product.compared}\n  peer    {peer.compared}")


def tokens() -> dict[str, str]:
    """Return an access token of everybody who asks, by what they are to the first group; blank is nobody."""
    from benchmarks.load.rows import PER_GROUP
    from benchmarks.load.seed import cast, token_of

    someone = cast()
    first = someone.students[0]
    people = {"admin": someone.admin, "student": first, "nameless": first + 1, "mentor": first + 6}
    people |= {"supervisor": first + 7, "outsider": first + PER_GROUP}
    return {name: token_of(person) for name, person in people.items()} | {
        "nobody": "",
        "stranger": "no.to.ken",
    }


def paths() -> Iterator[str]:
    """Yield what is read: the documents, pages at both ends and between, and what is refused."""
    from benchmarks.load.seed import cast

    someone = cast()
    messages = f"/api/groups/{someone.group}/messages"
    yield "/api/users/me/"
    yield from (f"/api/groups/{group}/" for group in (someone.group, "BTF002", "BTF999", "no.id"))
    yield from (
        f"{messages}?{query}" for query in ("", "limit=7", "limit=100", "limit=0", f"before={someone.deep}")
    )
    yield from (
        f"{messages}?before={word}" for word in ("1999-01-01T00:00:00Z", "yesterday", "2026-01-01", "")
    )
    yield from (f"/api/groups/{group}/messages" for group in ("BTF002", "BTF999"))


def compare_posts(both: Both, token: str, hearing: PubSub) -> None:
    """Post the same to both: answers and events are equal but for place and moment, and a repeat is found."""
    from benchmarks.load.seed import cast
    from benchmarks.peer.scene import drafts

    path = f"/api/groups/{cast().group}/messages"
    headers = {"Authorization": f"Bearer {token}", "Origin": ORIGIN, "X-Request-ID": "compare-both"}
    for number, draft in enumerate(drafts(both.host)):
        bodies = [json.dumps({**draft, "clientId": f"{number}-{side}"}).encode() for side in "ab"]
        product = both.product("POST", path, headers, bodies[0])
        told = heard(hearing)
        peer = both.peer("POST", path, headers, bodies[1])
        both.note(f"POST {draft}", unplaced(product), unplaced(peer))
        both.note(f"event of {draft}", Answer(0, {}, told), Answer(0, {}, heard(hearing)))
        if product.status == peer.status == 201:  # noqa: PLR2004
            both.note(
                "the next place", Answer(0, {}, product.body["seq"] + 1), Answer(0, {}, peer.body["seq"])
            )
            for body, first in zip(bodies, (product, peer), strict=True):
                again = [
                    ask(path, body) for ask in (posted(both.product, headers), posted(both.peer, headers))
                ]
                both.note("a repeat", *again)
                both.note("what was repeated", Answer(200, first.headers, first.body), again[1])


def posted(side: Any, headers: dict[str, str]) -> Any:
    return lambda path, body: side("POST", path, headers, body)


def unplaced(answer: Answer) -> Answer:
    return Answer(answer.status, answer.headers, without_place(answer.body))


def without_place(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in PLACED}


def heard(hearing: PubSub) -> Any:
    """Return the event that was published, without its place; None where there was none."""
    message = hearing.get_message(ignore_subscribe_messages=True, timeout=0.3)
    if message is None:
        return None
    event = json.loads(message["data"])
    return {**without_place(event), "document": without_place(event["document"])}


def main() -> int:
    os.environ.update(ENVIRONMENT)
    import django

    django.setup()
    from django.core.management import call_command
    from redis import Redis

    from benchmarks.load.seed import seed
    from benchmarks.peer.scene import enrich

    call_command("migrate", verbosity=0)
    seed(PEOPLE, MESSAGES)
    enrich()
    both = Both(port := free_port())
    command = [sys.executable, "-m", "uvicorn", "benchmarks.peer.app:app", "--port", str(port)]
    peer = subprocess.Popen([*command, "--log-level", "warning"])  # noqa: S603 - our own
    try:
        until_up(both)
        hearing = Redis.from_url(os.environ["REDIS_URL"]).pubsub()  # type: ignore[no-untyped-call]
        hearing.psubscribe("*__group__*")
        hearing.get_message(timeout=1)
        who = tokens()
        compare_reads(both, who)
        compare_posts(both, who["student"], hearing)
        compare_reads(both, who)
    finally:
        peer.terminate()
        peer.wait()
    print(*both.differences, f"{both.equal} equal, {len(both.differences)} different", sep="\n")
    return bool(both.differences)


def compare_reads(both: Both, who: dict[str, str]) -> None:
    for path in paths():
        for token in who.values():
            both.read(path, token)


def until_up(both: Both) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            both.peer("GET", "/", {}, None)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    sys.exit(main())
