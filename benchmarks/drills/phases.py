"""A table of what requests came to while one part after another was away."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from traffic import Traffic
    from wire import Answer

HEAD: Final = (
    f"{'phase':28}{'asked':>7}{'2xx':>7}{'503':>6}{'late':>6}{'other':>6}{'failures':>17}{'p99 s':>8}"
)
ALLOWED_BY_DEFAULT: Final = frozenset({"*"})


@dataclass
class Phase:
    """A time in which a part is away from ``began`` to ``mended``; without one, nothing may fail.

    ``may_fail`` names the kinds of requests that need the part; ``*`` stands for all.
    """

    name: str
    began: float
    mended: float = -math.inf
    may_fail: frozenset[str] = ALLOWED_BY_DEFAULT

    def allows(self, answer: Answer, grace: float) -> bool:
        """Tell whether an answer is a clean 503 to who asked while the part was away, or just after."""
        is_of_it = "*" in self.may_fail or answer.kind in self.may_fail
        return answer.is_clean and is_of_it and answer.began <= self.mended + grace


def report(phases: list[Phase], traffic: Traffic, *, grace: float) -> bool:
    """Print a line a phase; tell whether every failure is one that a phase allows.

    ``failures`` is from when to when answers were no 2xx, in seconds after the part was back.
    """
    print(HEAD)
    ends = [phase.began for phase in phases[1:]] + [math.inf]
    wrong = [line(phase, end, traffic.answers, grace) for phase, end in zip(phases, ends, strict=True)]
    print(f"kept connections found closed and opened anew: {traffic.stale}")
    for kind, count in Counter(kind for kinds in wrong for kind in kinds).most_common(20):
        print(f"  not allowed: {count} x {kind}")
    return not any(wrong)


def line(phase: Phase, end: float, answers: list[Answer], grace: float) -> list[str]:
    """Print one phase; return what was not allowed in it."""
    mine = [answer for answer in answers if phase.began <= answer.ended < end]
    failed = [answer for answer in mine if not answer.is_good]
    clean = [answer for answer in failed if answer.is_clean]
    wrong = [answer for answer in failed if not phase.allows(answer, grace)]
    late = [answer for answer in wrong if answer.is_clean]
    moments = [answer.ended - max(phase.mended, phase.began) for answer in failed]
    span = f"{min(moments):.1f} to {max(moments):.1f}" if moments else "-"
    took = sorted(answer.ended - answer.began for answer in mine) or [0.0]
    print(
        f"{phase.name:28}{len(mine):>7}{len(mine) - len(failed):>7}{len(clean):>6}{len(late):>6}"
        f"{len(failed) - len(clean):>6}{span:>17}{took[len(took) * 99 // 100]:>8.2f}"
    )
    return [f"{phase.name}: {answer.kind} {answer.status} {answer.fault}" for answer in wrong]
