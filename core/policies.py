"""What browsers may do with an answer: content security policies and their kin, one for each kind of answer.

A view whose page needs another policy says so itself, and is left as it is: the pages behind mailed links,
with a nonce each, files, the documentation, the sample of a mail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from core.middleware import GetResponse

# JSON, files of calendars, plain error pages: nothing in them is to be loaded or run.
NOTHING: Final = "default-src 'none'; frame-ancestors 'none'"
# Our own files alone: no script or style stands in the page itself.
OWN_FILES: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Swagger writes styles into its page. Its pictures and icons are data.
SWAGGER: Final = OWN_FILES.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
# So does the admin site's library, and its Alpine reads what attributes of our own files say as programs.
# A script in a page does not run here either.
ADMIN_SITE: Final = f"{SWAGGER}; frame-src 'self'".replace(
    "script-src 'self'", "script-src 'self' 'unsafe-eval'"
)
# Redoc does too, and searches in a worker that it makes of a blob.
REDOC: Final = f"{SWAGGER}; worker-src blob:"
# A letter has its styles in its elements, where mail programs look; the admin site shows one in a frame.
LETTER: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"

NO_DEVICES: Final = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
# Files are pictures in pages of the web client, which is another site.
FOR_EVERY_SITE: Final = "/media/"
# What Django shows of an error while DEBUG is on has its styles and scripts in itself.
DEBUG_PAGES: Final = {404, 500}


class PolicyMiddleware:
    """Gives every answer the policies that it does not have yet."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        headers, path = response.headers, request.path_info
        headers.setdefault("Permissions-Policy", NO_DEVICES)
        sites = "cross-origin" if path.startswith(FOR_EVERY_SITE) else "same-origin"
        headers.setdefault("Cross-Origin-Resource-Policy", sites)
        is_page = headers.get("Content-Type", "").startswith("text/html")
        if not (settings.DEBUG and is_page and response.status_code in DEBUG_PAGES):
            policy = ADMIN_SITE if path.startswith("/admin/") else NOTHING
            headers.setdefault("Content-Security-Policy", policy)
        return response
