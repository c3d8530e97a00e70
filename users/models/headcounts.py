"""How many people there are of each role, status and track, told without reading a row of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import connection, models
from django.db.models import Sum, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from core.tallies import Tally
from users.models.people import User

if TYPE_CHECKING:
    from django.db.models import QuerySet


class Headcount(models.Model):
    """So many people more of a kind, or fewer: PostgreSQL writes it. Rows are added up; one says nothing."""

    role = models.CharField(max_length=20)
    status = models.CharField(max_length=20)
    track = models.CharField(max_length=50, blank=True)
    people = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.people:+d} {self.role}, {self.status}, {self.track or 'no track'}"


HEADCOUNTS: Final = Tally("users", "users_headcount", ("role", "status", "track"), "people")


def headcounts() -> QuerySet[Any]:
    """Return rows of role, status, track and ``people``, to be narrowed as people are and added up.

    On SQLite everybody is one.
    """
    if connection.vendor == "postgresql":
        return Headcount.objects.all()
    everybody: QuerySet[Any] = User.objects.order_by().annotate(people=Value(1))
    return everybody


def tracks_in_use() -> list[str]:
    """Return the tracks that people are on, in order, each once: its first spelling stands for it.

    Not ``global``, which narrows to nothing and which clients offer by themselves.
    """
    named = headcounts().exclude(Exact(Lower("track"), "global")).exclude(track="")
    in_use = named.values("track", folded=Lower("track")).annotate(number=Sum("people")).filter(number__gt=0)
    spellings: dict[str, str] = {}
    for folded, spelling in in_use.order_by("folded", "track").values_list("folded", "track"):
        spellings.setdefault(folded, spelling)
    return list(spellings.values())
