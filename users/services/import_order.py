"""In which order an undo erases whom an import made: whoever names somebody goes before them."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple

from django.db.models.functions import Lower

from users.models import ImportRow
from users.spreadsheets.planning import NAMING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from users.models import PeopleImport


class Made(NamedTuple):
    """A row, the address of whom it made, and the addresses in their profile."""

    row: int
    address: str
    names: frozenset[str]


def people_made(batch: PeopleImport) -> list[Made]:
    """Return whom an undo has still to erase, in the order of the file. One query."""
    rows = batch.rows.to_undo().in_file_order().filter(outcome=ImportRow.Outcome.CREATE)
    columns = [Lower(f"person__profile__{name}") for name in NAMING]
    read = rows.values_list("pk", Lower("person__email"), *columns)
    return [Made(row, address or "", frozenset(names) - {address, "", None}) for row, address, *names in read]


def namers_first(people: list[Made]) -> Iterator[int]:
    """Yield rows so that nobody is erased whose address stands in the profile of somebody who waits.

    Erasing them would blank it there, and whoever waits may have to stay. In a ring somebody has to
    be the first.
    """
    by_address = {person.address: person for person in people}
    waits_for = Counter(name for person in people for name in person.names if name in by_address)
    ready = deque(person for person in people if not waits_for[person.address])
    rest, done = iter(people), set[int]()
    while len(done) < len(people):
        person = ready.popleft() if ready else next(rest)
        if person.row in done:
            continue
        done.add(person.row)
        yield person.row
        for name in person.names & by_address.keys():
            waits_for[name] -= 1
            if not waits_for[name]:
                ready.append(by_address[name])
