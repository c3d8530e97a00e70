"""The page behind the mailed link, served on the SPA's origin: a button that trades the token.

GET and HEAD change nothing, since mail scanners follow links; some run scripts too, so the page
redeems only on a click that the browser says a person made. The POST answers JSON to the page.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from authentication.views import NO_STORE, VerifyLinkView

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

redeem = VerifyLinkView.as_view(http_method_names=["post"])


# Exempt because no cookie counts here: the token in the body is the only credential.
@method_decorator(csrf_exempt, name="dispatch")
class BridgeView(View):
    """The page at ``/auth/verify?token=...``."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Show the page (200). Sets no cookie and consumes nothing."""
        nonce = secrets.token_urlsafe(16)
        context = {
            "programme": settings.PROGRAMME_NAME,
            "nonce": nonce,
            "home": settings.FRONTEND_BASE_URL.rstrip("/"),
        }
        response = render(request, "authentication/bridge.html", context)
        for name, value in NO_STORE.items():
            response.headers[name] = value
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Trade ``{"token"}`` for the document of ``POST /api/auth/verify/`` (200 or 400)."""
        return redeem(request)
