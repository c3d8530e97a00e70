"""The picture of a run: our requests a second as shares of the peer's, with what is asked for."""

from __future__ import annotations

import logging
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl

from .goals import GOALS, OTHERS

mpl.use("Agg")
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from pathlib import Path

    from .rounds import Found

FILL: Final = "#9fc5b8"
INK: Final = "#22313a"
BAR: Final = "#b3541e"
GOAL: Final = "#0b6e4f"
LEAST: Final = 0.01
MOST: Final = 3
TICKS: Final = (0.01, 0.03, 0.1, 0.3, 1, 3)
THICK: Final = 0.62


def draw(found: Found, path: Path) -> None:
    """Write a PNG: a bar for each request, on a scale of ratios, marks for its bar and its goal."""
    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it tells of fonts
    names = [name for name in reversed(GOALS) if found.samples["ours"][name]]
    figure, axes = plt.subplots(figsize=(9, 1.4 + 0.45 * len(names)), dpi=120)
    for place, name in enumerate(names):
        draw_row(axes, place, name, found.shares(name))
    labels = [name if GOALS[name].has_peer else f"{name} *" for name in names]
    axes.set_yticks(range(len(names)), labels)
    axes.set_xscale("log")
    axes.set_xlim(LEAST, MOST)
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.minorticks_off()
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False, colors=INK)
    axes.set_xlabel(f"our requests a second / the peer's    (* against the peer's {OTHERS})", color=INK)
    axes.plot([], [], color=BAR, linewidth=3, label="bar")
    axes.plot([], [], color=GOAL, linewidth=3, label="goal")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.1), ncols=2, frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)


def draw_row(axes: Any, place: int, name: str, shares: list[float]) -> None:
    """Draw the median, the range of the rounds, and what is asked for."""
    asked, middle = GOALS[name], median(shares)
    axes.barh(place, middle - LEAST, left=LEAST, height=THICK, color=FILL)
    axes.hlines(place, min(shares), max(shares), color=INK, linewidth=1)
    marks = [(value, colour) for value, colour in ((asked.bar, BAR), (asked.goal, GOAL)) if value]
    for value, colour in marks:
        axes.vlines(value, place - 0.42, place + 0.42, color=colour, linewidth=3)
    right = max(*shares, *(value for value, _ in marks)) * 1.08
    axes.text(right, place, f"{middle:.2g}", va="center", color=INK, fontsize=9)
