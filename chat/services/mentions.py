"""Whom a text names: ``@`` and the name of somebody of the group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat.models import Mention
from groups.models import Group, GroupMember
from users.models import User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from chat.models import Message
    from users.names import Named

SIGN = "@"
MENTIONS = 50  # looked at in one text


def people_named(text: str, group_id: str) -> set[int]:
    """Return the ids of people of a group whom a text names. No query where it has no ``@``."""
    return named_in(text, people_of(group_id)) if SIGN in text else set()


def people_mentioned(message: Message) -> set[int]:
    """Return the ids of those whom a stored message names."""
    return set(Mention.objects.filter(message=message).values_list("user_id", flat=True))


def write_mentions(message: Message, ids: set[int]) -> None:
    """Store whom the message's text names, instead of whom it named before. The message must be held."""
    before = set(message.mention_ids or [])
    if before - ids:
        Mention.objects.filter(message=message, user__in=before - ids).delete()
    if ids - before:
        Mention.objects.bulk_create(Mention(message=message, user_id=pk) for pk in sorted(ids - before))
    message.mention_ids = sorted(ids)


def people_of(group_id: Any) -> QuerySet[User]:
    """Return the people of a group; its id may be a slot."""
    members = GroupMember.objects.filter(group=group_id).order_by().values("user_id")
    mentor = Group.objects.filter(pk=group_id).order_by().values("mentor_id")
    # A UNION: an OR over both would read every person there is.
    people: QuerySet[User] = User.objects.filter(pk__in=members.union(mentor))
    return people


def named_in(text: str, people: Iterable[Named]) -> set[int]:
    """Return the ids of those whose name follows an ``@``: the longest name that fits, whatever its case.

    First names alone count too, for everybody who has that one.
    """
    names: dict[str, set[int]] = {}
    for person in people:
        for name in {person.display_name, person.first_name} - {""}:
            names.setdefault(name.casefold(), set()).add(person.pk)
    longest_first = sorted(names, key=len, reverse=True)
    found: set[int] = set()
    before, *parts = text.casefold().split(SIGN, MENTIONS)
    for rest in parts:
        # Within a word it is the sign of a mail address.
        in_word, before = before[-1:].isalnum(), rest
        if in_word:
            continue
        fitting = next((name for name in longest_first if starts_with(rest, name)), "")
        found |= names.get(fitting, set())
    return found


def starts_with(text: str, name: str) -> bool:
    return text.startswith(name) and not text[len(name) : len(name) + 1].isalnum()
