"""Whom a text names: ``@`` and the name of somebody of the group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.peer.access import full_name, without_name

if TYPE_CHECKING:
    from asyncpg import Record

    from benchmarks.peer.access import Database

MENTIONS: Final = 50
PEOPLE: Final = """
    SELECT u.id, u.first_name, u.last_name, u.role FROM users u WHERE u.id IN (
        SELECT user_id FROM groups_groupmember WHERE group_id = $1
        UNION SELECT mentor_id FROM groups_group WHERE id = $1)
"""


async def named_in(text: str, group_id: str, database: Database) -> list[int]:
    """Return the ids of those whom a text names. No statement where it has no ``@``."""
    if "@" not in text:
        return []
    names = names_of(await database.fetch(PEOPLE, group_id))
    found: set[int] = set()
    before, *parts = text.casefold().split("@", MENTIONS)
    for rest in parts:
        is_address, before = before[-1:].isalnum(), rest
        fitting = [name for name in names if rest.startswith(name) and not rest[len(name) :][:1].isalnum()]
        if fitting and not is_address:
            found |= names[max(fitting, key=len)]
    return sorted(found)


def names_of(people: list[Record]) -> dict[str, set[int]]:
    """Return whom each name and each first name stands for."""
    names: dict[str, set[int]] = {}
    for person in people:
        name = full_name(person) or without_name(person["id"], person)
        for known in {name, person["first_name"]} - {""}:
            names.setdefault(known.casefold(), set()).add(person["id"])
    return names
