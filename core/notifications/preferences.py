"""How a person wants to be told of things: what they may choose, and what they have chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction

from core.models import NotificationChoice, NotificationSettings
from core.notifications.kinds import kind_of, listed
from core.notifications.wishes import wishes_of
from core.preconditions import confirm
from core.refusals import Refused, SignedOut
from core.zones import zones

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from core.notifications.kinds import Kind
    from core.notifications.wishes import Wishes
    from users.models import User


class NoSuchWish(Refused):
    """Something that nobody can choose (400). Names its field."""

    code = "validation_error"


class Language(NamedTuple):
    """A language that can be chosen, and its name in itself."""

    code: str
    name: str


@dataclass(frozen=True)
class KindWish:
    """What a person gets of a kind, in their words."""

    kind: str
    label: str
    pace: str
    paces: list[str]
    is_mandatory: bool
    usual: str


@dataclass(frozen=True)
class Preferences:
    """How a person is told of things: what they chose, and what counts where they chose nothing."""

    language: str
    time_zone: str
    quiet_from: dt.time | None
    quiet_until: dt.time | None
    languages: list[Language]
    kinds: list[KindWish]


def preferences_of(user: User) -> Preferences:
    """Return how a person is told of things, in their own language. Two queries; writes nothing."""
    wishes = wishes_of([user.pk])[user.pk]
    reader = wishes.reader
    with reader.speaking():
        kinds = [wish_of(kind, wishes) for kind in listed()]
    return Preferences(
        language=reader.language,
        time_zone=reader.zone.key,
        quiet_from=wishes.quiet_from,
        quiet_until=wishes.quiet_until,
        languages=[Language(code, str(name)) for code, name in settings.LANGUAGES],
        kinds=kinds,
    )


def wish_of(kind: Kind, wishes: Wishes) -> KindWish:
    return KindWish(
        kind=kind.name,
        label=str(kind.label),
        pace=wishes.pace(kind),
        paces=[kind.usual] if kind.is_mandatory else list(kind.paces),
        is_mandatory=kind.is_mandatory,
        usual=kind.usual,
    )


@transaction.atomic
def change_preferences(user: User, *, values: Mapping[str, Any], kinds: Mapping[str, str]) -> None:
    """Change some of how a person is told: fields of their settings, and paces by kind. Holds the person.

    Raises NoSuchWish (400) where something is not there to be chosen: then nothing is changed. None, for
    a language or a zone, is as the programme has it. Raises SignedOut (401) where they have been
    erased meanwhile.
    """
    for name, pace in kinds.items():
        check_pace(name, pace)
    if get_user_model().objects.select_for_update(no_key=True).filter(pk=user.pk).first() is None:
        raise SignedOut
    confirm()
    if values:
        change_settings(user, values)
    for name in sorted(kinds):
        NotificationChoice.objects.update_or_create(person=user, kind=name, defaults={"pace": kinds[name]})


def check_pace(name: str, pace: str) -> None:
    kind = kind_of(name)
    if kind is None or kind not in listed():
        raise NoSuchWish(f"There is no mail of the kind {name[:40]!r}.", field="kinds")
    if kind.is_mandatory:
        raise NoSuchWish(f"Mail of the kind {name!r} cannot be changed: everybody gets it.", field="kinds")
    if pace not in kind.paces:
        possible = ", ".join(kind.paces)
        raise NoSuchWish(f"Mail of the kind {name!r} comes in one of these ways: {possible}.", field="kinds")


def change_settings(user: User, values: Mapping[str, Any]) -> None:
    """Write settings of a person, who is held."""
    row = NotificationSettings.objects.filter(person=user).first() or NotificationSettings(person=user)
    for name, value in values.items():
        setattr(row, name, "" if value is None and name in {"language", "time_zone"} else value)
    row.language = row.language.lower()  # RFC 5646, 2.1.1
    check_settings(row)
    row.save()


def check_settings(row: NotificationSettings) -> None:
    if row.language and row.language not in dict(settings.LANGUAGES):
        raise NoSuchWish("This language is not among those that we write.", field="language")
    if row.time_zone and row.time_zone not in zones():
        raise NoSuchWish("Send the IANA name of a time zone, such as Australia/Sydney.", field="timeZone")
    begin, end = row.quiet_from, row.quiet_until
    if (begin is None) != (end is None):
        half = "quietFrom" if begin is None else "quietUntil"
        raise NoSuchWish("Quiet hours have a beginning and an end: send both, or null for both.", field=half)
    if begin is not None and begin == end:
        raise NoSuchWish("Quiet hours end at another time than they begin.", field="quietUntil")
