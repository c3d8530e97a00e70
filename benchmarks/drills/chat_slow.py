"""What members who never read cost: a socket server's memory, and the others' delivery.

By hand, on a private PostgreSQL that ends with it (``make drill PART=chat_slow``):

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/chat_slow.py [MESSAGES [SLOW]]

50 sockets do not read while 1,500 messages of 4,000 characters are posted; two others do. Fails where the
server grows by 20 MiB or more, holds a slow one 15 seconds after the last message, or keeps the others
waiting for 1 s (p99). Linux alone: memory is read from ``/proc``.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from pathlib import Path
from typing import Final

import faults
from chat_kill import GROUP, Listener, fill

TEXT: Final = "x" * 4_000
GROWTH_MIB, SLOWEST_SECONDS, GRACE_SECONDS = 20, 1.0, 15
WINDOW: Final = 4_096  # bytes that a slow client's kernel takes for it


def deaf_socket(port: int, token: str) -> socket.socket:
    """Open a socket by hand, and read no more than that it is open."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
    line.connect((faults.HOST, port))
    request = [
        f"GET /ws/chat/groups/{GROUP}/?token={token} HTTP/1.1",
        *(f"Host: {faults.HOST}", "Upgrade: websocket", "Connection: Upgrade"),
        *("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", ""),
    ]
    line.sendall("\r\n".join(request).encode())
    if b"101" not in line.recv(64):
        raise SystemExit("A socket was not opened")
    return line


def is_let_go(line: socket.socket) -> bool:
    """Read what the server had given the kernel; tell whether it ends there."""
    line.settimeout(2)
    try:
        while line.recv(1_048_576):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        pass
    return True


def resident_mib(server: faults.Server) -> float:
    assert server.process is not None  # noqa: S101 - it was started
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def post(count: int, emails: list[str], sent_at: dict[str, float]) -> None:
    """Post by the service, in this process."""
    from chat.services.posting import Draft, post_message
    from users.models import User

    authors = list(User.objects.filter(email__in=emails))
    for n in range(count):
        name = f"0-{n}"
        sent_at[name] = time.monotonic()
        post_message(
            group_id=GROUP, author=authors[n % len(authors)], draft=Draft(f"Message {n} of 0 {TEXT}")
        )


async def run(server: faults.Server, tokens: list[str], messages: int, slow: int) -> bool:
    sent_at: dict[str, float] = {}
    listeners = [Listener(n, tokens[n], [server.port]) for n in range(2)]
    listening = [asyncio.create_task(one.listen(sent_at)) for one in listeners]
    lines = [await asyncio.to_thread(deaf_socket, server.port, tokens[2 + n]) for n in range(slow)]
    await asyncio.sleep(2)
    before = resident_mib(server)
    await asyncio.to_thread(post, messages, [f"p{n}@example.org" for n in range(2)], sent_at)
    await asyncio.sleep(GRACE_SECONDS)
    grown = resident_mib(server) - before
    for task in listening:
        task.cancel()
    delays = sorted(delay for one in listeners for delay in one.delays)
    p99 = delays[len(delays) * 99 // 100]
    gone = sum(await asyncio.gather(*(asyncio.to_thread(is_let_go, line) for line in lines)))
    heard = [len(one.heard) for one in listeners]
    print(f"{messages} messages, {slow} who do not read: {gone} of them let go, RSS +{grown:.1f} MiB")
    print(f"The others heard {heard}, p99 {p99:.3f} s, slowest {delays[-1]:.3f} s")
    is_quick = grown < GROWTH_MIB and p99 < SLOWEST_SECONDS
    return is_quick and gone == slow and heard == [messages] * len(heard)


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    messages, slow = [*given, *[1_500, 50][len(given) :]]
    redis = faults.redis()
    faults.prepare(redis.port, CHAT_BURST="100000", CHAT_PER_SECOND="1000")
    server = faults.socket_server()
    try:
        redis.start()
        tokens = fill(slow + 2)
        server.start()
        faults.wait_until_ready(server)
        is_right = asyncio.run(run(server, tokens, messages, slow))
        print(server.told()[-1_500:])
    finally:
        server.stop()
        redis.stop()
    if not is_right:
        raise SystemExit("FAILED: a number above is not right")


if __name__ == "__main__":
    main()
