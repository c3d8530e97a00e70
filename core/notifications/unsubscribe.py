"""The one-click way out of a kind of mail (RFC 8058): an address nobody can guess, without a sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import transaction
from django.urls import reverse

from core.models import NotificationChoice
from core.notifications.kinds import Kind, Pace, kind_of
from core.notifications.wishes import reader_of
from core.refusals import Missing

if TYPE_CHECKING:
    from core.mail import Reader

SALT: Final = "core.notifications.unsubscribe"


def unsubscribe_link(person: int, kind: str) -> str:
    """Return the address that ends a kind of mail to a person. Mail is kept: it lives as long as its key.

    That is while SECRET_KEY, or a fallback of it, is the one that signed it.
    """
    token = signing.dumps([person, kind], salt=SALT)
    return settings.PUBLIC_BASE_URL + reverse("notifications:unsubscribe", args=[token])


def read_token(token: str) -> tuple[int, Kind]:
    """Return whom a token means, and which kind. Raises Missing (404) where we have not made it."""
    try:
        person, name = signing.loads(token, salt=SALT)
    except signing.BadSignature as error:
        raise Missing from error
    kind = kind_of(name)
    if kind is None or kind.is_mandatory:
        raise Missing
    return person, kind


def reader_of_token(token: str) -> Reader:
    """Return for whom the page of a token is written; of who has been erased, as the programme writes."""
    person, _ = read_token(token)
    return reader_of(person)


@transaction.atomic
def unsubscribe(token: str) -> Kind:
    """End a kind of mail to a person; safe to repeat. Raises Missing (404) for a token that is not ours.

    What is queued already is dropped when its turn comes. Who has been erased gets none anyway. Holds
    the person.
    """
    person, kind = read_token(token)
    if get_user_model().objects.select_for_update(no_key=True).filter(pk=person).first():
        NotificationChoice.objects.update_or_create(
            person_id=person, kind=kind.name, defaults={"pace": Pace.OFF}
        )
    return kind


def subscribe_again(token: str) -> Kind:
    """Take back the end of a kind of mail: it comes as is usual. Raises Missing (404).

    Safe to repeat; who gets such mail keeps their pace.
    """
    person, kind = read_token(token)
    ended = NotificationChoice.objects.filter(person=person, kind=kind.name, pace=Pace.OFF)
    if kind.usual == Pace.OFF:
        ended.update(pace=next(pace for pace in kind.paces if pace != Pace.OFF))
    else:
        ended.delete()
    return kind
