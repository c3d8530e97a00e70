"""A mail server that delivers nothing and prints everything, as people read it: mailbox.py PORT."""

from __future__ import annotations

import asyncio
import sys
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.smtp import SMTP


class Printer:
    """Takes every mail."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        message = message_from_bytes(envelope.content, policy=policy.default)
        body = message.get_body(("plain", "html"))
        words = body.get_content() if body is not None else ""
        print(f"To: {', '.join(envelope.rcpt_tos)}\nSubject: {message['Subject']}\n\n{words}", flush=True)
        return "250 OK"


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Printer(), decode_data=False), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
