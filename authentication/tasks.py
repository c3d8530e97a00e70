"""What sign-in does in the background: its mails, and pruning what has run out."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone

from authentication.admission import may_sign_in
from authentication.letters import sign_in_letter, token_reuse_letter
from authentication.models import SignInSession
from authentication.services import SEAL_PURPOSE
from core import mail
from core.periodic import periodic
from core.sealing import Unreadable, unseal
from core.tasks import Abandoned, background
from users.models import User

KEEP_ENDED_DAYS: Final = 30


@background(queue="sign-in", priority=100, attempts=9)
def mail_sign_in(*, sealed: str) -> None:
    """Mail link and code, where the address may sign in and both are still good.

    Looked up here and not in the request, so that every address costs a request the same.
    """
    try:
        content = unseal(sealed, purpose=SEAL_PURPOSE)
    except Unreadable as error:
        raise Abandoned from error
    if timezone.now().timestamp() < content["expires"] and may_sign_in(content["address"]):
        mail.send(sign_in_letter(content["token"], content["code"]), to=content["address"])


@background(attempts=6)
def warn_of_token_reuse(*, user_id: int, device: str) -> None:
    """Tell a person that one of their sessions was ended because an old token of it came back."""
    user = User.objects.filter(pk=user_id).first()
    if user is None or not user.may_enter:
        return
    mail.send(token_reuse_letter(device), to=user.email)


@periodic("prune_sessions", every=timedelta(hours=24))
def prune_sessions() -> dict[str, int]:
    """Delete sessions that ran out more than 30 days ago, with their tokens."""
    before = timezone.now() - timedelta(days=KEEP_ENDED_DAYS)
    deleted, _ = SignInSession.objects.filter(expires_at__lt=before).delete()
    return {"deleted": deleted}
