"""One role that calls, signed in again whenever what it called has ended its session."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any, Final

import scene
from aim import Aim

CALLS_A_SCENE: Final = 400
UNAUTHORIZED: Final = 401


class Caller:
    """Who calls, at what, and how it was answered. Threads may share one."""

    def __init__(self, role: str, *, misses_in_ten: int) -> None:
        self.role, self.misses_in_ten = role, misses_in_ten
        self.lock = threading.Lock()
        self.statuses: Counter[str] = Counter()
        self.reached: set[str] = set()
        self.revivals = 0
        self.headers: dict[str, str] = {}
        self.renew()

    def renew(self) -> None:
        """Lay out new things, for others have been deleted, and sign in."""
        self.sign_in()
        scene.lay_out()
        self.aim = Aim(self.misses_in_ten)

    def sign_in(self) -> None:
        if self.role != "anonymous":
            self.headers = {"Authorization": f"Bearer {scene.access_of(self.role)}"}

    def note(self, operation: str, status: int, signed_by: str | None) -> None:
        """Write an answer down. ``signed_by``: the header that the call came with."""
        with self.lock:
            self.statuses[str(status)] += 1
            if status < 400:  # noqa: PLR2004 - success
                self.reached.add(operation)
            if status == UNAUTHORIZED and signed_by == self.headers.get("Authorization", ""):
                self.revivals += 1
                self.sign_in()
            if self.statuses.total() % CALLS_A_SCENE == 0:
                self.renew()

    def told(self) -> dict[str, Any]:
        return {"statuses": self.statuses, "revivals": self.revivals, "reached": sorted(self.reached)}
