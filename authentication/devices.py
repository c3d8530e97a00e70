"""How a browser is told apart from another: by name for people, by a signed cookie for guess budgets."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from ua_parser import parse

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

COOKIE: Final = "btf_browser"
COOKIE_DAYS: Final = 180
API_PATH: Final = "/api/auth/"
ACCOUNTS_PER_BROWSER: Final = 8
signer = TimestampSigner(salt="authentication.devices")


def device_label(user_agent: str) -> str:
    """Return "Firefox on Windows", or what of it is known; blank for a program that says nothing."""
    known = parse(user_agent[:512])
    names = [part.family for part in (known.user_agent, known.os) if part and part.family]
    return " on ".join(names)[:100] or user_agent.partition("/")[0][:40]


@dataclass(frozen=True)
class Browser:
    """A browser in which people have signed in before: its own id, and whose accounts (by key)."""

    id: str
    accounts: tuple[str, ...]

    def knows(self, account: str) -> bool:
        return account in self.accounts


def browser_of(request: HttpRequest) -> Browser | None:
    """Read the cookie; None for a browser that we do not know, or that forged it."""
    try:
        text = signer.unsign(request.COOKIES.get(COOKIE, ""), max_age=COOKIE_DAYS * 86_400)
    except BadSignature:
        return None
    name, *accounts = text.split(".")
    return Browser(name, tuple(accounts))


def remember(
    response: HttpResponseBase, browser: Browser | None, account: str, *, path: str = API_PATH
) -> None:
    """Let the browser keep that this account signed in here, below ``path``. The cookie authenticates nobody.

    The web client is another site than the API; the admin site is its own.
    """
    known = browser.accounts if browser else ()
    accounts = [account, *(each for each in known if each != account)][:ACCOUNTS_PER_BROWSER]
    name = browser.id if browser else uuid.uuid4().hex
    response.set_cookie(
        COOKIE,
        signer.sign(".".join([name, *accounts])),
        max_age=COOKIE_DAYS * 86_400,
        path=path,
        httponly=True,
        secure=settings.PRODUCTION,
        samesite="None" if settings.PRODUCTION and path == API_PATH else "Lax",
    )
