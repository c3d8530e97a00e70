"""How far a background job is, as the pages that start one show it. They look again while it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

REFRESH_SECONDS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Progress:
    """``done`` of ``total`` things; ``says`` names the job."""

    says: str
    done: int
    total: int
    is_under_way: bool

    @property
    def percent(self) -> int:
        """Whole percents, rounded down: 100 is all."""
        return 100 * self.done // self.total if self.total else 100

    @property
    def refresh_seconds(self) -> int:
        """After how long the page is to look again; 0 where nothing more happens."""
        return REFRESH_SECONDS if self.is_under_way else 0

    def __str__(self) -> str:
        return f"{self.done} of {self.total}"
