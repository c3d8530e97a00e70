"""Asking the database in another thread: a frozen one answers neither yes nor no."""

from __future__ import annotations

from concurrent.futures import wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from django.db import connection, connections, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import ThreadPoolExecutor

Answer = TypeVar("Answer")

STATEMENT_MS: Final = 500


class Loan(Generic[Answer]):
    """One call that a thread of the executor makes over this thread's own connection.

    So no process has more connections than threads, and a test's transaction is seen. Each loan must be
    settled, by the thread that made it.
    """

    def __init__(self, executor: ThreadPoolExecutor, ask: Callable[[], Answer]) -> None:
        self.database: Any = connection._connections[connection._alias]  # type: ignore[attr-defined]  # noqa: SLF001
        self.database.inc_thread_sharing()
        self.answer = executor.submit(self.over_there, ask)

    def over_there(self, ask: Callable[[], Answer]) -> Answer:
        connections["default"] = self.database
        try:
            return ask()
        finally:
            del connections["default"]

    def settle(self, seconds: float) -> bool:
        """Wait so long for the answer; tell whether there is one, or an exception.

        Where there is none, the stuck thread keeps the connection: this one opens its own when it needs one.
        """
        if wait([self.answer], timeout=max(0.0, seconds)).done:
            self.database.dec_thread_sharing()
            return True
        self.answer.cancel()
        del connections["default"]
        return False


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
