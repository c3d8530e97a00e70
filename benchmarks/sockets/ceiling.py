"""What the listeners can take at most: from a server that does nothing but write."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Final

from faults import HOST, Server
from framing import Client
from grounds import Ears

HERE: Final = Path(__file__).resolve().parent
MESSAGES: Final = 80
AT_ONCE: Final = 32


def ceiling_of(listeners: int) -> float:
    """Return how many deliveries a second so many clients take."""
    server, ears = Server(sys.executable, str(HERE / "blast.py"), "{port}"), Ears("sockets")
    server.start()
    try:
        base = f"ws://{HOST}:{server.port}"
        ears.ask(open={"urls": [f"{base}/?"] * listeners, "at_once": AT_ONCE})
        began = time.monotonic()
        asyncio.run(ask_for(MESSAGES, server.port))
        heard = ears.ask(until=MESSAGES * listeners, within=60)
    finally:
        ears.leave()
        server.stop()
    return float(heard["deliveries"] / (heard["last"] - began))


async def ask_for(messages: int, port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: Client(f"/blast/{messages}", []), HOST, port)
    await asyncio.sleep(0.2)
