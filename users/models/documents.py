"""A person's whole document in one query: account, profiles, and links with who is at their other ends."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

from django.db.models import OuterRef

from core.nested import Nested
from users.models.links import StudentSupervisor

if TYPE_CHECKING:
    from users.models.people import User, UserQuerySet

LINK: Final = (
    *("id", "relationship_type", "join_permission_granted", "join_permission_granted_at", "notes"),
    "created_at",
)
PERSON: Final = ("id", "first_name", "last_name", "email", "role", "track", "status")
CHECK: Final = (
    *("id", "organization", "phone_number", "wwcc_number", "wwcc_expiry", "wwcc_verified"),
    *("created_at", "updated_at"),
)
OLDEST_FIRST: Final = attrgetter("created_at", "pk")


def links(near: str, far: str) -> Nested:
    """Return the links at whose one end a person stands, with what a document tells of the other end."""
    columns = [*LINK, *(f"{far}__{name}" for name in PERSON)]
    columns += [f"{far}__supervisor_profile__{name}" for name in CHECK]
    return Nested(lambda: StudentSupervisor.objects.filter(**{near: OuterRef("pk")}), near, columns)


SUPERVISORS: Final = links("student", "supervisor")
SUPERVISEES: Final = links("supervisor", "student")


def documents(people: UserQuerySet) -> UserQuerySet:
    """Return the rows of people with all that ``linked`` makes a document of."""
    return people.select_related("profile", "supervisor_profile").annotate(
        told_supervisors=SUPERVISORS.listed(), told_supervisees=SUPERVISEES.listed()
    )


def linked(person: User) -> User:
    """Give a row of ``documents`` its links, as if they had been prefetched, oldest first."""
    told = {"supervisor_links": SUPERVISORS.read(person.told_supervisors)}  # type: ignore[attr-defined]
    told["supervisee_links"] = SUPERVISEES.read(person.told_supervisees)  # type: ignore[attr-defined]
    found = {name: sorted(rows, key=OLDEST_FIRST) for name, rows in told.items()}
    person._prefetched_objects_cache = found  # type: ignore[attr-defined]  # noqa: SLF001 - as prefetch_related does
    return person
