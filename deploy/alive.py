"""Asks a server of this machine or container whether it answers: alive.py PORT [SECONDS to wait for it]."""

from __future__ import annotations

import os
import sys
import time
import urllib.request

TIMEOUT_SECONDS = 4
# A server's way out to the world (http_proxy) does not lead to itself.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(port: int) -> None:
    """Raise OSError where it does not."""
    # As the proxy asks: by a name that Django knows, and over HTTPS.
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".")
    headers = {"Host": host, "X-Forwarded-Proto": "https"}
    address = f"http://127.0.0.1:{port}/api/health/live/"
    DIRECT.open(urllib.request.Request(address, headers=headers), timeout=TIMEOUT_SECONDS)


def wait_for(port: int, *, seconds: float) -> None:
    """Ask until it answers. Raises what the last try did."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask(port)
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


if __name__ == "__main__":
    number, *patience = sys.argv[1:]
    wait_for(int(number), seconds=float(patience[0]) if patience else 0)
