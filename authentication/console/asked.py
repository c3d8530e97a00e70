"""Who asked for a mail in this browser, in a sealed cookie: no row waits for whoever never comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.urls import reverse

from authentication.console.pages import keep
from core.sealing import Unreadable, seal, unseal

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

COOKIE: Final = "btf_asked"
PURPOSE: Final = "asked at the admin site"


@dataclass(frozen=True)
class Asked:
    """An address to which a code may have gone, and the page that was wanted."""

    address: str
    next: str


def asked_in(request: HttpRequest) -> Asked | None:
    """Read the cookie; None where nobody asked lately."""
    try:
        found = unseal(request.COOKIES.get(COOKIE, ""), purpose=PURPOSE)
    except Unreadable:
        return None
    return Asked(found["address"], found["next"])


def remember_asking(response: HttpResponseBase, asked: Asked) -> None:
    keep(response, COOKIE, seal({"address": asked.address, "next": asked.next}, purpose=PURPOSE))


def forget_asking(response: HttpResponseBase) -> None:
    response.delete_cookie(COOKIE, path=reverse("admin:index"))
