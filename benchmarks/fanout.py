"""What a conversation's sockets cost one process: delivery, saturation, memory, and opening them.

By hand, on a private PostgreSQL and Redis that end with it (``make bench PART=fanout``; about four minutes):

    scripts/services.sh run -- .venv/bin/python -m benchmarks.fanout [SIZE ...]

One uvicorn as in production; 50, 200 and 1,000 people with a socket each in one conversation, who are another
process. This one posts by ``chat.services.posting.post_message``, as a thread of gunicorn does; a delivery
is timed from the moment at which the product rings the room, after the commit, until the client has the
frame. Beside it, by turns, as many redis-py subscribers of the same bytes in one process. Saturation is 80
events that are rung out in one go: the layer keeps at most 100 for a socket. Budgets are counted as always,
and so high, as an operator may set them, that people who all come from one address stay within.
Writes ``docs/performance/fanout.md``; fails where a bar is missed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
PAGE: Final = HERE.parent / "docs" / "performance" / "fanout.md"
sys.path[:0] = [str(HERE / "drills"), str(HERE / "sockets")]

import faults  # noqa: E402 - found by the line above
from ceiling import ceiling_of  # noqa: E402
from conversation import Conversation  # noqa: E402
from grounds import own_kib  # noqa: E402
from report import Row, page, rewrite, verdicts  # noqa: E402
from world import UNBOUNDED  # noqa: E402

SIZES: Final = (50, 200, 1_000)
ROUNDS: Final = 3
DELIVERIES_PER_SECOND: Final = 4_000
MOST_PER_SECOND: Final = 20
SECONDS: Final = 4
BURST: Final = 80
HANDSHAKES: Final = 3  # times that as many sockets are opened once more
BUDGETS: Final = {**UNBOUNDED, "SOCKETS_PER_SOURCE": "99999/1m", "SOCKETS_PER_USER": "9999/1m"}


def measure(conversation: Conversation, size: int) -> Row:
    """Measure with so many sockets, by turns with Redis itself."""
    row = Row(size, min(MOST_PER_SECOND, DELIVERIES_PER_SECOND / size))
    for _ in range(ROUNDS):
        row.ours.append(conversation.post_steadily(row.rate, SECONDS))
        row.raw.append(conversation.publish_steadily(row.rate))
        row.burst.append(conversation.ring_at_once(BURST))
        row.raw_burst.append(conversation.publish_at_once())
    return row


def run(server: faults.Server, store: str, sizes: list[int]) -> bool:
    conversation = Conversation(server, store, max(sizes))
    conversation.warm_up()
    before = own_kib(server)
    rows = []
    try:
        for size in sizes:
            new = size - conversation.size
            conversation.grow(size)
            kib_each = (own_kib(server) - before) / size
            conversation.grow_raw(new)
            rows.append(measure(conversation, size))
            print(f"{size} sockets: done", flush=True)
    finally:
        conversation.end()
    opened = [conversation.open_again() for _ in range(HANDSHAKES)]
    tables = page(rows, [ceiling_of(size) for size in sizes], opened, kib_each)
    print(tables)
    if tuple(sizes) == SIZES:
        rewrite(PAGE, tables)
    return all(found.is_met for found in verdicts(rows, [each["per_second"] for each in opened], kib_each))


def main() -> int:
    sizes = [int(argument) for argument in sys.argv[1:]] or list(SIZES)
    redis = faults.redis()
    redis.start()
    faults.prepare(redis.port, **BUDGETS)
    server = faults.socket_server(log_level="info")
    folder = tempfile.TemporaryDirectory(prefix="btf-metrics-")
    server.environment["PROMETHEUS_MULTIPROC_DIR"] = folder.name
    try:
        server.start()
        faults.wait_until_ready(server)
        is_right = run(server, f"redis://{faults.HOST}:{redis.port}/0", sizes)
    finally:
        server.stop()
        redis.stop()
        folder.cleanup()
    return faults.verdict(is_right=is_right)


if __name__ == "__main__":
    sys.exit(main())
