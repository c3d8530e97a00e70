"""What is asked of each request: as a share of what the peer answers in the same run, and in statements.

Shares stand in for an earlier system that is not at hand: the numbers of both were once measured in one run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OTHERS: Final = "users/me"  # of the peer's, what is measured against that has no peer of its own
AS_FAST: Final = 0.9  # what counts as equally fast, on a machine that does other things, too


@dataclass(frozen=True)
class Goal:
    """Shares of the peer's rate; at most so many statements; ``like``: as fast as that one of ours."""

    bar: float | None
    goal: float | None
    statements: int
    has_peer: bool = False
    best_statements: int | None = None
    like: str = ""
    like_is_bar: bool = False

    def peer_of(self, name: str) -> str:
        return name if self.has_peer else OTHERS


GOALS: Final = {
    "users/me": Goal(0.15, 0.5, 2, has_peer=True),
    "groups": Goal(0.032, 0.068, 2),
    "group detail": Goal(0.23, 0.5, 4, has_peer=True),
    "messages newest": Goal(0.63, 1.0, 4, has_peer=True),
    "messages deep": Goal(0.32, 1.0, 4, has_peer=True, like="messages newest", like_is_bar=True),
    "messages anew": Goal(None, None, 4, has_peer=True),
    "post": Goal(0.24, 0.5, 5, has_peer=True),
    "events": Goal(0.061, 0.126, 3),
    "resources": Goal(0.20, 0.51, 4),
    "announcements": Goal(0.23, 0.565, 4),
    "admin users first": Goal(0.15, None, 3),
    "admin users deep": Goal(0.05, None, 3, like="admin users first"),
    "admin users search": Goal(0.12, None, 3),
    "admin stats": Goal(0.10, None, 3, best_statements=1),
}


@dataclass(frozen=True)
class Then:
    """What was measured once, on such a machine, in requests a second.

    Of an earlier system, and how many times that is asked for; and of a service written by hand, which was
    not our peer.
    """

    earlier: float
    times: float
    by_hand: float | None = None


THEN: Final = {
    "users/me": Then(36, 8, 1981),
    "groups": Then(0.9, 70),
    "group detail": Then(60, 5, 1295),
    "messages newest": Then(12, 8, 153),
    "messages deep": Then(7, 8, 173),
    "post": Then(35, 3, 435),
    "events": Then(10, 12),
    "resources": Then(101, 4),
    "announcements": Then(112, 4),
    "admin users first": Then(21, 14),
    "admin users deep": Then(16, 6),
    "admin users search": Then(30, 8),
    "admin stats": Then(49, 4),
}


@dataclass(frozen=True)
class ExportGoal:
    """Of the export of everybody: how many of the peer's ``users/me`` take as long; MiB; milliseconds."""

    peers_requests: float = 743
    grown_mib: float = 8
    first_byte_ms: float = 20


EXPORT: Final = ExportGoal()
EXPORT_STATEMENT: Final = (
    "a twelfth of the earlier system's 4.5 s, told in requests of the peer; under 8 MiB more memory; "
    "the first byte within 20 ms"
)
