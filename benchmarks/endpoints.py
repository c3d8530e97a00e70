"""How fast the product answers, beside a service written by hand: every bar and goal in one run.

``make bench`` (about twelve minutes), or some of it, which writes no page:

    make bench PART=endpoints ONLY="users/me,post" ROUNDS=2

Seeds 10,000 people and 500,000 messages (PEOPLE, MESSAGES), starts the product, the peer and two servers
with nothing behind them on ports of their own, and puts wrk on each by turns. Writes
``docs/performance/endpoints.md`` and the picture beside it; fails where a bar is missed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.load.environment import PROJECT, configure, fill
from benchmarks.load.wrk import program

if TYPE_CHECKING:
    from benchmarks.load.export import Export
    from benchmarks.load.rounds import Found

PAGE: Final = PROJECT / "docs" / "performance" / "endpoints.md"
PEOPLE: Final = int(os.environ.get("PEOPLE") or 10_000)
MESSAGES: Final = int(os.environ.get("MESSAGES") or 500_000)
ROUNDS: Final = int(os.environ.get("ROUNDS") or 6)
SECONDS: Final = int(os.environ.get("SECONDS") or 2)
ONLY: Final = [name.strip() for name in os.environ.get("ONLY", "").split(",") if name.strip()]
SERVERS: Final = ("ours", "peer", "bare WSGI", "bare ASGI")


def measure(folder: Path) -> tuple[Found, list[Export]]:
    """Measure every request in every round, and then the export."""
    from benchmarks.load.calls import calls, chosen
    from benchmarks.load.export import export
    from benchmarks.load.rounds import Bench
    from benchmarks.load.seed import cast
    from benchmarks.load.servers import serving

    known = calls(cast())
    with serving(*SERVERS, folder=folder) as servers:
        bench = Bench(servers, known, list(chosen(ONLY, known)), seconds=SECONDS)
        bench.prepare()
        for number in range(ROUNDS):
            bench.round(number)
            tell(f"round {number + 1} of {ROUNDS}")
        admin = known["admin stats"]
        exports = [] if ONLY else [export(servers["ours"], admin) for _ in range(max(ROUNDS, 2))][1:]
        return bench.finish(), exports


def tell(what: str) -> None:
    print(f"{time.monotonic() - STARTED:5.0f} s  {what}", file=sys.stderr, flush=True)


def main() -> int:
    program()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configure(folder)
        fill(PEOPLE, MESSAGES)
        tell(f"{PEOPLE:,} people and {MESSAGES:,} messages are stored")
        found, exports = measure(folder)
    from benchmarks.load import report

    text = report.page(found, exports, people=PEOPLE, messages=MESSAGES, rounds=ROUNDS)
    print(text)
    if not ONLY:
        from benchmarks.load.plot import draw

        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text)
        draw(found, PAGE.with_suffix(".png"))
    missed = [one for one in report.verdicts(found, exports) if one.is_bar and not one.is_met]
    for one in missed:
        print(f"MISS  {one.name}: {one.what}, found {one.found}", file=sys.stderr)
    return 1 if missed else 0


STARTED: Final = time.monotonic()

if __name__ == "__main__":
    sys.exit(main())
