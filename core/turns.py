"""Long work in turns of two seconds: behind it may wait somebody's mail."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import Error as DatabaseError

from core.tasks import LOCMEM_MAIL, enqueue

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

TURN_SECONDS: Final = 2


def take_turn(step: Callable[..., bool], *, again: str, **ids: int) -> None:
    """Call ``step(**ids)`` until it returns False, or for about two seconds; then queue up anew as ``again``.

    Each step is a transaction of its own and goes on where the last one stopped. The tries begin anew,
    too, after a fault of the database that followed some progress. With the mail backend of tests
    the whole work is one turn.
    """
    over, has_moved = monotonic() + TURN_SECONDS, False
    try:
        while step(**ids):
            has_moved = True
            if monotonic() >= over and settings.EMAIL_BACKEND != LOCMEM_MAIL:
                break
        else:
            return
    except DatabaseError as error:
        if not has_moved:
            raise
        logger.warning("turn_failed", extra={"task": again, "fault": type(error).__name__, **ids})
    enqueue(again, **ids)
