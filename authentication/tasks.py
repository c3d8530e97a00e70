"""What sign-in does in the background: its mails, and pruning what has run out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from authentication.admission import may_sign_in, may_sign_in_at_site
from authentication.challenges import Door, is_outdated
from authentication.letters import SIGN_IN, proof_letter, sign_in_letter, site_letter
from authentication.models import RefreshToken, SignInSession
from authentication.services import SEAL_PURPOSE
from core.forgetting import Old
from core.mail import Reader
from core.notifications.direct import give_up, send_once
from core.notifications.wishes import wishes_of
from core.periodic import periodic
from core.sealing import Unreadable, unseal
from core.tasks import Abandoned, background
from users.models import User

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from core.mail import Letter

KEEP_ENDED_DAYS: Final = 30
# For whom each door opens, and what is written to them.
DOORS: Final = {
    Door.API: (may_sign_in, sign_in_letter),
    Door.SITE: (may_sign_in_at_site, site_letter),
    Door.PROOF: (may_sign_in_at_site, proof_letter),
}


@background(queue="sign-in", priority=100, attempts=None, longest_delay_seconds=20, limit_seconds=60)
def mail_sign_in(*, sealed: str) -> None:
    """Mail link and code, where the address may sign in and both are still good.

    Looked up here and not in the request, so that every address costs a request the same. Tried again
    for as long as they are good.
    """
    try:
        content = unseal(sealed, purpose=SEAL_PURPOSE)
    except Unreadable as error:
        raise Abandoned from error
    address, door = content["address"], Door(content.get("door", Door.API))
    opens_for, letter = DOORS[door]
    if timezone.now().timestamp() >= content["expires"] or is_outdated(address, content["token"], door=door):
        give_up(kind=SIGN_IN.name, subject=content["id"])
    elif opens_for(address):
        send_secrets(content, letter)


def send_secrets(content: dict[str, Any], letter: Callable[[str, str], Letter]) -> None:
    """Mail them in the language of the account, where there is one; not again where that has left already."""
    address = content["address"]
    person = User.objects.with_address(address).first()
    reader = wishes_of([person.pk])[person.pk].reader if person else Reader()
    with reader.speaking():
        send_once(
            letter(content["token"], content["code"]),
            kind=SIGN_IN.name,
            subject=content["id"],
            to=address,
            person=person,
            reader=reader,
        )


def old_sessions() -> QuerySet[SignInSession]:
    return SignInSession.objects.filter(expires_at__lt=timezone.now() - timedelta(days=KEEP_ENDED_DAYS))


def tokens_of_old_sessions() -> QuerySet[RefreshToken]:
    return RefreshToken.objects.filter(session__in=old_sessions())


OLD_TOKENS: Final = Old("refresh tokens", tokens_of_old_sessions, by="expires_at")
OLD_SESSIONS: Final = Old("sessions", old_sessions, by="expires_at")


@periodic("prune_sessions", every=timedelta(hours=24), due=(OLD_TOKENS, OLD_SESSIONS))
def prune_sessions() -> dict[str, int]:
    """Delete sessions that ran out more than 30 days ago; first their tokens: each may have hundreds."""
    return {"deleted": OLD_TOKENS.delete() + OLD_SESSIONS.delete()}
