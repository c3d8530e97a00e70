"""What a person has not read in the groups that they are in, for their daily mail: counts, never words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Exists, OuterRef

from chat.models import Message
from chat.services.reading import with_unread
from groups.models import Group, GroupMember

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from django.db.models import QuerySet

KIND: Final = "unread_chat"
DAY: Final = timedelta(days=1)  # by the clock of ``before``: a day on which clocks are changed is longer
Parts = dict[int, list[tuple[str, dict[str, Any]]]]


def daily_parts(people: Collection[int], before: datetime, /) -> Parts:
    """Return, for each of these people (by id), the groups in which something is new, by their ids.

    The groups in which they are, or which they mentor, and which are not archived. What was said since
    ``before`` is left to the next day: it may be read yet. Nobody is told day after day of the same: where
    nothing has come since the hour of the day before, a group is left out, however much is unread there;
    also after an outage that took a whole evening.
    Two queries.
    """
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for rows in unread_rows(people, before=before, since=before - DAY):
        for person, group, name, unread in rows:
            if unread:
                found[person, group] = {"group": group, "name": name, "unread": unread}
    parts: Parts = {}
    for (person, _), data in sorted(found.items()):
        parts.setdefault(person, []).append((KIND, data))
    return parts


def unread_in(group_id: str, *, person: int) -> int:
    """Count what a person has not read in a group: nothing where they are not in it any more."""
    for rows in unread_rows([person], group_id=group_id):
        for *_, unread in rows:
            return int(unread)
    return 0


def unread_rows(people: Collection[int], **which: Any) -> list[QuerySet[Any, Any]]:
    """Return rows of person, group, its name and how much is unread: those of members, and of mentors."""
    members = GroupMember.objects.filter(user__in=people, group__archived_at=None)
    mentored = Group.objects.filter(mentor__in=people)
    return [rows_of(members, "user", "group", **which), rows_of(mentored, "mentor", "pk", **which)]


def rows_of(
    rows: QuerySet[Any],
    person: str,
    group: str,
    *,
    before: datetime | None = None,
    since: datetime | None = None,
    group_id: str | None = None,
) -> QuerySet[Any, Any]:
    if group_id is not None:
        rows = rows.filter(**{group: group_id})
    within = "" if group == "pk" else f"{group}__"
    counted = with_unread(
        rows.order_by(),
        reader=OuterRef(person),
        group=group,
        last_seq=f"{within}conversation__last_seq",
        before=before,
    )
    if since is not None:
        fresh = Message.objects.filter(
            Message.IN_SIGHT,
            group=OuterRef(group),
            seq__gt=OuterRef("read_up_to"),
            created_at__gte=since,
            created_at__lt=before,
        )
        counted = counted.filter(Exists(fresh.exclude(author=OuterRef(person))))
    return counted.values_list(person, f"{within}id", f"{within}name", "unread")
