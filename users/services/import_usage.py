"""Whether an account that an import made is still nobody's: unused, and as it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q
from django.db.models.functions import Lower

from core.serializers import snake_case
from users.addresses import address_keys
from users.models import ImportRow, SupervisorProfile, User, UserProfile
from users.spreadsheets.columns import SECTION_OF, mailbox
from users.spreadsheets.planning import NAMING, stored_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from users.models import PeopleImport
    from users.spreadsheets.planning import Sections

# What every account has, or what the import itself wrote.
OWN_RELATIONS: Final = frozenset({"profile", "supervisor_profile", "import_rows"})
USED: Final = "This account has been used or changed since, and stays."
MEANT: Final = "Another import is about this account too, and it stays."


def used_among(batch: PeopleImport, people: list[User]) -> dict[int, str]:
    """Return who of these must stay, and why."""
    return dict.fromkeys(meant_among(batch, people), MEANT) | dict.fromkeys(traced_among(batch, people), USED)


def meant_among(batch: PeopleImport, people: list[User]) -> set[int]:
    """Return whom another import has changed, or waits to change."""
    rows = ImportRow.objects.exclude(batch=batch).filter(person__in=people)
    done_or_waiting = Q(state=ImportRow.State.WRITTEN) | ImportRow.WORK & Q(state=ImportRow.State.WAITING)
    return {row.person_id for row in rows.filter(done_or_waiting) if row.person_id}


def traced_among(batch: PeopleImport, people: list[User]) -> set[int]:
    """Return who has left a trace anywhere: one query for each relation that leads to a person."""
    ids = [person.pk for person in people]
    used = {person.pk for person in people if person.last_login} | named_among(batch, people)
    for relation in User._meta.get_fields(include_hidden=True):  # noqa: SLF001 - documented API
        if not relation.auto_created or relation.concrete or relation.many_to_many:
            continue
        if relation.name not in OWN_RELATIONS:
            name = relation.field.attname  # type: ignore[union-attr]
            model: Any = relation.related_model
            rows = model._base_manager.filter(**{f"{name}__in": ids})  # noqa: SLF001 - documented API
            used |= set(rows.values_list(name, flat=True))
    return used


def named_among(batch: PeopleImport, people: list[User]) -> set[int]:
    """Return whose address stands in the profile of somebody whom this undo does not take away."""
    ids = {person.email.lower(): person.pk for person in people}
    going = batch.rows.to_undo().filter(outcome=ImportRow.Outcome.CREATE, person__isnull=False)
    staying = UserProfile.objects.exclude(user__in=going.values("person"))
    found: set[int] = set()
    for column in NAMING:
        named = staying.alias(address=Lower(column)).filter(address__in=ids)
        found |= {ids[address] for address in named.values_list(Lower(column), flat=True)}
    return found


def taken_back_among(batch: PeopleImport, addresses: Collection[str]) -> set[str]:
    """Return whose accounts this undo has erased already: their addresses were blanked with them."""
    keys = {key: address for address in addresses for key in address_keys(address)}
    undone = batch.rows.filter(
        address_key__in=keys, outcome=ImportRow.Outcome.CREATE, state=ImportRow.State.UNDONE
    )
    return {keys[key] for key in undone.values_list("address_key", flat=True)} if keys else set()


def as_made(person: User, new: Sections, taken_back: Collection[str]) -> bool:
    """Tell whether an account is still just what the import made of it, but for what the undo blanked."""
    fresh = stored_of(User())
    for section, row in stored_of(person).items():
        for name in fields_in(section):
            made = new.get(section, {}).get(name, getattr(fresh[section], name))
            blanked = name in NAMING and not getattr(row, name) and mailbox(made) in taken_back
            if not blanked and getattr(row, name) != restored(row, name, made):
                return False
    return not (person.is_staff or person.is_superuser or person.has_usable_password())


def drop_empty_supervisor_profile(person: User) -> None:
    """Delete a supervisor profile in which nothing stands."""
    row, fresh = SupervisorProfile.objects.filter(user=person).first(), SupervisorProfile()
    names = fields_in("supervisor_profile")
    if row is not None and all(getattr(row, name) == getattr(fresh, name) for name in names):
        row.delete()


def fields_in(section: str) -> list[str]:
    names = [
        name for name, where in SECTION_OF.items() if snake_case(where) == section and name != "newEmail"
    ]
    return [snake_case(name) for name in names]


def restored(row: Any, name: str, value: Any) -> Any:
    """Return a value as the column holds it: a date was kept as text."""
    return row._meta.get_field(name).to_python(value)  # noqa: SLF001 - documented API
