"""What is written to people about their account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.mail import Fact, Letter
from core.notifications.kinds import Kind, Told
from users.services.standing import KIND, Change, still_stands

if TYPE_CHECKING:
    from collections.abc import Callable


def standing_letter(told: Told) -> Letter:
    return WORDS[Change(told.data["change"])]()


def standing_mail(told: Told) -> Letter | None:
    """Write the mail, where nothing newer is to be told, and what it says is what the account is now."""
    is_so = still_stands(Change(told.data["change"]), told.person.pk, delivery_id=told.delivery_id)
    return standing_letter(told) if is_so else None


def approved() -> Letter:
    return Letter(
        subject=_("Your %(programme)s account has been approved") % programme(),
        opening=_("Welcome. Your account has been approved."),
        facts=(sign_in(),),
    )


def suspended() -> Letter:
    """Say what it means and whom to ask. Why is between people, and not for a mail."""
    return Letter(
        subject=_("Your %(programme)s account is not active at the moment") % programme(),
        opening=_("Your account has been paused. Until it is opened again, you cannot sign in."),
        closing=_("If you have questions, or think that this is a mistake, please ask the programme team."),
    )


def reopened() -> Letter:
    return Letter(
        subject=_("Your %(programme)s account is open again") % programme(),
        opening=_("You can sign in again. Seats at events may have been given to others in the meantime."),
        facts=(sign_in(),),
    )


def programme() -> dict[str, str]:
    return {"programme": settings.PROGRAMME_NAME}


def sign_in() -> Fact:
    return Fact(_("Sign-in page"), f"{settings.FRONTEND_BASE_URL.rstrip('/')}/#/login", action=_("Sign in"))


WORDS: Final[dict[Change, Callable[[], Letter]]] = {
    Change.APPROVED: approved,
    Change.SUSPENDED: suspended,
    Change.REOPENED: reopened,
}

ACCOUNT_STATUS: Final = Kind(
    name=KIND,
    label=gettext_lazy("Your account"),
    write=standing_letter,
    mail=standing_mail,
    is_mandatory=True,
    reaches_suspended=True,
    priority=10,
)
