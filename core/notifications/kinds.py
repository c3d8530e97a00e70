"""The kinds of things that people are told of. Each app registers its own (``core.registry``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from core.models import NotificationChoice
from core.registry import notification_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise

    from core.mail import Letter, Reader
    from users.models import User

Pace = NotificationChoice.Pace
EVERY_PACE: Final = (Pace.NOW, Pace.DAILY, Pace.OFF)


@dataclass(frozen=True)
class Told:
    """Who is told, what of, and in which language and by which clock they read it.

    ``delivery_id`` is that of the mail that leaves now; None elsewhere.
    """

    person: User
    data: Mapping[str, Any]
    reader: Reader
    delivery_id: int | None = None


class Words(Protocol):
    """Puts a notice into words, those of its reader's language. Asks no database: a list shows many."""

    def __call__(self, told: Told, /) -> Letter: ...


class MailWords(Protocol):
    """Writes the mail at the moment at which it leaves. None: what it says is not true any more."""

    def __call__(self, told: Told, /) -> Letter | None: ...


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How people are told of one kind of thing, and what they may choose about it."""

    name: str
    label: str | _StrPromise
    write: Words
    mail: MailWords | None = None  # the same as ``write`` where it needs nothing more
    is_mandatory: bool = False  # nobody can switch it off, and it waits for no quiet hours
    paces: tuple[Pace, ...] = EVERY_PACE
    usual: Pace = Pace.NOW
    is_pressing: bool = False  # quiet hours at whose end it would be too late do not hold it up
    priority: int = 0  # of its mail; higher leaves first
    in_inbox: bool = True
    by_mail: bool = True
    is_listed: bool = True  # in everybody's preferences; what admins alone ever get is not
    reaches_suspended: bool = False
    carries_others: bool = False  # other deliveries go with its mail, and become what it becomes

    def letter(self, told: Told) -> Letter | None:
        """Return the mail to send now, or None where there is nothing to say any more."""
        return (self.mail or self.write)(told)


def kind_of(name: str) -> Kind | None:
    """Return a kind; None of a notice whose kind the product no longer has."""
    return notification_kinds.entries.get(name)


def register(*kinds: Kind) -> None:
    """Make kinds known; call it in ``AppConfig.ready()``."""
    for kind in kinds:
        notification_kinds.add(kind.name, kind)


def listed() -> list[Kind]:
    """Return the kinds of mail that preferences show, fixed ones too, in the order of the apps."""
    return [kind for kind in notification_kinds if kind.by_mail and kind.is_listed]
