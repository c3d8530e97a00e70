"""A TCP proxy before a server, which can be told to delay, cut, swallow, refuse, or answer in its place."""

from __future__ import annotations

import random
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Final

from faults import HOST, free_port

CHUNK: Final = 65_536
RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close sends a reset
DRAIN_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Fault:
    """What befalls the lines, old and new ones; by default, nothing."""

    delay_seconds: float = 0.0  # before each piece of an answer
    cut_after: int | None = None  # bytes of an answer that come through before its line is reset
    cut_chance: float = 0.0  # share of the answers that are lost whole: the line is reset instead
    is_black_hole: bool = False  # takes what comes, and says nothing for ever
    resets: bool = False  # resets each line at the first byte
    refuses: bool = False  # nobody listens
    says: bytes = b""  # what is answered instead of the server's word


class Line:
    """One client's connection, and the one to the server behind."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self.proxy, self.client = proxy, client
        self.server = socket.create_connection((HOST, proxy.target))
        self.is_asked = False
        self.answered = 0

    def start(self) -> None:
        for pump in (self.carry_requests, self.carry_answers):
            Thread(target=pump, daemon=True).start()

    def carry_requests(self) -> None:
        with suppress(OSError):
            while piece := self.client.recv(CHUNK):
                fault = self.proxy.fault
                if fault.resets:
                    break
                if fault.says:
                    self.answer(fault.says)
                    return
                if not fault.is_black_hole:
                    self.is_asked = True
                    self.server.sendall(piece)
            else:
                self.server.shutdown(socket.SHUT_WR)
                return
        self.reset()

    def carry_answers(self) -> None:
        with suppress(OSError):
            while piece := self.server.recv(CHUNK):
                fault = self.proxy.fault
                time.sleep(fault.delay_seconds)
                if self.is_asked:
                    self.is_asked, self.answered = False, 0
                    if self.proxy.chance.random() < fault.cut_chance:
                        self.proxy.cuts += 1
                        break
                self.answered += len(piece)
                if fault.cut_after is not None and self.answered > fault.cut_after:
                    self.proxy.cuts += 1
                    break
                if not fault.is_black_hole:
                    self.client.sendall(piece)
            else:
                self.client.shutdown(socket.SHUT_WR)
                return
        self.reset()

    def answer(self, words: bytes) -> None:
        """Answer in the server's place; what still comes is read, or the client would see a reset."""
        self.client.sendall(words)
        self.client.shutdown(socket.SHUT_WR)
        self.client.settimeout(DRAIN_SECONDS)
        with suppress(OSError):
            while self.client.recv(CHUNK):
                pass
        self.reset()

    def reset(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RD)  # wakes the thread that reads there
            end.close()


class Proxy:
    """Listens on a port of its own, which it keeps; ``fault`` may change at any moment."""

    def __init__(self, target: int, *, seed: int = 1) -> None:
        """Take the port of the server behind. The seed makes chance repeatable."""
        self.target, self.port = target, free_port()
        self.chance = random.Random(seed)  # noqa: S311 - no secret
        self.cuts = 0
        self.lock = Lock()
        self.lines: list[Line] = []
        self.listener: socket.socket | None = None
        self.now = Fault()

    @property
    def fault(self) -> Fault:
        return self.now

    @fault.setter
    def fault(self, fault: Fault) -> None:
        self.now = fault
        if fault.refuses:
            self.stop()
        elif self.listener is None:
            self.start()

    def start(self) -> Proxy:
        self.listener = socket.create_server((HOST, self.port), backlog=512)
        Thread(target=self.accept, args=[self.listener], daemon=True).start()
        return self

    def accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                try:
                    line = Line(self, client)
                except OSError:
                    client.close()
                    continue
                with self.lock:
                    self.lines = [one for one in self.lines if one.client.fileno() >= 0]
                    self.lines.append(line)
                line.start()

    def stop(self) -> None:
        """Refuse whoever comes, and reset whoever is there."""
        if self.listener is not None:
            with suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)  # close alone does not end an accept
            self.listener.close()
            self.listener = None
        with self.lock:
            for line in self.lines:
                line.reset()
            self.lines = []
