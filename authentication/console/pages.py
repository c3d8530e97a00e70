"""What the pages at the door of the admin site share: their look, their refusals, and where they lead."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from django.conf import settings
from django.contrib import admin
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

from authentication.challenges import WrongCredential, account_key, redeem_code
from authentication.devices import browser_of
from core.http import client_source
from core.refusals import Refused, TooMany, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django import forms
    from django.http import HttpRequest, HttpResponseBase
    from rest_framework.request import Request

    from authentication.challenges import Door, Redeemed
    from core.throttling import PerSource

WRONG_CODE: Final = "This code is wrong, used or too old. Type it again, or ask for a new one."
LONGEST_NEXT: Final = 1_000  # characters: it waits in a cookie


@dataclass(frozen=True)
class Way:
    """One form of a page: where it is sent, and what its button says."""

    button: str
    action: str
    form: forms.Form | None = None
    does: str = ""
    is_main: bool = True


# In one place for all of them: nothing is kept by caches, and no error report tells what was typed.
@method_decorator([never_cache, sensitive_post_parameters(), csrf_protect], name="dispatch")
class DoorPage(View):
    """A page that also whoever is not signed in may open."""

    heading: ClassVar[str] = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer; a rule's refusal, or a store that is away, is told on the same page."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except (RedisError, ConnectionInterrupted):
            return self.refused(Unavailable())
        except Refused as refusal:
            return self.refused(refusal)

    def ways(self) -> list[Way]:
        """Return the forms of the page, for whoever asks for it."""
        raise NotImplementedError

    def words(self) -> list[str]:
        return []

    def links(self) -> list[tuple[str, str]]:
        return []

    def page(self, ways: list[Way] | None = None, *, error: str = "", status: int = 200) -> TemplateResponse:
        context = {
            **admin.site.each_context(self.request),
            "title": self.heading,
            "site_title": settings.PROGRAMME_NAME,
            "words": self.words(),
            "ways": self.ways() if ways is None else ways,
            "links": self.links(),
            "error": error,
        }
        return TemplateResponse(self.request, "authentication/console/door.html", context, status=status)

    def refused(self, refusal: Refused) -> HttpResponseBase:
        response = self.page(error=refusal.message, status=refusal.status)
        if isinstance(refusal, (TooMany, Unavailable)):
            response.headers["Retry-After"] = str(refusal.retry_after)
        return response

    def within(self, budget: type[PerSource]) -> None:
        """Take one place of what a source may ask for: the same as over the API. Raises TooMany (429)."""
        throttle = budget()
        if not throttle.allow_request(cast("Request", self.request), cast("Any", self)):
            raise TooMany(throttle.seconds)

    @property
    def next(self) -> str:
        """Where people wanted to go, where that is an address of ours; else the first page."""
        return safe_next(self.request, self.request.GET.get("next", ""))

    def keeping_next(self, name: str, **query: str) -> str:
        """Return the address of another of these pages that leads to the same place."""
        return f"{reverse(name)}?{urlencode({'next': self.next, **query})}"


@contextmanager
def about_a_code() -> Iterator[None]:
    """Say so where what follows is refused, for whichever reason: the words are the same for all of them."""
    try:
        yield
    except WrongCredential as refusal:
        raise WrongCredential(WRONG_CODE) from refusal


def take_code(request: HttpRequest, code: str, *, address: str, door: Door) -> Redeemed:
    """Take the challenge of an address by its code, within all budgets. Raises WrongCredential (400)."""
    browser = browser_of(request)
    known = browser.id if browser and browser.knows(account_key(address)) else None
    return redeem_code(address, code, browser=known, source=client_source(request), door=door)


def safe_next(request: HttpRequest, text: str) -> str:
    """Return an address on this host that begins with a slash; anything else is the first page."""
    is_ours = url_has_allowed_host_and_scheme(
        text, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if is_ours and text.startswith("/") and len(text) <= LONGEST_NEXT:
        return text
    return reverse("admin:index")


def go(text: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(text)


def keep(response: HttpResponseBase, name: str, value: str) -> None:
    """Set a cookie of the admin site, for as long as a code is good."""
    response.set_cookie(
        name,
        value,
        max_age=settings.MAGIC_LINK_EXPIRY_SECONDS,
        path=reverse("admin:index"),
        httponly=True,
        secure=settings.PRODUCTION,
        samesite="Lax",
    )
