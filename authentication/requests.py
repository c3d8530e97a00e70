"""The JWT of a request, and who sent it: user and session in one query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import models
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from authentication.models import SignInSession
from authentication.tokens import InvalidToken, read_access
from core.prepared import Prepared, Slot

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from authentication.tokens import Claims
    from users.models import User

KEYWORD: Final = b"bearer"
NUMBER: Final = models.BigIntegerField()


def live_session() -> QuerySet[SignInSession]:
    sessions = SignInSession.objects.live().order_by()
    return sessions.filter(pk=Slot("session", NUMBER), user=Slot("user", NUMBER)).select_related("user")


LIVE_SESSION: Final = Prepared(live_session)


def session_of(token: str) -> SignInSession:
    """Return the live session of an access token, with its user. Raises InvalidToken (401).

    The one door for requests and sockets: the session must not have ended, and its user must
    pass the account-status gate now.
    """
    return session_by(read_access(token))


def session_by(claims: Claims) -> SignInSession:
    """Do the same for a token that has been read just now."""
    session: SignInSession | None = LIVE_SESSION.object(session=claims.session_id, user=claims.user_id)
    if session is None or not session.user.may_enter:
        raise InvalidToken
    return session


def bearer_of(request: Request) -> bytes | None:
    """Return what stands behind ``Bearer`` in the header; None where there is no such header."""
    scheme, _, token = get_authorization_header(request).partition(b" ")
    return token.strip() if scheme.lower() == KEYWORD else None


class SessionTokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <access token>``; ``request.auth`` is the session."""

    def authenticate(self, request: Request) -> tuple[User, SignInSession] | None:
        token = bearer_of(request)
        if token is None:
            return None
        try:
            session = session_of(token.decode("ascii"))
        except (InvalidToken, UnicodeDecodeError) as error:
            raise AuthenticationFailed(InvalidToken.sentence, InvalidToken.code) from error
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'
