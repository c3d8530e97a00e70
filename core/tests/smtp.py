"""A real SMTP server for tests and drills, which can be told to refuse, stall, hang up, or be away."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage

HOST = "127.0.0.1"
logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd tells of every word


@dataclass(frozen=True)
class Reply:
    """What the server does about a mail: by default, take it."""

    rcpt: str = ""  # the reply to RCPT TO where it is not 250, such as "550 5.1.1 Unknown"
    data: str = ""  # the reply to DATA where it is not 250
    hang_up: bool = False  # cut the connection at DATA, without a reply
    keep: bool = False  # and yet take the mail: what a server does that dies before it answers
    stall_seconds: float = 0  # before the reply to DATA


TAKE = Reply()


@dataclass(frozen=True)
class Taken:
    """A mail that the server answered for."""

    to: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)

    @property
    def id(self) -> str:
        return str(self.message["Message-ID"]).strip()


class Handler:
    """Asks ``SmtpServer.reply`` about each recipient."""

    def __init__(self, owner: SmtpServer) -> None:
        self.owner = owner

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        self.owner.tried[address] += 1
        if refusal := self.owner.reply(address).rcpt:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        (address,) = envelope.rcpt_tos  # a mail to two addresses fails the test
        reply = self.owner.reply(address)
        await asyncio.sleep(reply.stall_seconds)
        if reply.data:
            return reply.data
        if reply.hang_up and not reply.keep:
            server.transport.abort()
            return "421 Gone"
        self.owner.taken.append(Taken(address, envelope.original_content))
        if reply.hang_up:
            server.transport.abort()
        return "250 OK"


class Server(SMTP):
    """Says nothing at all while its owner is silent, not even who it is."""

    def connection_made(self, transport: Any) -> None:
        owner = self.event_handler.owner
        owner.connections += 1
        if owner.is_silent:
            owner.silent.append(transport)
            return
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self.transport is not None:
            super().data_received(data)

    def eof_received(self) -> bool | None:
        return super().eof_received() if self.transport is not None else None


class Door(Controller):
    def factory(self) -> SMTP:
        return Server(self.handler, **self.SMTP_kwargs)


class SmtpServer:
    """One server on a port of its own, which it keeps while it is away."""

    def __init__(self, reply: Callable[[str], Reply] | None = None) -> None:
        """Take what to do about each address: by default, to take its mail."""
        self.reply = reply or (lambda _: TAKE)
        self.taken: list[Taken] = []
        self.tried: Counter[str] = Counter()
        self.connections = 0
        self.is_silent = False
        self.silent: list[Any] = []
        with closing(socket.create_server((HOST, 0))) as listener:
            self.port: int = listener.getsockname()[1]
        self.door: Door | None = None

    def start(self) -> SmtpServer:
        self.door = Door(Handler(self), hostname=HOST, port=self.port, decode_data=False)
        self.door.start()
        return self

    def stop(self) -> None:
        if self.door is not None:
            with suppress(OSError):
                self.door.stop(no_assert=True)
            self.door = None

    def to(self, address: str) -> list[Taken]:
        """Return the mails that it took for an address."""
        return [taken for taken in self.taken if taken.to == address]

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings of Django that lead here."""
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": HOST,
            "EMAIL_PORT": self.port,
            "EMAIL_USE_TLS": False,
            "EMAIL_USE_SSL": False,
            "EMAIL_HOST_USER": "",
        }
