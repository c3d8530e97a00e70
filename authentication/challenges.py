"""A link and a code that wait in the cache to be redeemed once. Only hashes stand there.

Every step is one atomic cache operation (``add`` and ``incr``), so that the rules hold on Redis and
in memory, under any number of parallel calls.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

from core.refusals import Refused
from core.sealing import Unreadable, seal, unseal
from core.watching import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

GUESSES_PER_CHALLENGE: Final = 5
GUESSES_PER_ACCOUNT_AND_DAY: Final = 20
WRONG_GUESSES_OF_ALL_PER_DAY: Final = 2_000
WRONG_GUESSES_OF_ONE_SOURCE_PER_DAY: Final = 50
DAY_SECONDS: Final = 86_400
PURPOSE: Final = "sign-in address"
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # as issue() makes them: 32 bytes in base64url


class Door(StrEnum):
    """What a challenge opens, and alone that: it goes into both hashes."""

    API = ""
    SITE = "site."  # the admin site
    PROOF = "proof."  # there, of somebody who is signed in


class WrongCredential(Refused):
    """Wrong, run out, used or never issued (400): one answer for all of them."""

    code = "invalid_credential"
    sentence = "This code or link is not valid any more. Please request a new one."


@dataclass(frozen=True)
class Secrets:
    """What the mail carries, and what nothing else keeps."""

    link_token: str
    code: str


@dataclass(frozen=True)
class Redeemed:
    """A challenge that has been taken, and the address that it proves."""

    challenge: str
    address: str


def account_key(address: str) -> str:
    """Return a name for an address that does not tell the address."""
    return salted_hmac("authentication.challenges.account", address, algorithm="sha256").hexdigest()[:32]


def issue(address: str, *, door: Door = Door.API) -> Secrets:
    """Make a new link and code for an address, both good for MAGIC_LINK_EXPIRY_SECONDS.

    There is one challenge an address: the newest, of whichever door. Older links and codes are dead from
    here on.
    """
    made = Secrets(secrets.token_urlsafe(32), f"{secrets.randbelow(10**6):06d}")
    challenge, lifetime = secrets.token_hex(16), settings.MAGIC_LINK_EXPIRY_SECONDS
    sealed = seal(address, purpose=PURPOSE, key=made.link_token)
    link = link_hash(made.link_token, door)
    cache.set(f"signin:link:{link}", {"id": challenge, "address": sealed}, lifetime)
    cache.set(f"signin:guesses:{challenge}", 0, lifetime)
    cache.set(
        f"signin:challenge:{account_key(address)}",
        {"id": challenge, "code": code_hash(challenge, made.code, door)},
        lifetime,
    )
    return made


def redeem_link(token: str, *, door: Door = Door.API) -> Redeemed:
    """Take the challenge of a link. Raises WrongCredential (400), also for what is no token of ours."""
    if not TOKEN.fullmatch(token):
        raise WrongCredential
    link = cache.get(f"signin:link:{link_hash(token, door)}")
    if not link:
        raise WrongCredential
    try:
        address: str = unseal(link["address"], purpose=PURPOSE, key=token)
    except Unreadable as error:
        raise WrongCredential from error
    return take(link["id"], address)


def redeem_code(
    address: str, code: str, *, browser: str | None, source: str, door: Door = Door.API
) -> Redeemed:
    """Take the challenge of an address by its code. Raises WrongCredential (400).

    A guess is counted before it is compared: against the challenge and against the account's
    day; a wrong one against the programme's day too. ``browser`` names one in which this account
    has signed in before: it has a day's budget of its own, so that strangers cannot lock its
    owner out. ``source`` is where the guess comes from.
    """
    account = account_key(address)
    challenge = cache.get(f"signin:challenge:{account}")
    if not challenge:
        raise WrongCredential
    day = f"signin:day:{today()}:{account}:{browser or ''}"
    spend(f"signin:guesses:{challenge['id']}", GUESSES_PER_CHALLENGE, None)
    spend(day, GUESSES_PER_ACCOUNT_AND_DAY, DAY_SECONDS)
    if not browser and (cache.get(wrong_guesses()) or 0) >= WRONG_GUESSES_OF_ALL_PER_DAY:
        raise WrongCredential
    if not constant_time_compare(challenge["code"], code_hash(challenge["id"], code, door)):
        metrics.wrong_codes.inc()
        count_wrong_guess(source)
        raise WrongCredential
    redeemed = take(challenge["id"], address)
    # An evicted counter has nothing to give back.
    with suppress(ValueError):
        cache.decr(day)
    return redeemed


def take(challenge: str, address: str) -> Redeemed:
    """Let one caller have the challenge; it must still be the account's newest."""
    newest: Mapping[str, Any] = cache.get(f"signin:challenge:{account_key(address)}") or {}
    if newest.get("id") != challenge:
        raise WrongCredential
    if not cache.add(f"signin:taken:{challenge}", 1, settings.MAGIC_LINK_EXPIRY_SECONDS):
        raise WrongCredential
    return Redeemed(challenge, address)


