"""Asking what may be frozen, in another thread: it answers neither yes nor no."""

from __future__ import annotations

import os
import socket
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from django.db import connection, connections, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Answer = TypeVar("Answer")

STATEMENT_MS: Final = 500


def in_thread(name: str, ask: Callable[[], Answer]) -> Future[Answer]:
    """Call it in a thread of its own, that no other call waits for.

    Where there is no thread to be had, the answer is that RuntimeError.
    """
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
    try:
        return executor.submit(ask)
    except RuntimeError as error:
        answer: Future[Answer] = Future()
        answer.set_exception(error)
        return answer
    finally:
        executor.shutdown(wait=False)


class Call(Generic[Answer]):
    """One call in a thread of its own. Whoever made it settles it; others may wait for it, too."""

    def __init__(self, name: str, ask: Callable[[], Answer]) -> None:
        self.answer = in_thread(name, ask)

    def wait(self, seconds: float) -> bool:
        """Wait so long for the answer; tell whether there is one, or an exception."""
        return bool(wait([self.answer], timeout=max(0.0, seconds)).done)

    def settle(self, seconds: float) -> bool:
        return self.wait(seconds)

    def cut(self) -> None:
        """End what a stuck thread waits for, where anything can."""


class Loan(Call[Answer]):
    """A call over the connection to the database of the thread that makes it.

    So no process has more connections than threads, and a test's transaction is seen. Each loan must be
    settled, by the thread that made it.
    """

    def __init__(self, name: str, ask: Callable[[], Answer]) -> None:
        self.database: Any = connection._connections[connection._alias]  # type: ignore[attr-defined]  # noqa: SLF001
        self.lock, self.threads = Lock(), 2  # this one, and the one that asks
        self.database.inc_thread_sharing()
        super().__init__(name, partial(self.over_there, ask))

    def over_there(self, ask: Callable[[], Answer]) -> Answer:
        connections["default"] = self.database
        try:
            return ask()
        finally:
            del connections["default"]
            self.leave()

    def settle(self, seconds: float) -> bool:
        """As ``wait``. Where there is no answer, the connection is lost: this thread opens another.

        Whoever of the two leaves it last closes it. One that was only being opened yet is open by then.
        """
        if self.wait(seconds):
            self.database.dec_thread_sharing()
            return True
        del connections["default"]
        self.leave()
        self.cut()
        return False

    def leave(self) -> None:
        """Close the connection, where the other thread has left it, too."""
        with self.lock:
            self.threads -= 1
            if not self.threads:
                self.database.close()

    def cut(self) -> None:
        """Hang up on a PostgreSQL that does not answer: the stuck thread gets an error, and is free.

        TCP alone would have it wait for ever where the other end acknowledges and says nothing.
        """
        with self.lock:  # or its number could be another's by now
            driver = self.database.connection
            if self.database.vendor != "postgresql" or driver is None:
                return
            with (
                suppress(OSError, self.database.Database.Error),  # it has ended meanwhile
                socket.socket(fileno=os.dup(driver.fileno())) as line,
            ):
                line.shutdown(socket.SHUT_RDWR)


@contextmanager
def in_short() -> Iterator[None]:
    """Have no statement in the block take longer than half a second, where the database can see to that."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{STATEMENT_MS}ms"])
        yield
