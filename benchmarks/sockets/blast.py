"""A server that does nothing but write: how much the listeners can take at most.

    blast.py PORT

Any WebSocket is greeted; one that asks for ``/blast/<n>`` has the same ``n`` frames written to all others.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

from framing import framed

UPGRADED: Final = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
GREETING: Final = framed(b'{"type": "connection.established"}'.ljust(126))
TEXT: Final = framed(b'{"text": "no. 1"}'.ljust(600))

others: list[Any] = []


class Blast(asyncio.Protocol):
    """One listener's connection."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        path = data.partition(b" HTTP")[0].removeprefix(b"GET ")
        self.transport.write(UPGRADED + GREETING)
        if not path.startswith(b"/blast/"):
            others.append(self.transport)
            return
        for _ in range(int(path.removeprefix(b"/blast/").rstrip(b"?"))):
            for transport in others:
                transport.write(TEXT)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Blast, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
