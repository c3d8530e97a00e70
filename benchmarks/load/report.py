"""The page that a run writes: verdicts first, then where time goes, then what it was measured on."""

from __future__ import annotations

import os
import platform
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from .goals import AS_FAST, EXPORT, EXPORT_STATEMENT, GOALS, OTHERS, THEN
from .rounds import CONNECTIONS, Found, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .export import Export


class Verdict(NamedTuple):
    """One thing that was asked for, and what was found; a bar must be met, a goal should."""

    name: str
    what: str
    found: str
    is_met: bool
    is_bar: bool

    @property
    def word(self) -> str:
        return "PASS" if self.is_met else "MISS"


def verdicts(found: Found, exports: list[Export]) -> list[Verdict]:
    """Return the judgement of everything that was measured."""
    judged = [verdict for name in found.samples["ours"] for verdict in verdicts_on(found, name)]
    return judged + (verdicts_on_export(found, exports) if exports else [])


def verdicts_on(found: Found, name: str) -> list[Verdict]:
    asked = GOALS[name]
    share, told = median(found.shares(name)), spread(found.shares(name), ".3f")
    statements = found.statements["ours"][name].statements
    judged = [
        Verdict(name, f"share ≥ {least}", told, share >= least, is_bar=is_bar)
        for least, is_bar in ((asked.bar, True), (asked.goal, False))
        if least is not None
    ]
    few = statements <= asked.statements
    judged.append(Verdict(name, f"SQL ≤ {asked.statements}", str(statements), few, is_bar=True))
    if (best := asked.best_statements) is not None:
        judged.append(Verdict(name, f"SQL ≤ {best}", str(statements), statements <= best, is_bar=False))
    if asked.like in found.samples["ours"]:
        pairs = zip(found.rates("ours", name), found.rates("ours", asked.like), strict=True)
        ratios = [mine / other for mine, other in pairs]
        fast = median(ratios) >= AS_FAST
        judged.append(
            Verdict(name, f"as fast as {asked.like}", spread(ratios, ".2f"), fast, asked.like_is_bar)
        )
    return judged


def verdicts_on_export(found: Found, exports: list[Export]) -> list[Verdict]:
    rate = median(found.rates("peer", OTHERS))
    peers = [one.seconds * rate for one in exports]
    grown, first = [one.grown_mib for one in exports], [one.first_byte_ms for one in exports]
    name = "CSV export"
    return [
        Verdict(
            name,
            f"in ≤ {EXPORT.peers_requests} of the peer's `{OTHERS}`",
            spread(peers),
            median(peers) <= EXPORT.peers_requests,
            is_bar=True,
        ),
        Verdict(
            name,
            f"≤ {EXPORT.grown_mib} MiB",
            spread(grown, ".1f"),
            max(grown) <= EXPORT.grown_mib,
            is_bar=True,
        ),
        Verdict(
            name,
            f"first byte ≤ {EXPORT.first_byte_ms} ms",
            spread(first, ".0f"),
            median(first) <= EXPORT.first_byte_ms,
            is_bar=False,
        ),
    ]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is words, the others numbers."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def verdict_table(judged: list[Verdict]) -> str:
    heads = ["request", "asked for", "found", "bar", "goal"]
    return table(
        heads,
        [
            [one.name, one.what, one.found, *((one.word, "") if one.is_bar else ("", one.word))]
            for one in judged
        ],
    )


def rate_table(found: Found) -> str:
    """Return requests a second beside the peer's, and as 304."""
    heads = ["request", "ours, req/s", "peer, req/s", "share of", "share", "as 304, req/s", "bytes"]
    return table(heads, [rate_row(found, name) for name in found.samples["ours"]])


def rate_row(found: Found, name: str) -> list[str]:
    peer = GOALS[name].peer_of(name)
    copies = [sample.copies.rate for sample in found.samples["ours"][name] if sample.copies]
    return [
        name,
        spread(found.rates("ours", name)),
        spread(found.peers(name)),
        "its own" if peer == name else peer,
        spread(found.shares(name), ".3f"),
        spread(copies) if copies else "-",
        f"{found.sizes[name]:,}",
    ]


def then_table(found: Found) -> str:
    """Return our rates beside what was measured once, on another day."""
    heads = ["request", "ours, req/s", "earlier system", "times", "asked for", "by hand, then", "share"]
    known = [name for name in found.samples["ours"] if name in THEN]
    return table(heads, [then_row(name, median(found.rates("ours", name))) for name in known])


def then_row(name: str, rate: float) -> list[str]:
    then = THEN[name]
    by_hand = (f"{then.by_hand:,.0f}", f"{rate / then.by_hand:.2f}") if then.by_hand else ("-", "-")
    return [
        name,
        f"{rate:,.0f}",
        f"{then.earlier:g}",
        f"{rate / then.earlier:.1f}",
        f"{then.times:g}",
        *by_hand,
    ]


