"""Where each millisecond of a request goes: the product in one process, sampled, by layers.

``make bench PART=profiles`` (about three minutes). 2,000 people and 20,000 messages; each request is sent to
the WSGI application many times, once to be timed and once with pyinstrument looking on. Beside it what
gunicorn takes for an application that does nothing. Writes ``docs/performance/profiles.md``. ONLY as with
``endpoints``; KEEP names a file that takes the numbers instead: as ``profiles-before.json`` beside the page
they stand on it as those of an earlier state of the product.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.load.environment import PROJECT, configure, fill

if TYPE_CHECKING:
    from benchmarks.load.calls import Call
    from benchmarks.load.inside import Inside

PAGE: Final = PROJECT / "docs" / "performance" / "profiles.md"
KEPT: Final = PROJECT / "docs" / "performance" / "profiles-before.json"
KEEP: Final = os.environ.get("KEEP", "")
ONLY: Final = [name.strip() for name in os.environ.get("ONLY", "").split(",") if name.strip()]
PEOPLE: Final = 2_000
MESSAGES: Final = 20_000
INTERVAL_SECONDS: Final = 0.001
CHUNKS: Final = 6
SIZE: Final = 20


@dataclass(frozen=True)
class Profile:
    """Of one request: milliseconds by the clock and of CPU, and the share of each layer."""

    clock_ms: float
    cpu_ms: float
    layers: dict[str, float]


def profile(server: Inside, call: Call) -> Profile:
    from pyinstrument import Profiler

    from benchmarks.load.inside import cpu_ms
    from benchmarks.load.layers import shares

    send = partial(server.send, call)
    cpu_ms(send, chunks=1, size=SIZE)
    began = time.perf_counter()
    cpu = cpu_ms(send, chunks=CHUNKS, size=SIZE)
    clock = (time.perf_counter() - began) * 1000 / (CHUNKS * SIZE)
    looking = Profiler(interval=INTERVAL_SECONDS, async_mode="disabled")
    with looking:
        cpu_ms(send, chunks=CHUNKS, size=SIZE)
    session = looking.last_session
    root = session.root_frame(trim_stem=False) if session else None
    return Profile(clock, median(cpu), shares(root, str(PROJECT)))


def floor(folder: Path, call: Call) -> float:
    """Return the CPU milliseconds that gunicorn takes for an application that does nothing."""
    from benchmarks.load.servers import serving
    from benchmarks.load.wrk import load

    with serving("bare WSGI", folder=folder) as servers:
        (server,) = servers.values()
        before = server.cpu_seconds()
        run = load(server, call, connections=1, seconds=3)
        return (server.cpu_seconds() - before) * 1000 / run.requests


def page(found: dict[str, Profile], before: dict[str, Profile], bare_ms: float) -> str:
    from benchmarks.load.layers import NAMES
    from benchmarks.load.report import table

    parts = [
        "# Where each millisecond goes\n",
        "Written by `make bench PART=profiles`; by hand nothing is changed here.\n",
        INTRODUCTION.format(bare=f"{bare_ms:.2f}", people=f"{PEOPLE:,}", messages=f"{MESSAGES:,}"),
    ]
    for title, told in (("Now", found), ("Before", before)):
        if not told:
            continue
        rows = [
            [name, *(f"{one.clock_ms * one.layers[name]:.2f}" for one in told.values())] for name in NAMES
        ]
        rows.append(["**by the clock**", *(f"**{one.clock_ms:.2f}**" for one in told.values())])
        rows.append(["of it CPU", *(f"{one.cpu_ms:.2f}" for one in told.values())])
        parts += [f"## {title}\n", table(["milliseconds", *told], rows)]
    return "\n".join(parts)


INTRODUCTION: Final = """\
The WSGI application in one process, with all middleware, {people} people and {messages} messages; one
request after another, timed, and then sampled by pyinstrument for the shares. A sample counts for the
innermost frame that belongs to a layer: SQL that is compiled to find a session is the ORM's. The floor is
what gunicorn takes to read a request and answer it: {bare} ms of CPU, not counted below.
"""


def read_kept() -> dict[str, Profile]:
    """Return what an earlier state of the product took; nothing where none is kept."""
    if not KEPT.exists():
        return {}
    return {name: Profile(**told) for name, told in json.loads(KEPT.read_text()).items()}


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configure(folder)
        fill(PEOPLE, MESSAGES)
        from benchmarks.load.calls import calls, chosen
        from benchmarks.load.cpu import lines_to_nowhere
        from benchmarks.load.inside import Inside
        from benchmarks.load.seed import cast

        known, server = calls(cast()), Inside()
        lines_to_nowhere()
        found = {}
        for call in chosen(ONLY, known).values():
            found[call.name] = profile(server, call)
            print(f"{call.name}: {found[call.name].clock_ms:.2f} ms", file=sys.stderr, flush=True)
        bare_ms = floor(folder, known["users/me"])
    text = page(found, read_kept(), bare_ms)
    print(text)
    if KEEP:
        Path(KEEP).write_text(json.dumps({name: asdict(one) for name, one in found.items()}, indent=1) + "\n")
    elif not ONLY:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
