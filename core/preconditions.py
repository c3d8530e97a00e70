"""What a writer has seen must still be so (RFC 9110, 13.1.1): asked with the rows held, before a write."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class PreconditionFailed(Refused):
    """What is to be changed is not any more as whoever asks for it has seen it (412; RFC 9110, 15.5.13)."""

    status = 412
    code = "precondition_failed"
    sentence = "This has been changed meanwhile. Read it again before you change it."


class Expectation:
    """What one request has seen of what it edits; ``check`` raises PreconditionFailed where that changed."""

    def __init__(self, check: Callable[[], None]) -> None:
        self.check = check
        self.is_confirmed = False


expectation: ContextVar[Expectation | None] = ContextVar("expectation", default=None)


@contextmanager
def expecting(check: Callable[[], None]) -> Iterator[Expectation]:
    """Have ``confirm`` call ``check`` in this block, once; it reads the database as it is then."""
    expected = Expectation(check)
    token = expectation.set(expected)
    try:
        yield expected
    finally:
        expectation.reset(token)


def confirm() -> None:
    """Raise PreconditionFailed (412) where what is held now is not as the person who edits it has seen it.

    Whatever locks something that the API edits calls this after its last lock: nobody can change the row
    between the question and the write. It costs nothing where nothing is expected.
    """
    expected = expectation.get()
    if expected is not None and not expected.is_confirmed:
        expected.check()
        expected.is_confirmed = True


def confirm_anew() -> None:
    """Have the next ``confirm`` ask again: the locks of an attempt went with its transaction."""
    expected = expectation.get()
    if expected is not None:
        expected.is_confirmed = False
