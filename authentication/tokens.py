"""The JWT pair: what simplejwt signs and verifies, and what each claim means."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.utils import timezone
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, Token
from rest_framework_simplejwt.tokens import RefreshToken as SignedRefresh

from core.refusals import SignedOut

if TYPE_CHECKING:
    from authentication.models import RefreshToken, SignInSession
    from users.models import User

LONGEST_TOKEN = 4_096
TOKENS_KEPT = 4_096  # a process, some 800 bytes each
FOREIGN_CLAIMS = frozenset({"iss", "aud"})  # ours name neither: what does was made by, or for, somebody else


class InvalidToken(SignedOut):
    """A token that is not ours, run out, of the other type, or whose session has ended (401)."""


class KeyRing(TokenBackend):
    """Signs with SECRET_KEY; verifies with the keys it replaced too, so that sessions survive a rotation."""

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - the library's
        older = [TokenBackend("HS256", key).decode for key in settings.SECRET_KEY_FALLBACKS]
        *others, last = [super().decode, *older]
        for decode in others:
            with suppress(TokenBackendError):
                return decode(token, verify)
        return last(token, verify)


@lru_cache(maxsize=2)
def ring_of(key: str) -> KeyRing:
    return KeyRing("HS256", key)


class OurKeys:
    """Looks the keys up at each use, as Django does for its own signatures."""

    def get_token_backend(self) -> TokenBackend:
        return ring_of(settings.SECRET_KEY)


class OurAccess(OurKeys, AccessToken):
    """An access token."""


class OurRefresh(OurKeys, SignedRefresh):  # type: ignore[misc]  # the library's own bases disagree
    """A refresh token."""


@dataclass(frozen=True)
class Pair:
    """What a client holds."""

    access: str
    refresh: str


def pair_for(user: User, session: SignInSession, row: RefreshToken) -> Pair:
    """Encode a pair. The refresh token depends on its row alone: the same row is the same text."""
    refresh = OurRefresh()
    refresh.set_exp(from_time=row.expires_at, lifetime=row.expires_at - row.expires_at)
    refresh.set_iat(at_time=row.issued_at)
    refresh["jti"] = row.jti.hex
    refresh["user_id"] = user.pk
    refresh["sid"] = session.pk
    return Pair(access=access_for(user, session), refresh=str(refresh))


def access_for(user: User, session: SignInSession) -> str:
    """Encode an access token. Role, track and status are for clients: rights are read from the row."""
    access = OurAccess()
    access["user_id"] = user.pk
    access["sid"] = session.pk
    access["role"], access["track"], access["status"] = user.role, user.track, user.status
    return str(access)


class Claims(NamedTuple):
    """What a valid access token says; ``expires_at`` in seconds since 1970."""

    user_id: int
    session_id: int
    expires_at: float


def read_access(text: str) -> Claims:
    """Return what a valid access token says. Raises InvalidToken (401)."""
    claims = signed_claims(text, settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS))
    if claims.expires_at <= timezone.now().timestamp():
        raise InvalidToken
    return claims


@lru_cache(TOKENS_KEPT)
def signed_claims(text: str, _key: str, _older_keys: tuple[str, ...]) -> Claims:
    """Return what a token says that these keys verify. Raises InvalidToken (401), which is not kept.

    A client sends the same token for an hour. That we signed it stays true; whether it has run out, and
    whether its session has ended, is asked each time.
    """
    token = decoded(text, OurAccess)
    return Claims(whole(token, "user_id"), whole(token, "sid"), float(token["exp"]))


def read_refresh(text: str) -> tuple[int, uuid.UUID]:
    """Return session id and token id of a valid refresh token. Raises InvalidToken (401)."""
    token = decoded(text, OurRefresh)
    try:
        return whole(token, "sid"), uuid.UUID(hex=str(token.get("jti")))
    except ValueError as error:
        raise InvalidToken from error


def decoded(text: str, kind: type[Token]) -> Token:
    if len(text) > LONGEST_TOKEN:
        raise InvalidToken
    try:
        token = kind(text)  # type: ignore[arg-type]  # the stubs say Token, the library takes text
    except TokenError as error:
        raise InvalidToken from error
    if FOREIGN_CLAIMS & token.payload.keys():
        raise InvalidToken
    return token


def whole(token: Token, claim: str) -> int:
    value = token.get(claim)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
        raise InvalidToken
    return value
