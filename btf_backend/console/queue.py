"""The work queue: what waits for somebody at a desk, each kind with the list that shows it.

What an entry counts are the rows of that list: those of its page, narrowed by the rule behind its filter.
All entries are counted by one query. Each is there for those to whom its list opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from django.conf import settings
from django.core.cache import caches
from django.db.models import CharField, Count, Q, Value
from django.http import HttpRequest

from btf_backend.console.lists import list_of, may_see, page_of
from chat.admin.reports import ReportsNeedFilter
from core.admin.tables import FilesNeedFilter
from core.models import Delivery
from groups.admin.attention import GroupsNeedFilter
from groups.models.health import SILENT_DAYS, Problem
from users.admin.attention import ImportsNeedFilter, PeopleNeedFilter
from users.models import User

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from core.admin.filters import NeedsFilter


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One kind of work. ``query`` is how its list is narrowed, and ``rule`` does the same to rows.

    ``within`` is the kind whose rows hold these already: together they are counted once.
    """

    name: str
    title: str
    symbol: str
    label: str
    query: dict[str, str]
    rule: Callable[[Any], QuerySet[Any]]
    is_urgent: bool = False
    within: str = ""


@dataclass(frozen=True)
class Work:
    """An entry as somebody sees it."""

    entry: Entry
    count: int
    url: str


def where(condition: Q) -> Callable[[Any], QuerySet[Any]]:
    """Return a rule, for a filter that Django makes of a column."""
    return lambda rows: rows.filter(condition)


def needing(kind: type[NeedsFilter], value: str) -> dict[str, Any]:
    """Return query and rule of a choice of our own filters."""
    return {"query": {str(kind.parameter_name): value}, "rule": kind.rules[value][1]}


# What somebody's safety depends on comes first.
QUEUE: Final = (
    Entry(
        name="reports",
        title="Reported messages",
        symbol="report",
        label="chat.messagereport",
        **needing(ReportsNeedFilter, "open"),
        is_urgent=True,
    ),
    Entry(
        name="wwcc_expired",
        title="WWCC has expired",
        symbol="gpp_bad",
        label="users.user",
        **needing(PeopleNeedFilter, "wwcc_expired"),
        is_urgent=True,
    ),
    Entry(
        name="wwcc_7",
        title="WWCC expires within 7 days",
        symbol="gpp_maybe",
        label="users.user",
        **needing(PeopleNeedFilter, "wwcc_7"),
        is_urgent=True,
        within="wwcc_90",
    ),
    Entry(
        name="wwcc_30",
        title="WWCC expires within 30 days",
        symbol="gpp_maybe",
        label="users.user",
        **needing(PeopleNeedFilter, "wwcc_30"),
        within="wwcc_90",
    ),
    Entry(
        name="wwcc_90",
        title="WWCC expires within 90 days",
        symbol="gpp_maybe",
        label="users.user",
        **needing(PeopleNeedFilter, "wwcc_90"),
    ),
    Entry(
        name="pending",
        title="Pending accounts",
        symbol="person_alert",
        label="users.user",
        query={"status__exact": User.Status.PENDING.value},
        rule=where(Q(status=User.Status.PENDING)),
    ),
    Entry(
        name="permission",
        title="Students without permission to join",
        symbol="family_restroom",
        label="users.user",
        **needing(PeopleNeedFilter, "permission"),
    ),
    Entry(
        name="no_mentor",
        title="Groups without a mentor",
        symbol="person_off",
        label="groups.group",
        **needing(GroupsNeedFilter, Problem.NO_MENTOR.value),
    ),
    Entry(
        name="silent",
        title=f"Groups silent for {SILENT_DAYS} days",
        symbol="volume_off",
        label="groups.group",
        **needing(GroupsNeedFilter, Problem.SILENT.value),
    ),
    Entry(
        name="imports",
        title="Imports with rejected rows",
        symbol="upload_file",
        label="users.peopleimport",
        **needing(ImportsNeedFilter, "rejected"),
    ),
    Entry(
        name="mails",
        title="Failed mails",
        symbol="unsubscribe",
        label="core.delivery",
        query={"state__exact": Delivery.State.FAILED.value},
        rule=where(Q(state=Delivery.State.FAILED)),
    ),
    Entry(
        name="mailboxes",
        title="Mailboxes that refuse mail",
        symbol="mail_off",
        label="core.mailtrouble",
        query={"lifted_at__isempty": "1"},
        rule=where(Q(lifted_at=None)),
    ),
    Entry(
        name="tasks",
        title="Failed background tasks",
        symbol="error",
        label="core.deadletter",
        query={},
        rule=where(Q()),
    ),
    Entry(
        name="quarantined",
        title="Files in quarantine",
        symbol="coronavirus",
        label="core.upload",
        **needing(FilesNeedFilter, "quarantined"),
    ),
    Entry(
        name="unscanned",
        title="Files that wait for the scanner",
        symbol="hourglass_top",
        label="core.upload",
        **needing(FilesNeedFilter, "unscanned"),
    ),
)


class CountedRequest(HttpRequest):
    """A request whose page has counted already: it shows the sum beside the entries. For type checkers."""

    work: list[Work]


def work_of(request: HttpRequest) -> list[Work]:
    """Return every entry for who is signed in, also those of which nothing waits. One query a page."""
    if "work" not in vars(request):
        entries = [entry for entry in QUEUE if may_see(entry.label, request)]
        counts = counted(entries, request)
        work = [Work(entry, counts[entry.name], list_of(entry.label, entry.query)) for entry in entries]
        cast("CountedRequest", request).work = work
    return cast("CountedRequest", request).work


def waiting(request: HttpRequest) -> int:
    """Return how much waits in all, for the sidebar of every page.

    Beside the entries it is their sum; elsewhere up to ``BADGE_SECONDS`` old, as this process last counted.
    """
    key, seconds = f"waiting:{request.user.pk}", settings.UNFOLD["BADGE_SECONDS"]
    known: int | None = None if "work" in vars(request) else caches["local"].get(key)
    if known is None:
        known = total(work_of(request))
        caches["local"].set(key, known, seconds)
    return known


def counted(entries: list[Entry], request: HttpRequest) -> dict[str, int]:
    """Count the rows of entries: one query for all of them, none for none."""
    if not entries:
        return {}
    first, *others = (tally(entry, request) for entry in entries)
    return {entry.name: 0 for entry in entries} | dict(first.union(*others, all=True))


def tally(entry: Entry, request: HttpRequest) -> QuerySet[Any, Any]:
    """Return the query of one row that counts an entry."""
    rows = entry.rule(page_of(entry.label).get_queryset(request)).order_by()
    named = rows.values(entry=Value(entry.name, CharField()))
    row: QuerySet[Any, Any] = named.annotate(number=Count("pk")).values_list("entry", "number")
    return row


def total(work: list[Work]) -> int:
    """Return how much waits in all; what is within another entry is counted there."""
    names = {each.entry.name for each in work}
    return sum(each.count for each in work if each.entry.within not in names)
