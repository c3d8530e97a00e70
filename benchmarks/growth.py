"""Whether a request costs the same, however large the programme: at three sizes side by side.

``make bench PART=growth`` (about twelve minutes). 200 people with 10 thousand messages, 10,000 with 500
thousand and 100,000 with five million have a database and a running product each; every request is put on
each by turns, on one connection. Its cost is the CPU of the server's processes and of PostgreSQL's. Writes
``docs/performance/growth.md``; fails where one grows by more than three tenths, but for a search that finds
more the larger the programme is.
ONLY and ROUNDS as with ``endpoints``; LARGEST=10000 leaves the largest programme out.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.load.environment import PROJECT, configure, migrate
from benchmarks.load.wrk import load

if TYPE_CHECKING:
    from benchmarks.load.calls import Call
    from benchmarks.load.scenes import Scene

PAGE: Final = PROJECT / "docs" / "performance" / "growth.md"
LARGEST: Final = int(os.environ.get("LARGEST") or 100_000)
SIZES: Final = [
    size for size in ((200, 10_000), (10_000, 500_000), (100_000, 5_000_000)) if size[0] <= LARGEST
]
ROUNDS: Final = int(os.environ.get("ROUNDS") or 4)
ONLY: Final = [name.strip() for name in os.environ.get("ONLY", "").split(",") if name.strip()]
SECONDS: Final = 2
FIRST_REQUESTS: Final = 6
MOST: Final = 1.3
WITHOUT_PAGES: Final = "groups"  # is judged by what a row costs
SEARCH: Final = "admin users search"
BY_ADDRESS: Final = "admin users by address"
# Whom it finds it counts and sorts: a hundred times as many in the largest as in the smallest.
GROWS: Final = SEARCH


@dataclass(frozen=True)
class Cost:
    """Of one request, in milliseconds: CPU of the server's processes and PostgreSQL's; latency (median)."""

    server: float
    database: float
    p50: float

    @property
    def cpu(self) -> float:
        return self.server + self.database


Costs = dict[str, list[list[Cost]]]  # by request, by scene, by round


def calls_of(scene: Scene) -> dict[str, Call]:
    """Return what is asked of a programme: a search shows, and one by an address finds, the same in each."""
    search = scene.calls[SEARCH]
    few, one = f"{search.path}&page_size=10", "/api/admin/users/?search=p12@school12.example"
    by_address = replace(search, name=BY_ADDRESS, path=one)
    return {**scene.calls, SEARCH: replace(search, path=few), BY_ADDRESS: by_address}


def cost(scene: Scene, name: str, database: int) -> Cost:
    from benchmarks.load.servers import family_cpu_seconds
    from benchmarks.load.statements import settle

    settle()
    before = scene.server.cpu_seconds(), family_cpu_seconds(database)
    run = load(scene.server, calls_of(scene)[name], connections=1, seconds=SECONDS)
    settle()
    after = scene.server.cpu_seconds(), family_cpu_seconds(database)
    server, stored = ((after[place] - before[place]) * 1000 / (run.requests + 1) for place in range(2))
    return Cost(server, stored, run.p50_ms)


def measure(folder: Path) -> tuple[Costs, list[Scene]]:
    from benchmarks.load.calls import chosen
    from benchmarks.load.scenes import scenes
    from benchmarks.load.statements import database_process

    found: Costs = defaultdict(lambda: [[] for _ in SIZES])
    with scenes(SIZES, folder) as made:
        database, names = database_process(), list(chosen(ONLY, calls_of(made[0])))
        for scene in made:
            for name in names:
                for _ in range(FIRST_REQUESTS):
                    scene.server.answer(calls_of(scene)[name])
        for number in range(ROUNDS):
            for name in names:
                for place, scene in enumerate(made):
                    found[name][place].append(cost(scene, name, database))
            tell(f"round {number + 1} of {ROUNDS}")
    return found, made


def growth(name: str, costs: list[list[Cost]], made: list[Scene]) -> float:
    """Return how many times the smallest programme's cost the largest's is, the median of the rounds."""
    rows = made[-1].groups / made[0].groups if name == WITHOUT_PAGES else 1
    pairs = zip(costs[0], costs[-1], strict=True)
    return float(median(last.cpu / first.cpu / rows for first, last in pairs))


def row(name: str, costs: list[list[Cost]], made: list[Scene]) -> list[str]:
    cells = [name]
    for rounds in costs:
        parts = [median(getattr(one, part) for one in rounds) for part in ("server", "database", "p50")]
        cells.append(" + ".join(f"{part:.2f}" for part in parts[:2]) + f" / {parts[2]:.1f}")
    times = growth(name, costs, made)
    told = f"{times:.2f} a row" if name == WITHOUT_PAGES else f"{times:.2f}"
    word = "grows" if name == GROWS else "PASS" if times <= MOST else "MISS"
    return [*cells, told, word]


def page(found: Costs, made: list[Scene]) -> str:
    from benchmarks.load.report import table

    heads = [f"{scene.people:,} people, {scene.messages:,} messages" for scene in made]
    rows = [row(name, costs, made) for name, costs in found.items()]
    groups = ", ".join(f"{scene.groups:,}" for scene in made)
    return "\n".join(
        [
            "# Growth\n",
            "Written by `make bench PART=growth`; by hand nothing is changed here.\n",
            INTRODUCTION.format(rounds=ROUNDS, groups=groups),
            table(["request", *heads, "growth", f"≤ {MOST}"], rows),
        ]
    )


INTRODUCTION: Final = """\
Milliseconds of CPU a request, of the server's processes + of PostgreSQL's, then / the median latency on
one connection. The programmes run side by side, and every request is put on each by turns, in {rounds}
rounds; growth is CPU at the largest over CPU at the smallest, within one round. A tenth of the messages
stand in the conversation that is read. `groups` is a list without pages ({groups} rows): it may grow as
its rows do, and is judged by what a row costs. The admin's pages and numbers come with their counts.
`admin users search` finds 11, 111 and 1,111 people, counts and sorts them all, and shows ten: it grows as
that does, and nothing is asked of it here. `admin users by address` finds one person at every size.
"""


def tell(what: str) -> None:
    print(f"{time.monotonic() - STARTED:5.0f} s  {what}", file=sys.stderr, flush=True)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configure(folder)
        migrate()
        from benchmarks.load.scenes import prepare

        prepare(SIZES)
        tell("the programmes are stored")
        found, made = measure(folder)
    text = page(found, made)
    print(text)
    if not ONLY and LARGEST == 100_000:  # noqa: PLR2004 - the default
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text)
    grown = {name: growth(name, costs, made) for name, costs in found.items()}
    missed = {name: times for name, times in grown.items() if times > MOST and name != GROWS}
    for name, times in missed.items():
        print(f"MISS  {name} grows {times:.2f} times", file=sys.stderr)
    return 1 if missed else 0


STARTED: Final = time.monotonic()

if __name__ == "__main__":
    sys.exit(main())
