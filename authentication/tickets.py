"""Tickets for sockets: an access token, for one handshake, under a name that opens nothing else."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Final

from django.core.cache import cache

from authentication.tokens import InvalidToken
from core.limits import counters
from core.sealing import Unreadable, seal, unseal

TICKET_SECONDS: Final = 30
PURPOSE: Final = "socket ticket"


def issue_ticket(access: str, *, user_agent: str) -> str:
    """Return a ticket that for 30 seconds stands for the access token, once, in a socket of that browser.

    The cache learns neither: it keeps the token sealed by the ticket, under the ticket's digest. Nor can
    whoever writes there make one up, for the token in it is signed. Raises Redis's errors.
    """
    ticket = secrets.token_urlsafe(32)
    sealed = seal([access, digest(user_agent)], purpose=PURPOSE, key=ticket)
    cache.set(key_of(ticket), sealed, TICKET_SECONDS)
    return ticket


def redeem_ticket(ticket: str, *, user_agent: str) -> str:
    """Use a ticket up, and return the access token that it stands for. Raises InvalidToken (401).

    Of any number of callers one has it: whose ``delete`` found it there. A try from another browser uses it
    up as well. Raises Redis's errors, and Resting.
    """
    key = key_of(ticket)
    with counters.asking():
        sealed = cache.get(key)
        is_ours = bool(sealed) and bool(cache.delete(key))
    if not is_ours:
        raise InvalidToken
    try:
        access, browser = unseal(sealed, purpose=PURPOSE, key=ticket)
    except Unreadable as error:
        raise InvalidToken from error
    if browser != digest(user_agent):
        raise InvalidToken
    return str(access)


def key_of(ticket: str) -> str:
    return f"ticket:{digest(ticket)}"


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
