"""A person's inbox: what they are told of here, how much of it is unread, and the bell that rings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import Count, F, Max
from django.db.models.functions import Coalesce, Now

from core.models import Delivery
from core.notifications.kinds import Told, kind_of
from core.notifications.wishes import reader_of
from core.realtime import room_of_inbox, send_to_room

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable

    from core.mail import Letter, Reader
    from users.models import User

WINDOW: Final = 100


@dataclass(frozen=True)
class Row:
    """A row of an inbox in its reader's words. Of a kind that the product no longer has: the kind alone."""

    id: int
    kind: str
    title: str
    body: str
    url: str
    created_at: dt.datetime
    read_at: dt.datetime | None


def inbox_of(user: User) -> Any:
    """Return what stands in somebody's inbox, newest first: deliveries with their notices, in one query."""
    return Delivery.objects.inbox_of(user)


def unread_count(user: User) -> int:
    return Delivery.objects.filter(person=user).in_sight().unread().count()


def standings_of(people: Collection[int]) -> dict[int, tuple[int, int]]:
    """Return by person how much is unread, and the newest of it; nobody who has read all. One query.

    It changes with whatever comes into an inbox, and with whatever is read there.
    """
    rows = Delivery.objects.filter(person__in=people).in_sight().unread().order_by()
    counted = rows.values("person").annotate(unread=Count("pk"), newest=Max("pk"))
    return {
        one: (unread, newest) for one, unread, newest in counted.values_list("person", "unread", "newest")
    }


def rows_of(deliveries: Iterable[Delivery], *, person: User) -> list[Row]:
    """Return rows as the person reads them: one query, for their language."""
    reader = reader_of(person.pk)
    with reader.speaking():
        return [row_of(delivery, person=person, reader=reader) for delivery in deliveries]


def row_of(delivery: Delivery, *, person: User, reader: Reader) -> Row:
    kind, letter = delivery.notice.kind, words_of(delivery, person=person, reader=reader)
    said = (letter.subject, letter.opening, letter.link) if letter else (kind, "", "")
    return Row(delivery.pk, kind, *said, delivery.created_at, delivery.read_at)


@dataclass(frozen=True)
class News:
    """What has come into an inbox, oldest first, and how the inbox stands: its newest ids, and its badge."""

    rows: list[Row]
    ids: list[int]
    unread: int
    newest: int


def news_of(person: User, *, after: int, known: Collection[int]) -> News:
    """Return what among the newest 100 rows came after an id and is not known yet.

    Known, since ids are not in the order of commits: a row may appear below one that was there before.
    """
    ids = list(inbox_of(person).values_list("pk", flat=True)[:WINDOW])
    unread, newest = standings_of([person.pk]).get(person.pk, (0, 0))
    fresh = [one for one in ids if one > after and one not in known]
    rows = rows_of(inbox_of(person).filter(pk__in=fresh).reverse(), person=person) if fresh else []
    return News(rows, ids, unread, newest)


def words_of(delivery: Delivery, *, person: User, reader: Reader) -> Letter | None:
    """Return what a row of the inbox says, in its reader's language; None where the product no longer knows.

    The reader's language must be the one that is spoken (``Reader.speaking``).
    """
    kind = kind_of(delivery.notice.kind)
    return kind.write(Told(person, delivery.notice.data, reader)) if kind else None


def mark_read(user: User, ids: Collection[int] | None = None) -> int:
    """Mark rows of somebody's inbox as read, or all of them; return how many are unread now. Rings the bell.

    Ids of nobody's, and of other people's rows, do nothing.
    """
    rows = Delivery.objects.filter(person=user).in_sight().unread()
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    with transaction.atomic():
        # In the order in which others that write several of them take them. Not within the UPDATE: PostgreSQL
        # may ask a subquery again for each row of the table, where its statistics are old.
        held = rows.select_for_update(no_key=True, of=("self",)).order_by("pk")
        marked = Delivery.objects.filter(pk__in=list(held.values_list("pk", flat=True)))
        if marked.update(read_at=Coalesce(F("read_at"), Now())):
            transaction.on_commit(partial(ring_inboxes, [user.pk]))
    return unread_count(user)


def ring_inboxes(people: Collection[int]) -> None:
    """Have the sockets that show these people's inboxes look again; call it after the commit.

    The bell says nothing: each socket reads what is new, in its reader's language.
    """
    for one in people:
        if not send_to_room(room_of_inbox(one), {"type": "inbox.rang"}):
            return  # nobody can be told now: sockets look for themselves, now and then
