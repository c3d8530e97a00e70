"""Finds free ports on loopback, below those of outgoing connections: ports.py WANTED NAME...

Prints NAME=port lines. Where the port WANTED is taken, ends with a line that says so.
"""

from __future__ import annotations

import errno
import random
import socket
import sys

HOST = "127.0.0.1"
FIRST, LAST = 10_000, 30_000


def listener_on(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def wanted(port: int) -> None:
    try:
        listener_on(port).close()
    except (OSError, OverflowError) as error:
        taken = getattr(error, "errno", None) == errno.EADDRINUSE
        reason = f"taken: PORT={port + 1} make prod-local." if taken else f"no port to listen on: {error}."
        raise SystemExit(f"Port {port} is {reason}") from error


def free(count: int) -> list[int]:
    """Return different ports that were free a moment ago."""
    held: list[socket.socket] = []
    while len(held) < count:
        try:
            held.append(listener_on(random.randrange(FIRST, LAST)))  # noqa: S311 - no secret
        except OSError:
            continue
    ports = [int(listener.getsockname()[1]) for listener in held]
    for listener in held:
        listener.close()
    return ports


if __name__ == "__main__":
    wanted(int(sys.argv[1]))
    names = sys.argv[2:]
    for name, port in zip(names, free(len(names)), strict=True):
        print(f"{name}={port}")
