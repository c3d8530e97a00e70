"""The charts of the dashboard: for Chart.js, which reads attributes, and as tables of the same numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from btf_backend.console.trends import mail_states, weekly_trends
from core.models import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

WEEKS: Final = 12
INK: Final = "#737d8c"  # as far from white as from the dark pages: 4.2
State = Delivery.State
# The models whose rows each chart counts.
BEHIND: Final = {
    "people": ("users.user",),
    "activity": ("core.auditevent", "chat.message"),
    "registrations": ("events.eventregistration",),
    "mails": ("core.delivery",),
}
# What the states of mail come to, for who looks at weeks. Those that were never to go are left out.
OUTCOMES: Final = (
    ("Sent", "var(--color-primary-500)", (State.SENT, State.DIGESTED)),
    ("On their way", "var(--color-base-400)", (State.QUEUED, State.WAITING)),
    ("Not delivered", "var(--color-red-500)", (State.FAILED, State.BOUNCED, State.COMPLAINED)),
)


@dataclass(frozen=True)
class Series:
    """One row of numbers and its colour, a variable of the style sheet."""

    label: str
    numbers: list[int]
    colour: str = "var(--color-primary-500)"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Some series over the same weeks. ``empty`` is said where all of them are zero."""

    name: str
    title: str
    empty: str
    weeks: Sequence[str]
    series: list[Series]
    kind: str = "bar"
    axis: dict[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not any(any(each.numbers) for each in self.series)

    @property
    def total(self) -> int | None:
        """All that was counted; None where the series are of different things."""
        return None if self.kind == "line" else sum(sum(each.numbers) for each in self.series)

    @property
    def summary(self) -> str:
        """What the picture says to who cannot see it; the table beside it has the numbers."""
        sums = ", ".join(f"{each.label}: {sum(each.numbers):,}" for each in self.series)
        return f"{self.title}, week by week. {sums}. The table has every week."

    @property
    def data(self) -> str:
        drawn = [
            {
                "label": each.label,
                "data": each.numbers,
                "backgroundColor": each.colour,
                "borderColor": each.colour,
                "borderDash": [6, 4] if self.kind == "line" and place else [],
            }
            for place, each in enumerate(self.series)
        ]
        return json.dumps({"labels": list(self.weeks), "datasets": drawn})

    @property
    def options(self) -> str:
        ticks: dict[str, Any] = {"color": INK}
        across = {"grid": {"display": False}, "ticks": {**ticks, "maxRotation": 0, "autoSkipPadding": 12}}
        upwards = {"beginAtZero": True, "grid": {}, "ticks": {**ticks, "precision": 0, "maxTicksLimit": 6}}
        legend = {
            "display": len(self.series) > 1,
            "align": "end",
            "labels": {"color": INK, "usePointStyle": True, "boxHeight": 6},
        }
        return json.dumps(
            {
                "animation": False,
                "responsive": True,
                "maintainAspectRatio": False,
                "interaction": {"mode": "index", "intersect": False},
                "datasets": {
                    "bar": {"borderRadius": 3, "maxBarThickness": 28},
                    "line": {"borderWidth": 2, "pointRadius": 2, "tension": 0.25},
                },
                "plugins": {"legend": legend},
                "scales": {"x": {**across, **self.axis}, "y": {**upwards, **self.axis}},
            }
        )

    @property
    def rows(self) -> list[tuple[str, list[int]]]:
        """Week by week, the newest first."""
        rows = zip(self.weeks, zip(*(each.numbers for each in self.series), strict=True), strict=True)
        return [(week, list(numbers)) for week, numbers in rows][::-1]


def charts() -> list[Chart]:
    """Draw the last twelve weeks, in five queries."""
    trends, mails = weekly_trends(weeks=WEEKS), mail_states(weeks=WEEKS)
    weeks = [f"{row['week']:%-d %b}" for row in trends]
    column = {name: [row[name] for row in trends] for name in trends[0]}
    return [
        Chart(
            name="people",
            title="New people",
            empty="Nobody has joined in these weeks.",
            weeks=weeks,
            series=[Series("New people", column["new_users"])],
        ),
        Chart(
            name="activity",
            title="Sign-ins and messages",
            empty="Nobody has signed in or written in these weeks.",
            weeks=weeks,
            series=[
                Series("Sign-ins", column["sign_ins"]),
                Series("Messages", column["messages"], "var(--color-orange-500)"),
            ],
            kind="line",
        ),
        Chart(
            name="registrations",
            title="Registrations for events",
            empty="Nobody has registered in these weeks.",
            weeks=weeks,
            series=[Series("Registrations", column["registrations"])],
        ),
        chart_of_mails(weeks, mails),
    ]


def chart_of_mails(weeks: list[str], mails: list[dict[str, Any]]) -> Chart:
    """Draw what became of each week's mails, one upon the other."""
    return Chart(
        name="mails",
        title="Mails",
        empty="No mail was written in these weeks.",
        weeks=weeks,
        series=[
            Series(label, [sum(row[state] for state in states) for row in mails], colour)
            for label, colour, states in OUTCOMES
        ],
        axis={"stacked": True},
    )
