"""Ids of groups: made from a locked counter, chosen by an admin, and never given out twice (B41, B42)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction
from django.db.models.functions import Lower

from core.refusals import Refused
from groups.models import ID_PATTERN, ID_RULE, Group, GroupNumber, RetiredGroupId

if TYPE_CHECKING:
    from collections.abc import Collection

PREFIX: Final = "BTF"
RESERVED: Final = frozenset({"my-groups"})  # paths of the API itself
AHEAD: Final = 100
TRIES: Final = 5


class TakenId(Refused):
    """A group has this id, or had it (400)."""

    code = "validation_error"
    sentence = "This id is taken. An id is never given out again, not even that of a deleted group."


class UnfitId(Refused):
    """An id that paths or rooms cannot carry (400)."""

    code = "validation_error"
    sentence = ID_RULE


def insert_group(group: Group, *, group_id: str) -> Group:
    """Store a new group under the id, or the next number where that is blank.

    Raises TakenId and UnfitId (400).

    The number is free when it is looked up; an admin who chooses the same at this moment is waited
    for, and the next one is tried.
    """
    if group_id:
        return insert(group, checked(group_id))
    for _ in range(TRIES):
        try:
            return insert(group, next_id())
        except TakenId:
            continue
    raise TakenId(field="groupId")


def checked(group_id: str) -> str:
    if not re.fullmatch(ID_PATTERN, group_id):
        raise UnfitId(field="groupId")
    if group_id.lower() in RESERVED:
        raise TakenId("This id is reserved.", field="groupId")
    if taken([group_id]):
        raise TakenId(field="groupId")
    return group_id


def insert(group: Group, group_id: str) -> Group:
    group.pk = group_id
    try:
        with transaction.atomic():
            group.save(force_insert=True)
    except IntegrityError as error:
        raise TakenId(field="groupId") from error
    return group


def next_id() -> str:
    """Return the id after the last one that was made; ids made by hand are skipped. Holds the counter."""
    counter, _ = GroupNumber.objects.select_for_update().get_or_create(pk=1)
    counter.last = first_free(counter.last + 1)
    counter.save()
    return id_of(counter.last)


def first_free(number: int) -> int:
    while True:
        candidates = range(number, number + AHEAD)
        used = taken([id_of(candidate) for candidate in candidates])
        for candidate in candidates:
            if id_of(candidate).lower() not in used:
                return candidate
        number += AHEAD


def id_of(number: int) -> str:
    return f"{PREFIX}{number:03}"


def taken(ids: Collection[str]) -> set[str]:
    """Return which of the ids are a group's, also an archived one's, or were: in lower case."""
    lowered = [pk.lower() for pk in ids]
    present = Group.everything.annotate(lowered=Lower("pk")).filter(lowered__in=lowered)
    retired = RetiredGroupId.objects.filter(pk__in=lowered)
    return {*present.values_list("lowered", flat=True), *retired.values_list("pk", flat=True)}
