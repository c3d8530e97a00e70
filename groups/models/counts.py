"""How many groups there are of each status and track, told without reading a row of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import connection, models
from django.db.models import Value

from core.tallies import Tally
from groups.models.teams import Group

if TYPE_CHECKING:
    from django.db.models import QuerySet


class GroupCount(models.Model):
    """So many groups more of a kind, or fewer: PostgreSQL writes it. Rows are added up; one says nothing."""

    status = models.CharField(max_length=50)
    track = models.CharField(max_length=50, blank=True)
    groups = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.groups:+d} {self.status}, {self.track or 'no track'}"


GROUP_COUNTS: Final = Tally(
    "groups_group", "groups_groupcount", ("status", "track"), "groups", "archived_at IS NULL"
)


def group_counts() -> QuerySet[Any]:
    """Return rows of status, track and ``groups``, to be narrowed as groups are and added up.

    Those that are archived do not count. On SQLite each group is one.
    """
    if connection.vendor == "postgresql":
        return GroupCount.objects.all()
    each: QuerySet[Any] = Group.objects.order_by().annotate(groups=Value(1))
    return each
