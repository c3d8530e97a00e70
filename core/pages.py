"""What pages need and a call by token does not: sessions, forms that carry a token, messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware

from core.middleware import is_api

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase


class PassesTokens:
    """Lets a call of the API that brings a token of its own pass by: nobody looks at its cookies."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.META.get("HTTP_AUTHORIZATION", "")[:7].lower() == "bearer " and is_api(request):
            passed: Any = self.get_response(request)  # type: ignore[attr-defined]
            return passed  # type: ignore[no-any-return]
        answered: Any = super().__call__(request)  # type: ignore[misc]
        return answered  # type: ignore[no-any-return]


class PageSessions(PassesTokens, SessionMiddleware):
    """Sessions of the admin site."""


class PageUsers(PassesTokens, AuthenticationMiddleware):
    """Whom a session belongs to."""


class PageMessages(PassesTokens, MessageMiddleware):
    """What a page tells on the next one."""
