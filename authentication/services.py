"""Proving who somebody is: ask for a link, redeem the link or the code."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from authentication import challenges
from authentication.admission import may_sign_in
from authentication.challenges import Door, WrongCredential
from authentication.sessions import open_session
from core import audit
from core.limits import take
from core.notifications.troubles import lift_bounce
from core.refusals import TooMany
from core.sealing import seal
from core.tasks import enqueue
from core.watching import metrics
from users.access import may_use_site
from users.models import User
from users.services.accounts import provision_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from authentication.challenges import Redeemed
    from authentication.devices import Browser
    from authentication.tokens import Pair

logger = logging.getLogger(__name__)

SEAL_PURPOSE: Final = "sign-in mail"


def request_sign_in(address: str, *, door: Door = Door.API) -> None:
    """Issue a challenge for a normalised address and have it mailed. Raises TooMany (429).

    Does the same for every address, known, unknown or suspended: who gets a mail is decided in
    the background.
    """
    wait = take(f"magic-link:{challenges.account_key(address)}", settings.MAGIC_LINK_PER_ADDRESS)
    if wait:
        raise TooMany(wait)
    secrets = challenges.issue(address, door=door)
    content = {
        "id": uuid4().hex,
        "address": address,
        "door": door,
        "token": secrets.link_token,
        "code": secrets.code,
        "expires": timezone.now().timestamp() + settings.MAGIC_LINK_EXPIRY_SECONDS,
    }
    enqueue("authentication.tasks.mail_sign_in", sealed=seal(content, purpose=SEAL_PURPOSE))
    logger.info("sign_in_challenge_issued")
    metrics.sign_in_challenges.inc()


def redeem_link(token: str, *, user_agent: str = "") -> tuple[User, Pair]:
    """Sign in by a mailed link. Raises WrongCredential (400)."""
    return enter_with(challenges.redeem_link(token), user_agent=user_agent, by="link")


def redeem_code(
    address: str, code: str, *, source: str, browser: Browser | None = None, user_agent: str = ""
) -> tuple[User, Pair]:
    """Sign in by a mailed code. Raises WrongCredential (400)."""
    known = browser.id if browser and browser.knows(challenges.account_key(address)) else None
    redeemed = challenges.redeem_code(address, code, browser=known, source=source)
    return enter_with(redeemed, user_agent=user_agent, by="code")


def enter_with(redeemed: Redeemed, *, user_agent: str, by: str) -> tuple[User, Pair]:
    """Open a session for a taken challenge; where the database fails, it can be taken again."""
    try:
        return enter(redeemed.address, user_agent=user_agent, by=by)
    except DatabaseError:
        challenges.give_back(redeemed)
        raise


def enter_site(redeemed: Redeemed, *, by: str, begin: Callable[[User], None]) -> None:
    """Begin a session of the admin site for a taken challenge, in the transaction that judges it.

    Raises WrongCredential (400) for everybody for whom the site does not open. Holds the account's row.
    Where the database fails, the challenge can be taken again.
    """
    try:
        with transaction.atomic():
            user = User.objects.select_for_update().with_address(redeemed.address).first()
            if user is None or not may_use_site(user):
                raise WrongCredential
            lift_bounce(user)
            begin(user)
            note_site_sign_in(user, by=by)
    except DatabaseError:
        challenges.give_back(redeemed)
        raise


def note_site_sign_in(user: User, *, by: str) -> None:
    """Write down that somebody has come in at the admin site: by link, code or password."""
    audit.record("signed_in", actor=user, target=user, changes={"where": "admin site", "by": by})
    logger.info("signed_in", extra={"user_id": user.pk, "by": by})
    metrics.sign_ins.labels(by).inc()


@transaction.atomic
def enter(address: str, *, user_agent: str, by: str) -> tuple[User, Pair]:
    """Open a session for a proved address, making its account on the first time.

    The gate is asked again, with the account's row held: it may have been suspended, or have got
    another address, since the mail was sent.
    """
    if not may_sign_in(address):
        raise WrongCredential
    made, is_new = provision_user(address)
    user = User.objects.select_for_update().with_address(address).filter(pk=made.pk).first()
    if user is None or not user.may_enter:
        raise WrongCredential
    if is_new:
        audit.record("account_provisioned", actor=user, target=user, changes={"by": by})
    lift_bounce(user)
    pair = open_session(user, user_agent=user_agent)
    logger.info("signed_in", extra={"user_id": user.pk, "by": by})
    metrics.sign_ins.labels(by).inc()
    return user, pair
