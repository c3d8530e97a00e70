"""What a post asks of the database: one query before the lock, and one with it held."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.db import models
from django.db.models import OuterRef, Subquery, Value

from chat.access import conversation_for
from chat.models import Message
from chat.services.holding import still_in_conversation
from chat.services.mentions import people_of
from core.aggregates import Counted
from core.nested import Nested, Tuple, listed
from core.prepared import Slot
from groups.asking import GROUP, ByKind
from users.names import COLUMNS, Somebody, columns_of_name

if TYPE_CHECKING:
    from groups.models.teams import GroupQuerySet

CLIENT_ID: Any = Slot("client_id", models.CharField())
QUOTED: Any = Slot("quoted", models.BigIntegerField())
OF_QUOTE: Final = ("id", "author", "text", "is_deleted", "moderation_status", *columns_of_name("author"))
QUOTES: Final = Nested(lambda: Message.objects.filter(pk=QUOTED, group=OuterRef("pk")), "pk", OF_QUOTE)


def with_known(viewer: Any, groups: GroupQuerySet) -> GroupQuerySet:
    """Annotate a conversation with the message to which its author gave ``client_id``: at most one."""
    rows = Message.objects.filter(group=OuterRef("pk"), author=viewer, client_id=CLIENT_ID)
    # The index that names are unique by has no row without one.
    named = rows.exclude(client_id="").order_by().values("pk")
    return groups.annotate(known=Subquery(named))


def with_quote(groups: GroupQuerySet) -> GroupQuerySet:
    """Annotate it with the message ``quoted``, and how often that is, up to how often it may be."""
    quotes = Message.objects.filter(reply_to=QUOTED).order_by().values("pk")
    return groups.annotate(quotes=QUOTES.listed(), times_quoted=Counted(quotes[: Message.QUOTES]))


def with_people(groups: GroupQuerySet) -> GroupQuerySet:
    """Annotate it with the names of its people."""
    people = people_of(GROUP).annotate(one=Value(1))
    return groups.annotate(people=listed(people, "one", Tuple(*COLUMNS)))


def before(viewer: Any) -> GroupQuerySet:
    return with_known(viewer, conversation_for(viewer))


BEFORE: Final = ByKind(before)
BEFORE_QUOTING: Final = ByKind(lambda viewer: with_quote(before(viewer)))


@lru_cache
def still(*, quotes: bool, names: bool) -> ByKind:
    """Return the question with the lock held, for a draft that quotes, or may name somebody."""

    def build(viewer: Any) -> GroupQuerySet:
        groups = with_known(viewer, still_in_conversation(viewer))
        groups = with_quote(groups) if quotes else groups
        return with_people(groups) if names else groups

    return ByKind(build)


def quote_in(group: Any) -> Message | None:
    """Return the message quoted, where there is one in the group; the answer was to one ``with_quote``."""
    return next(iter(QUOTES.read(group.quotes)), None)


def people_in(group: Any) -> list[Somebody]:
    """Return the people of the group; the answer was to one ``with_people``."""
    return [Somebody(*values) for values in group.people or ()]
