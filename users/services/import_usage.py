"""Whether an account that an import made is still nobody's: unused, and as it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import F
from django.db.models.functions import Lower

from core.serializers import snake_case
from users.models import ImportRow, User, UserProfile
from users.services.traces import ADDRESSES
from users.spreadsheets.columns import SECTION_OF
from users.spreadsheets.planning import stored_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from users.models import PeopleImport
    from users.spreadsheets.planning import Sections

# What every account has, or what the import itself wrote.
OWN_RELATIONS: Final = frozenset({"profile", "supervisor_profile", "import_rows"})


def used_among(batch: PeopleImport, people: list[User]) -> set[int]:
    """Return who of these has left a trace anywhere: one query for each relation that leads to a person."""
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
    for column in ADDRESSES:
        named = staying.alias(address=Lower(column)).filter(address__in=ids)
        found |= {ids[address] for address in named.values_list(Lower(column), flat=True)}
    return found


def without_named(rows: QuerySet[ImportRow]) -> QuerySet[ImportRow]:
    """Leave out whose address stands in any profile."""
    rows = rows.alias(address=Lower("person__email"))
    for column in ADDRESSES:
        named = UserProfile.objects.exclude(**{column: ""}).values(address=Lower(F(column)))
        rows = rows.exclude(address__in=named)
    return rows


def as_made(person: User, new: Sections) -> bool:
    """Tell whether an account is still just what the import made of it."""
    fresh = stored_of(User())
    for section, row in stored_of(person).items():
        for name in fields_in(section):
            made = new.get(section, {}).get(name, getattr(fresh[section], name))
            if getattr(row, name) != restored(row, name, made):
                return False
    return not (person.is_staff or person.is_superuser or person.has_usable_password())


def fields_in(section: str) -> list[str]:
    names = [
        name for name, where in SECTION_OF.items() if snake_case(where) == section and name != "newEmail"
    ]
    return [snake_case(name) for name in names]


def restored(row: Any, name: str, value: Any) -> Any:
    """Return a value as the column holds it: a date was kept as text."""
    return row._meta.get_field(name).to_python(value)  # noqa: SLF001 - documented API
