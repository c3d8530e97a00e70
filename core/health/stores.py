"""Database and cache, without which nothing can be served: asked at each call."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from threading import Lock, get_ident
from time import monotonic
from typing import TYPE_CHECKING, Final

from django.core.cache import cache
from django.db import connection

from core.watching.lending import Call, Loan

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

FAULT_SECONDS: Final = 2.0  # in which nobody waits for another's question, once one has failed
LIMIT_SECONDS: Final = 15.0  # above all time-outs of the drivers: what takes longer is stuck
MOST_OVERDUE: Final = 2
MOST_STUCK: Final = 8


@dataclass(frozen=True)
class Question:
    """What the caller of one thread asks; an answer after ``until`` of the monotonic clock is none."""

    call: Call[None]
    until: float
    thread: int

    def fault(self) -> str | None:
        """Wait for the answer, and return the kind of what went wrong. Drivers raise anything."""
        settle = self.call.settle if self.thread == get_ident() else self.call.wait
        if not settle(self.until - monotonic()):
            return "TimeoutError"
        error = self.call.answer.exception()
        return None if error is None else type(error).__name__


class Store:
    """Asks one store anew for whoever calls; who calls meanwhile shares the outcome.

    Anybody may call, so the threads that wait are bounded where it does not answer: for two seconds after
    a fault only who asks waits for it, and the others are told of that fault. Two questions may be overdue
    at a time. One that is stuck for ``LIMIT_SECONDS`` makes room for the next, to ``MOST_STUCK`` of them.
    """

    def __init__(self, ask: Callable[[], Call[None]]) -> None:
        self.ask, self.lock = ask, Lock()
        self.forget()

    def forget(self) -> None:
        self.open: list[Question] = []
        self.failed_at = -FAULT_SECONDS

    def question(self, until: float) -> Question | None:
        """Ask, or join who asks. None: it did not answer a moment ago, and does not yet."""
        with self.lock:
            now = monotonic()
            self.open = [question for question in self.open if not question.call.answer.done()]
            if self.open and now < self.open[-1].until:
                return self.open[-1] if now - self.failed_at >= FAULT_SECONDS else None
            if not self.may_ask(now):
                return None
            self.open.append(Question(self.ask(), until, get_ident()))
            return self.open[-1]

    def may_ask(self, now: float) -> bool:
        stuck = [question for question in self.open if now - question.until > LIMIT_SECONDS]
        for question in stuck:
            question.call.cut()
        return len(self.open) < MOST_STUCK and len(self.open) - len(stuck) < MOST_OVERDUE

    def fault(self, question: Question | None) -> str | None:
        if question is None:
            return "TimeoutError"
        fault = question.fault()
        self.failed_at = -FAULT_SECONDS if fault is None else monotonic()
        return fault


stores: Final = {
    "database": Store(lambda: Loan("health-database", ask_database)),
    "redis": Store(lambda: Call("health-redis", ask_cache)),
}


def ask_stores(until: float) -> dict[str, bool]:
    """Ask both at once, and tell which has answered by that moment of the monotonic clock."""
    questions = {name: store.question(until) for name, store in stores.items()}
    return {name: is_well(name, question) for name, question in questions.items()}


def is_well(name: str, question: Question | None) -> bool:
    fault = stores[name].fault(question)
    if fault is not None:
        logger.warning("probe_failed", extra={"probe": name, "store_error": fault})
    return fault is None


def ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def ask_cache() -> None:
    value = uuid.uuid4().hex
    cache.set(f"health:{value}", value, timeout=5)
    if cache.get(f"health:{value}") != value:
        message = "The cache lost a value."
        raise RuntimeError(message)
    cache.delete(f"health:{value}")