def is_outdated(address: str, token: str, *, door: Door = Door.API) -> bool:
    """Tell whether a link is known to be dead: taken, or followed by a newer one. Asked before it is mailed.

    Where the cache knows nothing of the address it may be another process's own: then nothing is known.
    """
    newest = cache.get(f"signin:challenge:{account_key(address)}")
    if not newest:
        return False
    link = cache.get(f"signin:link:{link_hash(token, door)}")
    is_newest = link is None or link["id"] == newest["id"]
    return not is_newest or bool(cache.get(f"signin:taken:{newest['id']}"))


def give_back(redeemed: Redeemed) -> None:
    """Let a challenge be taken once more: what it was taken for could not be done."""
    cache.delete(f"signin:taken:{redeemed.challenge}")


def void(address: str) -> None:
    """Make an address's link and code good for nothing. While Redis is down they are not: that is logged."""
    try:
        cache.delete(f"signin:challenge:{account_key(address)}")
    except (RedisError, ConnectionInterrupted):
        logger.warning("challenge_not_voided")


def count_wrong_guess(source: str) -> None:
    """Count towards the brake of the whole programme: at most 50 a day from one source.

    Otherwise one hostile computer could switch codes off for everybody.
    """
    mine = count(f"{wrong_guesses()}:{account_key(source)}", DAY_SECONDS)
    if mine <= WRONG_GUESSES_OF_ONE_SOURCE_PER_DAY:
        total = count(wrong_guesses(), DAY_SECONDS)
        if total == WRONG_GUESSES_OF_ALL_PER_DAY:
            logger.error("code_brake_on")
            metrics.code_brake.inc()


def wrong_guesses() -> str:
    return f"signin:wrong:{today()}"


def spend(key: str, budget: int, lifetime: int | None) -> None:
    """Count one guess, and refuse it where the budget is used up."""
    if count(key, lifetime) > budget:
        raise WrongCredential


def count(key: str, lifetime: int | None) -> int:
    """Add one; with a lifetime the counter is made where there is none, else its absence refuses."""
    if lifetime is not None:
        cache.add(key, 0, lifetime)
    try:
        return cache.incr(key)
    except ValueError as error:
        raise WrongCredential from error


def today() -> str:
    return timezone.now().date().isoformat()


def link_hash(token: str, door: Door) -> str:
    """Return the name of a link in the cache.

    Each door but the API's is the key of a MAC (HMAC, RFC 2104): joined to the token, the two could be
    taken apart elsewhere, and one door's link be spelled as another's.
    """
    if door == Door.API:
        return hashlib.sha256(token.encode()).hexdigest()
    return hmac.new(door.encode(), token.encode(), "sha256").hexdigest()


def code_hash(challenge: str, code: str, door: Door) -> str:
    salt = f"authentication.challenges.code.{door}{challenge}"
    return salted_hmac(salt, code, algorithm="sha256").hexdigest()
