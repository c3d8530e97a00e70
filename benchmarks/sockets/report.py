"""Ratios with their bars, printed and as a page."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

P99_BAR, SATURATION_BAR, KIB_BAR, OPENED_BAR = 2.0, 1 / 3, 50.0, 200.0


@dataclass
class Row:
    """What was measured with so many sockets: each list has one entry a round."""

    sockets: int
    rate: float
    ours: list[dict[str, float]] = field(default_factory=list)
    raw: list[dict[str, float]] = field(default_factory=list)
    burst: list[dict[str, float]] = field(default_factory=list)
    raw_burst: list[dict[str, float]] = field(default_factory=list)


@dataclass
class Verdict:
    """One bar, and what was measured against it."""

    what: str
    value: float
    bar: float
    is_floor: bool = False

    @property
    def is_met(self) -> bool:
        return self.value >= self.bar if self.is_floor else self.value <= self.bar

    @property
    def row(self) -> list[str]:
        sign = "at least" if self.is_floor else "at most"
        return [self.what, f"{self.value:.2f}", f"{sign} {self.bar:.2f}", "PASS" if self.is_met else "MISS"]


def median(entries: list[dict[str, float]], name: str) -> float:
    return statistics.median(entry[name] for entry in entries)


def ratios(ours: list[dict[str, float]], theirs: list[dict[str, float]], name: str) -> list[float]:
    """Return the ratio of each round: both were measured one after the other."""
    return [mine[name] / other[name] for mine, other in zip(ours, theirs, strict=True)]


def spread(numbers: list[float], digits: int = 2) -> str:
    """Return the median, and between what the rounds lie."""
    low, middle, high = (
        f"{number:,.{digits}f}" for number in (min(numbers), statistics.median(numbers), max(numbers))
    )
    return f"{middle} ({low} to {high})"


def verdicts(rows: list[Row], opened: list[float], kib_each: float) -> list[Verdict]:
    found = []
    for row in rows:
        p99 = statistics.median(ratios(row.ours, row.raw, "p99"))
        found.append(Verdict(f"p99, {row.sockets} sockets, of raw", p99, P99_BAR))
    for row in rows:
        share = statistics.median(ratios(row.burst, row.raw_burst, "per_second"))
        found.append(
            Verdict(f"deliveries/s, {row.sockets} sockets, of raw", share, SATURATION_BAR, is_floor=True)
        )
    found.append(Verdict("KiB an idle socket", kib_each, KIB_BAR))
    found.append(Verdict("sockets opened a second", statistics.median(opened), OPENED_BAR, is_floor=True))
    return found


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def steady(row: Row) -> list[str]:
    ms = [
        f"{median(entries, name) * 1_000:.1f}" for entries in (row.ours, row.raw) for name in ("p50", "p99")
    ]
    cpu = f"{median(row.ours, 'cpu_us'):.0f}"
    return [str(row.sockets), f"{row.rate:g}", *ms, spread(ratios(row.ours, row.raw, "p99")), cpu]


def saturated(row: Row, ceiling: float) -> list[str]:
    numbers = [
        f"{number:,.0f}"
        for number in (median(row.burst, "per_second"), median(row.raw_burst, "per_second"), ceiling)
    ]
    return [str(row.sockets), *numbers, spread(ratios(row.burst, row.raw_burst, "per_second"))]


STEADY: Final = [
    "Sockets",
    "Messages/s",
    "p50, ms",
    "p99, ms",
    "raw p50",
    "raw p99",
    "p99 of raw",
    "µs of CPU",
]
SATURATED: Final = ["Sockets", "Deliveries/s", "raw", "listeners' own limit", "of raw"]
BARS: Final = ["What", "Measured", "Bar", ""]


def page(rows: list[Row], ceilings: list[float], opened: list[dict[str, float]], kib_each: float) -> str:
    """Return the tables in Markdown."""
    per_second = [each["per_second"] for each in opened]
    found = verdicts(rows, per_second, kib_each)
    handshakes = (
        f"Opened a second: {spread(per_second, 0)}; {spread([each['cpu_ms'] for each in opened])} ms of CPU "
        f"each in the server. Memory: {kib_each:.1f} KiB an idle socket (PSS)."
    )
    parts = [
        table(BARS, [verdict.row for verdict in found]),
        table(STEADY, [steady(row) for row in rows]),
        table(SATURATED, [saturated(*pair) for pair in zip(rows, ceilings, strict=True)]),
        handshakes,
    ]
    return "\n\n".join(parts)


def rewrite(path: Path, tables: str) -> None:
    """Put the tables into the page, below its line ``<!-- measured -->``, and leave the words above."""
    head, mark, _ = path.read_text().partition("<!-- measured -->\n")
    path.write_text(f"{head}{mark}\n{tables}\n")
