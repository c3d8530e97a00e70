"""The start page of the admin site: the programme in numbers, what waits, and how the last weeks went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils import timezone

from btf_backend.console.charts import BEHIND, WEEKS, Chart, charts
from btf_backend.console.lists import add_to, list_of, may_see
from btf_backend.console.queue import total, work_of
from core.moments import zone_of
from core.roles import Role
from groups.services.numbers import programme_numbers
from users.models import User

if TYPE_CHECKING:
    from django.http import HttpRequest

KNOWN: Final = {"status__in": f"{User.Status.ACTIVE},{User.Status.INACTIVE}"}
ACTIVE: Final = {"status__exact": User.Status.ACTIVE.value}
PENDING: Final = {"status__exact": User.Status.PENDING.value}
MENTORS: Final = {"role__exact": Role.MENTOR.value}
STUDENTS: Final = {"role__exact": Role.STUDENT.value}
BEGINNINGS: Final = (
    ("Add people", "person_add", "users.user"),
    ("Make a group", "group_add", "groups.group"),
    ("Plan an event", "event", "events.event"),
    ("Publish a resource", "menu_book", "resources.resource"),
    ("Write an announcement", "campaign", "announcements.announcement"),
)


@dataclass(frozen=True)
class Number:
    """One number of ``GET /api/admin/stats/``, and the list that holds as many rows."""

    label: str
    value: int
    url: str


@dataclass(frozen=True)
class Card:
    """A number with those that are parts of it."""

    symbol: str
    number: Number
    parts: list[Number] = field(default_factory=list)


def dashboard(request: HttpRequest) -> dict[str, Any]:
    """Return what the page shows of the programme to who is signed in, in eight queries at most."""
    work, cards = work_of(request), cards_of(request)
    zone = zone_of("")
    is_new = bool(cards) and not any(card.number.value > 1 for card in cards)
    return {
        "title": "Dashboard",
        "now": timezone.now(),
        "zone": zone.key,
        "programme": settings.PROGRAMME_NAME,
        "cards": cards,
        "beginnings": beginnings_of(request) if is_new else [],
        "work": work,
        "waiting": total(work),
        "charts": charts_of(request),
        "weeks": WEEKS,
    }


def charts_of(request: HttpRequest) -> list[Chart]:
    """Return each chart to those who may look at the lists of all that it counts."""
    names = {name for name, labels in BEHIND.items() if all(may_see(label, request) for label in labels)}
    return [chart for chart in charts() if chart.name in names] if names else []


def cards_of(request: HttpRequest) -> list[Card]:
    """Return the programme's numbers, of people and of groups to who may look at their lists."""
    sees_people, sees_groups = may_see("users.user", request), may_see("groups.group", request)
    if not (sees_people or sees_groups):
        return []
    numbers = programme_numbers(track="")
    people = people_cards(numbers) if sees_people else []
    return [*people, *([group_card(numbers)] if sees_groups else [])]


def people_cards(numbers: dict[str, int]) -> list[Card]:
    def number(label: str, name: str, query: dict[str, str]) -> Number:
        return Number(label, numbers[name], list_of("users.user", query))

    return [
        Card("group", number("People", "total_users", KNOWN)),
        Card(
            "school",
            number("Students", "students", {**STUDENTS, **KNOWN}),
            [number("pending", "students_pending", {**STUDENTS, **PENDING})],
        ),
        Card(
            "supervisor_account",
            number("Mentors", "mentors", {**MENTORS, **KNOWN}),
            [
                number("active", "mentors_active", {**MENTORS, **ACTIVE}),
                number("pending", "mentors_pending", {**MENTORS, **PENDING}),
            ],
        ),
    ]


def group_card(numbers: dict[str, int]) -> Card:
    active = list_of("groups.group", {"status__iexact": "active"})
    return Card("diversity_3", Number("Active groups", numbers["active_groups"], active))


def beginnings_of(request: HttpRequest) -> list[tuple[str, str, str]]:
    """Return what a programme without people and groups begins with: words, symbol and address."""
    found = [(words, symbol, add_to(label, request)) for words, symbol, label in BEGINNINGS]
    return [(words, symbol, url) for words, symbol, url in found if url]
