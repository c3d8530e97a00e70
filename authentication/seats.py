"""How many sockets a person has open in this process."""

from __future__ import annotations

from collections import Counter
from typing import Final

MOST: Final = 20

taken: Counter[int] = Counter()


def take(user_id: int) -> bool:
    """Take a seat, to be given back with ``leave``; False where the person has all of theirs."""
    if taken[user_id] >= MOST:
        return False
    taken[user_id] += 1
    return True


def leave(user_id: int) -> None:
    taken[user_id] -= 1
    if taken[user_id] <= 0:
        del taken[user_id]
