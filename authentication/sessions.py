"""The life of a sign-in session: opened, refreshed, ended. The account-status gate is asked here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from django.db import transaction
from django.utils import timezone
from rest_framework_simplejwt.settings import api_settings

from authentication.devices import device_label
from authentication.models import RefreshToken, SignInSession
from authentication.tokens import InvalidToken, Pair, pair_for, read_refresh
from core import audit
from core.notifications.notices import notify
from core.realtime import UNAUTHENTICATED, close_sockets, room_of_user
from users.services.accounts import end_access

if TYPE_CHECKING:
    import uuid
    from datetime import datetime, timedelta

    from users.models import User


@transaction.atomic
def open_session(user: User, *, user_agent: str) -> Pair:
    """Start a session for somebody who has proved who they are."""
    now = timezone.now()
    session = SignInSession.objects.create(
        user=user,
        device=device_label(user_agent),
        created_at=now,
        last_seen_at=now,
        expires_at=now + lifetime(),
    )
    user.last_login = now
    user.save(update_fields=["last_login"])
    audit.record("signed_in", actor=user, target=session)
    return pair_for(user, session, new_token(session, now))


def refresh_session(text: str) -> Pair:
    """Trade a refresh token for a new pair. Raises InvalidToken (401).

    Each token is traded once. Used again within REFRESH_GRACE_SECONDS it yields the same
    successor, since clients refresh in parallel; used again later, somebody has stolen it:
    the whole session ends, and its owner is told (RFC 9700, 4.14.2).
    """
    session_id, jti = read_refresh(text)
    session = SignInSession.objects.live().select_related("user").filter(pk=session_id).first()
    if session is None or not session.user.may_enter:
        raise InvalidToken
    successor = rotate(session, jti)
    if successor is None:
        raise InvalidToken
    return pair_for(session.user, session, successor)


@transaction.atomic
def rotate(session: SignInSession, jti: uuid.UUID) -> RefreshToken | None:
    """Return the token that follows ``jti``; None where there is none to be had.

    Of any number of callers one wins the conditional UPDATE and makes the successor; the
    others wait for its commit on the session's lock, then read what it made. The session is
    locked before its tokens, in the order in which an erasure takes them away.
    """
    live = SignInSession.objects.select_for_update(no_key=True).filter(pk=session.pk, revoked_at=None)
    if live.first() is None:
        return None
    now = timezone.now()
    newest = RefreshToken.objects.filter(session=session, pk=jti, rotated_at=None)
    if newest.update(rotated_at=now):
        successor = new_token(session, now)
        RefreshToken.objects.filter(pk=jti).update(successor=successor)
        SignInSession.objects.filter(pk=session.pk).update(last_seen_at=now, expires_at=successor.expires_at)
        return successor
    used = RefreshToken.objects.select_related("successor").filter(session=session, pk=jti).first()
    if used is None:
        return None
    if used.in_grace(now):
        return used.successor
    if end_session(session, reason="refresh_reuse"):
        family = str(session.pk)
        notify("session_ended", subject=family, data={"session": session.pk}, to=[session.user_id])
    return None


def new_token(session: SignInSession, now: datetime) -> RefreshToken:
    return RefreshToken.objects.create(session=session, issued_at=now, expires_at=now + lifetime())


def lifetime() -> timedelta:
    return cast("timedelta", api_settings.REFRESH_TOKEN_LIFETIME)


@transaction.atomic
def end_session(session: SignInSession, *, reason: str, by: User | None = None) -> bool:
    """End one session; its access and refresh tokens die at once, its sockets after the commit.

    False where it had ended before: of several callers at once, one ends it.
    """
    ended = bool(SignInSession.objects.filter(pk=session.pk).revoke_all())
    if ended:
        audit.record(reason, actor=by, target=session)
        close_on_commit(session.user_id, session=session.pk)
    return ended


@transaction.atomic
def end_all_sessions(user: User) -> None:
    """End every session of a person."""
    SignInSession.objects.filter(user=user).revoke_all()
    close_on_commit(user.pk)


@transaction.atomic
def sign_out_everywhere(user: User) -> None:
    """End every session of a person, also at the admin site, at their own wish."""
    end_access(user)
    audit.record("signed_out_everywhere", actor=user, target=user)


def log_out(text: str) -> None:
    """End the session that a refresh token belongs to; any other text ends nothing."""
    try:
        session_id, _ = read_refresh(text)
    except InvalidToken:
        return
    session = SignInSession.objects.live().select_related("user").filter(pk=session_id).first()
    if session is not None:
        end_session(session, reason="signed_out", by=session.user)


def close_on_commit(user_id: int, *, session: int | None = None) -> None:
    close = partial(close_sockets, room=room_of_user(user_id), code=UNAUTHENTICATED, session=session)
    transaction.on_commit(close)
