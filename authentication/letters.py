"""What sign-in writes to people, in the language that is spoken where it is called."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from authentication.models import SignInSession
from core.mail import Fact, Letter
from core.notifications.kinds import Kind, Told


def sign_in_letter(token: str, code: str) -> Letter:
    """Write the letter. Its two facts are lines that clients and tests look for, in every language."""
    minutes = max(1, settings.MAGIC_LINK_EXPIRY_SECONDS // 60)
    expiry = ngettext("Both expire in %(minutes)d minute.", "Both expire in %(minutes)d minutes.", minutes)
    return Letter(
        subject=_("Sign in to %(programme)s") % {"programme": settings.PROGRAMME_NAME},
        opening=_("Use the link or the code to sign in. Each works once."),
        facts=(
            Fact(
                "Magic Link",
                f"{settings.FRONTEND_BASE_URL.rstrip('/')}/auth/verify?token={token}",
                action=_("Sign in"),
            ),
            Fact("One-Time Code", code, is_code=True),
        ),
        closing=expiry % {"minutes": minutes}
        + " "
        + _("If you did not ask for this, you can ignore this mail."),
    )


def site_letter(token: str, code: str) -> Letter:
    """Write the letter of the admin site: the same, to another door."""
    letter = sign_in_letter(token, code)
    link, *rest = letter.facts
    address = f"{settings.PUBLIC_BASE_URL}/admin/sign-in/?token={token}"
    return replace(
        letter,
        subject=_("Sign in to the admin site of %(programme)s") % {"programme": settings.PROGRAMME_NAME},
        facts=(replace(link, value=address), *rest),
    )


def proof_letter(token: str, code: str) -> Letter:
    """Write to somebody at work there. There is no link: it would open another window than theirs."""
    minutes = max(1, settings.MAGIC_LINK_EXPIRY_SECONDS // 60)
    expiry = ngettext("It expires in %(minutes)d minute.", "It expires in %(minutes)d minutes.", minutes)
    warning = _("If you did not ask for this, somebody may be at your desk: tell the programme team.")
    return Letter(
        subject=_("Confirm that it is you: %(programme)s") % {"programme": settings.PROGRAMME_NAME},
        opening=_("Type this code at the admin site to go on. It works once."),
        facts=(Fact("One-Time Code", code, is_code=True),),
        closing=f"{expiry % {'minutes': minutes}} {warning}",
    )


def token_reuse_letter(device: str) -> Letter:
    """Tell a person that one of their sessions was ended because an old token of it came back."""
    opening = _(
        "A session of yours (%(device)s) was ended, because a key of it that had been replaced was used "
        "again. Somebody may have copied it."
    )
    return Letter(
        subject=_("A session of your %(programme)s account was ended")
        % {"programme": settings.PROGRAMME_NAME},
        opening=opening % {"device": device or _("unknown device")},
        closing=_("Sign in again to go on. If this happens again, tell the programme team."),
    )


def session_ended(told: Told) -> Letter:
    """Say the same without naming the device: a list asks nothing of the database."""
    opening = _(
        "A session of yours was ended, because a key of it that had been replaced was used again. "
        "Somebody may have copied it."
    )
    return replace(token_reuse_letter(""), opening=opening)


def session_ended_mail(told: Told) -> Letter:
    sessions = SignInSession.objects.filter(pk=told.data["session"], user=told.person)
    return token_reuse_letter(sessions.values_list("device", flat=True).first() or "")


def sign_in_words(told: Told) -> Letter:
    """Name the mail. What it said is kept nowhere."""
    return replace(sign_in_letter("", ""), facts=())


SESSION_ENDED: Final = Kind(
    name="session_ended",
    label=gettext_lazy("A session that was ended"),
    write=session_ended,
    mail=session_ended_mail,
    is_mandatory=True,
    priority=20,
)
SIGN_IN: Final = Kind(
    name="sign_in",
    label=gettext_lazy("Sign-in"),
    write=sign_in_words,
    is_mandatory=True,
    in_inbox=False,
)
