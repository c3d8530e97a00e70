"""Conditional requests (RFC 9110, 13): weak ETags of what people read, 304, and 412 on edits.

An ETag stands for what a document says, and not for the signatures of the links in it: see docs/adr/0018.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeGuard

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseNotModified

from core.exceptions import response_for
from core.middleware import is_api
from core.preconditions import PreconditionFailed, expecting
from core.refusals import Missing, Refused
from core.renderers import OrjsonRenderer
from core.uploads.links import HOUR, without_signatures

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request
    from rest_framework.response import Response

    from core.middleware import GetResponse

READS: Final = {"GET", "HEAD"}
EDITS: Final = {"PUT", "PATCH", "DELETE"}
MADE_OR_CHANGED: Final = {200, 201}
DIGITS: Final = 24
# The quoted part alone: what is weak and what is strong is the same here.
NUL: Final = "\0"  # stands in no header
TAG: Final = re.compile(r'(?:W/)?"([\x21\x23-\x7e]*)"')


class NotTags(Refused):
    """A condition that cannot be read is not fulfilled, and not left out either (400)."""

    code = "validation_error"
    sentence = 'Send the ETag of what you have read, such as W/"0f3c", or leave the header out.'


def etag_of(body: bytes) -> str:
    """Return the weak ETag of a JSON body; where links are in it, with the time in which they were signed.

    That changes when a copy's links have lived for half of FILE_LINK_HOURS at most: whoever has one is sent
    the document again while they are still good.
    """
    said, links = without_signatures(body)
    digest = sha256(said).hexdigest()[:DIGITS]
    if not links:
        return f'W/"{digest}"'
    return f'W/"{digest}.{int(time.time()) // (settings.FILE_LINK_HOURS * HOUR // 2)}"'


def tags_in(header: str) -> list[str]:
    """Return the tags of a header, without quotes and ``W/``. Raises NotTags (400) where it holds none."""
    tags, between = TAG.findall(header), TAG.sub(NUL, header).split(",")
    if not tags or any(part.strip(" \t") not in {"", NUL} for part in between):
        raise NotTags(field="If-Match")
    return tags


def says(etag: str) -> str:
    """Return the part of a tag that stands for what a document says."""
    return etag.removeprefix("W/").strip('"').partition(".")[0]


def is_unchanged(etag: str, seen: str) -> bool:
    """Tell whether a document is as somebody has seen it (``If-Match``). Raises NotTags (400)."""
    return seen.strip() == "*" or says(etag) in map(says, tags_in(seen))


def is_copied(etag: str, copies: str) -> bool:
    """Tell whether somebody has a good copy (``If-None-Match``); what cannot be read names none."""
    return copies.strip() == "*" or etag.removeprefix("W/").strip('"') in TAG.findall(copies)


class ETagMiddleware:
    """Gives what a signed-in person reads as JSON its ETag; answers 304 to whoever has it (13.2.2)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not (request.method in READS and is_api(request) and is_document(response)):
            return response
        if not request.user.is_authenticated:
            return response
        response.headers["ETag"] = etag = etag_of(response.content)
        return refused(request, etag) or shortened(request, response, etag)


def is_document(response: HttpResponseBase) -> TypeGuard[HttpResponse]:
    """Tell whether an answer is whole, and JSON: not a stream, a file or a page."""
    is_json = response.headers.get("Content-Type") == "application/json"
    return is_json and response.status_code == 200 and isinstance(response, HttpResponse)  # noqa: PLR2004


def refused(request: HttpRequest, etag: str) -> HttpResponse | None:
    seen = request.headers.get("If-Match")
    try:
        if seen is not None and not is_unchanged(etag, seen):
            raise PreconditionFailed
    except Refused as refusal:
        return response_for(refusal, request)
    return None


def shortened(request: HttpRequest, response: HttpResponse, etag: str) -> HttpResponse:
    """Return 304 with the headers of the answer that it stands for (15.4.5), or the answer itself."""
    if not is_copied(etag, request.headers.get("If-None-Match", "")):
        return response
    short = HttpResponseNotModified()
    for name, value in response.headers.items():
        if not name.startswith("Content-"):
            short.headers[name] = value
    return short


class Tagged:
    """Gives a view's answers to ``tagged`` methods the ETag of the document in them.

    Where a document has no GET of its own, that is how whoever made it learns what to send with an edit.
    """

    request: Any
    tagged: ClassVar[AbstractSet[str]] = {"POST"}

    def document_in(self, data: Any) -> Any:
        """Return the document in an answer; None where it holds less than that."""
        return data

    def document_told(self, data: Any) -> Any:
        """Return the document whose ETag goes with an answer; None for no ETag."""
        return self.document_in(data)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        if request.method in self.tagged and answer.status_code in MADE_OR_CHANGED:
            # What has gone since has no ETag.
            with suppress(Http404, Missing):
                document = self.document_told(answer.data)
                if document is not None:
                    answer.headers["ETag"] = etag_of(OrjsonRenderer().render(document))
        return answer


class Conditional(Tagged):
    """Gives a view's edits ``If-Match``, and their answers the ETag of the document as it is then.

    The services that it calls ``confirm`` when they hold what they change (``core.preconditions``).
    """

    kwargs: Any
    tagged = {"PUT", "PATCH"}

    def current(self) -> Any:
        """Return the document of what is edited, read anew, as GET and edits answer with it."""
        raise NotImplementedError

    def document_told(self, data: Any) -> Any:
        document = self.document_in(data)
        return self.current() if document is None and "If-Match" in self.request.headers else document

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer: Any = super().dispatch  # type: ignore[misc]
        if request.method not in EDITS or "If-Match" not in request.headers:
            response: HttpResponseBase = answer(request, *args, **kwargs)
            return response
        with expecting(self.check) as expectation:
            response = answer(request, *args, **kwargs)
        if response.status_code < 400 and not expectation.is_confirmed:  # noqa: PLR2004 - no refusal
            raise RuntimeError(f"{type(self).__name__} edits what nothing confirms.")
        return response

    def check(self) -> None:
        """Raise PreconditionFailed (412) where the document has changed, NotTags (400) where none is sent."""
        try:
            etag = etag_of(OrjsonRenderer().render(self.current()))
        except (Http404, Missing) as gone:
            raise PreconditionFailed from gone
        if not is_unchanged(etag, self.request.headers["If-Match"]):
            raise PreconditionFailed
