"""What people are called: the one rule, for accounts and for rows that hold no more of a person than that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.roles import Role

if TYPE_CHECKING:
    from users.models import User

LABELS: Final = dict(Role.choices)
COLUMNS: Final = ("id", "first_name", "last_name", "email", "role")


def full_name(first_name: str, last_name: str) -> str:
    return f"{first_name} {last_name}".strip()


class Named:
    """Has a ``pk``, ``first_name``, ``last_name``, ``email`` and ``role``."""

    pk: Any
    first_name: Any
    last_name: Any
    email: Any
    role: Any

    @property
    def full_name(self) -> str:
        return full_name(self.first_name, self.last_name)

    @property
    def name(self) -> str:
        """For the person and for admins: the address where no name is known."""
        return self.full_name or self.email

    @property
    def display_name(self) -> str:
        """For other participants, who may not learn a minor's address."""
        return self.full_name or f"{LABELS.get(self.role, self.role)} {self.pk}"

    def name_for(self, viewer: User) -> str:
        """The name that ``viewer`` may read."""
        return self.name if viewer.is_platform_admin or viewer.pk == self.pk else self.display_name


class NameRow(NamedTuple):
    """The values of ``COLUMNS``."""

    pk: int
    first_name: str
    last_name: str
    email: str
    role: str


class Somebody(NameRow, Named):
    """Whoever stands in a document: no account, and nobody to ask the database about."""

    __slots__ = ()


def columns_of_name(path: str) -> tuple[str, ...]:
    """Return the columns of whom a relation leads to, as ``Somebody`` takes them."""
    return tuple(f"{path}__{column}" for column in COLUMNS)