def cost_table(found: Found) -> str:
    """Return what a request costs each server: statements, CPU, and time one after another."""
    heads = [
        "request",
        "server",
        "SQL",
        "around",
        "CPU ms",
        "PostgreSQL's",
        "p50 ms",
        "p99 ms",
        "p99 ms of 16",
    ]
    names = found.samples["ours"]
    asked = [(name, server) for name in names for server in ("ours", "peer") if found.samples[server][name]]
    bare = [(OTHERS, server) for server in ("bare WSGI", "bare ASGI") if found.samples[server][OTHERS]]
    return table(heads, [cost_row(found, *pair) for pair in asked + bare])


def cost_row(found: Found, name: str, server: str) -> list[str]:
    is_bare = server.startswith("bare")
    asked = found.statements[server].get(name)
    return [
        "any" if is_bare else name,
        server,
        str(asked.statements) if asked else "0",
        str(asked.around) if asked else "0",
        spread(found.of(server, name, lambda sample: sample.server_ms), ".2f"),
        "-" if is_bare else spread(found.of(server, name, lambda sample: sample.database_ms), ".2f"),
        spread(found.of(server, name, lambda sample: sample.alone.p50_ms), ".1f"),
        spread(found.of(server, name, lambda sample: sample.alone.p99_ms), ".1f"),
        spread(found.of(server, name, lambda sample: sample.loaded.p99_ms), ".0f"),
    ]


def limits(found: Found) -> str:
    rates = [
        f"{server} {spread(found.rates(server, OTHERS))} req/s"
        for server in ("bare WSGI", "bare ASGI")
        if found.samples[server][OTHERS]
    ]
    memory = [
        f"{name} {', '.join(f'{mib:.0f}' for mib in sizes)} MiB" for name, sizes in found.memory.items()
    ]
    return (
        f"The servers alone, with an application that does nothing: {'; '.join(rates)}.\n"
        f"Memory of each worker after the load (PSS): {'; '.join(memory)}.\n"
    )


def export_line(exports: list[Export]) -> str:
    one = exports[0]
    return (
        f"The CSV export of {one.rows:,} people ({one.bytes:,} bytes): "
        f"{spread([it.seconds for it in exports], '.2f')} s, first byte after "
        f"{spread([it.first_byte_ms for it in exports], '.0f')} ms, a worker grows by "
        f"{spread([it.grown_mib for it in exports], '.1f')} MiB. Asked for: {EXPORT_STATEMENT}.\n"
    )


def counted(judged: list[Verdict], *, is_bar: bool) -> str:
    asked = [one.is_met for one in judged if one.is_bar == is_bar]
    return f"{sum(asked)} of {len(asked)}"


def page(found: Found, exports: list[Export], *, people: int, messages: int, rounds: int) -> str:
    """Return the whole page."""
    judged = verdicts(found, exports)
    parts = [
        "# Requests\n",
        "Written by `make bench PART=endpoints`; by hand nothing is changed here.\n",
        f"{counted(judged, is_bar=True)} bars are met, and {counted(judged, is_bar=False)} goals.\n",
        "![Our requests a second as shares of the peer's](endpoints.png)\n",
        METHOD.format(
            people=f"{people:,}",
            messages=f"{messages:,}",
            rounds=rounds,
            connections=CONNECTIONS,
            processors=os.cpu_count(),
            python=platform.python_version(),
        ),
        "## Bars and goals\n",
        verdict_table(judged),
        "## Requests a second\n",
        rate_table(found),
        export_line(exports) if exports else "",
        "## Beside the numbers that the bars come from\n",
        "Measured once on such a machine, and not in this run: they say where the bars come from, no more.\n",
        then_table(found),
        "## What a request costs\n",
        COSTS,
        cost_table(found),
        limits(found),
    ]
    return "\n".join(part for part in parts if part)


METHOD: Final = """\
{people} people, {messages} messages, {processors} processors with PostgreSQL, Redis and the load beside
the servers, Python {python}. Ours is gunicorn by `deploy/gunicorn.conf.py` with two workers; all
middleware, budgets, logs and metrics are on, and HTTPS as the proxy tells of it. The peer is
`benchmarks/peer`, uvicorn with two processes. wrk keeps {connections} connections busy, with one request
at a time on each. Ours and the peer take turns, {rounds} rounds, and every other round begins with the
peer; a share is a ratio of two that were measured one after the other. Numbers are medians, with the range
in brackets. Pages are of twenty rows, but of `groups`, which has no pages, and of messages, which come by
fifty.

The pages of messages are asked for again and again while nothing is said, and a worker keeps such a page for
as long as it is what the database holds. `messages anew` is the newest page where none is kept: 500 spans
of the conversation by turns, each of which leads to it, and a worker has room for some 170. Its share is
not judged.

Posts are real: 201 each, with a name and a text of their own, by 96 people in 96 groups.
`API_WRITES_PER_USER`, `CHAT_BURST`, `CHAT_PER_SECOND` and `EXPORTS_PER_USER` are set higher than the load
reaches, as an operator can set them: every budget is still asked for. An answer of 400 or more ends the
run, and so does a post that is not stored.
"""
COSTS: Final = """\
SQL is counted by PostgreSQL (`pg_stat_statements`), without what stands around: the limits of
transactions, and the check of a kept connection. CPU is of the server's processes, and of PostgreSQL's,
under the load of sixteen connections; p50 and p99 are of one connection, where it is not said otherwise.
"""
