"""The page behind "Unsubscribe" in a mail, and the one-click way of mail programs (RFC 8058).

GET and HEAD change nothing, since mail scanners follow links: the page has a button, and then one that
undoes it. No cookie counts here, nobody signs in, and the answer is the same whosoever the mail was.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.shortcuts import render
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from core.inbox.serializers import OneClickSerializer
from core.negotiation import WhateverIsAccepted
from core.notifications.unsubscribe import read_token, reader_of_token, subscribe_again, unsubscribe
from core.views import PublicView

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from rest_framework.request import Request

    from core.mail import Reader
    from core.notifications.kinds import Kind

PAGE = {(200, "text/html"): OpenApiTypes.STR}
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
TOKEN = OpenApiParameter(
    "token",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    description="Out of the mail: `List-Unsubscribe`, or the link at its end.",
)


@extend_schema(tags=["Notifications"], parameters=[TOKEN])
class UnsubscribeView(PublicView):
    """The way out of one kind of mail, for whoever holds the mail."""

    content_negotiation_class = WhateverIsAccepted

    @extend_schema(operation_id="unsubscribe_page", summary="Page to end a kind of mail", responses=PAGE)
    def get(self, request: Request, token: str) -> HttpResponse:
        """Show a page with one button, in the language of whose mail it was. Changes nothing."""
        kind = read_token(token)[1]
        return page(request._request, kind, reader_of_token(token))  # noqa: SLF001 - for render

    @extend_schema(
        operation_id="unsubscribe",
        summary="End a kind of mail",
        request=dict.fromkeys(FORMS, OneClickSerializer),
        responses=PAGE,
    )
    def post(self, request: Request, token: str) -> HttpResponse:
        """End one kind of mail to one person, at once and without asking back (RFC 8058).

        Safe to repeat. Mail programs send the form `List-Unsubscribe=One-Click`; nothing depends on it. The
        page's second button sends `again=yes`: then such mail comes again.
        """
        sent = request._request  # noqa: SLF001 - for render
        if asks_for_it_again(sent):
            return page(sent, subscribe_again(token), reader_of_token(token), is_back=True)
        return page(sent, unsubscribe(token), reader_of_token(token), is_ended=True)


def asks_for_it_again(request: HttpRequest) -> bool:
    """Read the page's own form alone: whatever else a mail program may send ends the mail."""
    return request.content_type == FORMS[0] and "again" in request.POST


def page(
    request: HttpRequest, kind: Kind, reader: Reader, *, is_ended: bool = False, is_back: bool = False
) -> HttpResponse:
    """Return the page: a question with a button, or what was done, with the button that undoes it."""
    nonce = secrets.token_urlsafe(16)
    with reader.speaking():
        context = {
            "programme": settings.PROGRAMME_NAME,
            "lang": reader.language,
            "title": _("Unsubscribe"),
            "sentence": sentence(is_ended=is_ended, is_back=is_back) % {"kind": kind.label},
            "button": _("Get them again") if is_ended else _("Unsubscribe"),
            "field": ("again", "yes") if is_ended else ("List-Unsubscribe", "One-Click"),
            "is_done": is_ended or is_back,
            "nonce": nonce,
        }
        response = render(request, "mail/unsubscribe.html", context)
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )
    return response


def sentence(*, is_ended: bool, is_back: bool) -> str:
    """Return what the page says, in the language that is spoken."""
    if is_back:
        return _("You get mail of this kind again: %(kind)s.")
    if is_ended:
        return _("You get no more mail of this kind: %(kind)s.")
    return _("Do you want no more mail of this kind: %(kind)s?")
