"""A stored file as an answer: from here, by the proxy, or by the bucket itself (D15)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header

from core.refusals import Missing, Unavailable
from core.streaming import StoredFileResponse
from core.uploads.files import bucket_client, in_bucket, is_in_bucket, open_part
from core.uploads.store import STORAGE_ERRORS

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from core.models import Upload
    from core.uploads.files import Part

# Of one span only: who asks for several at once gets the whole file, as RFC 9110, 14.2 lets us.
SPAN: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
PRESIGNED_SECONDS: Final = 300
FILES_LOCATION: Final = "/_files/"
BUCKET_LOCATION: Final = "/_bucket/"
POLICY: Final = "sandbox; default-src 'none'"


def answer_with(upload: Upload, request: HttpRequest) -> HttpResponseBase:
    """Return the file, a part of it (206), 304 or 416. Raises Missing (404) and Unavailable (503).

    FILE_DELIVERY says who sends the bytes: ``direct`` this process, ``accel`` the proxy in front of it,
    ``redirect`` the bucket, by an address that lives for five minutes.
    """
    if settings.FILE_DELIVERY == "redirect" and is_in_bucket():
        # Never kept: the address has died when it would be used again.
        return HttpResponseRedirect(presigned(upload), headers={"Cache-Control": "no-store"})
    etag = f'"{upload.key.rpartition("/")[2].partition(".")[0]}"'
    unchanged = get_conditional_response(request, etag=etag)
    response = unchanged if unchanged is not None else sent(upload, request, etag)
    for name, value in headers_of(upload, etag).items():
        response.headers[name] = value
    return response


def headers_of(upload: Upload, etag: str) -> dict[str, str]:
    """Return what makes a browser save the file and never run it; it asks again before it shows a copy."""
    return {
        "Content-Disposition": disposition(upload),
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
        "ETag": etag,
    }


def disposition(upload: Upload) -> str:
    return content_disposition_header(as_attachment=True, filename=upload.filename) or "attachment"


def sent(upload: Upload, request: HttpRequest, etag: str) -> HttpResponseBase:
    return by_proxy(upload) if settings.FILE_DELIVERY == "accel" else from_here(upload, request, etag)


def presigned(upload: Upload) -> str:
    """Return an address in the bucket that says itself how the file is to be handled.

    Not ``default_storage.url``, which signs nothing where the bucket has a name of its own.
    """
    said = {"ResponseContentDisposition": disposition(upload), "ResponseContentType": upload.mime_type}
    named = {**in_bucket(upload.key), **said}
    return str(bucket_client().generate_presigned_url("get_object", named, PRESIGNED_SECONDS))


def by_proxy(upload: Upload) -> HttpResponse:
    """Have NGINX send the file: it knows the folder, or the bucket, by these locations."""
    if is_in_bucket():
        parts = urlsplit(presigned(upload))
        location = f"{BUCKET_LOCATION}{parts.netloc}{parts.path}?{parts.query}"
    else:
        location = f"{FILES_LOCATION}{quote(upload.key)}"
    return HttpResponse(content_type=upload.mime_type, headers={"X-Accel-Redirect": location})


def from_here(upload: Upload, request: HttpRequest, etag: str) -> HttpResponseBase:
    asked = span_of(request, upload.size, etag)
    if asked is not None and len(asked) == 0:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{upload.size}"})
    span = range(upload.size) if asked is None else asked
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(len(span))}
    if asked is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{upload.size}"
    status = 200 if asked is None else 206
    if request.method == "HEAD":
        return HttpResponse(status=status, content_type=upload.mime_type, headers=headers)
    part: Any = opened(upload.key, span)
    return StoredFileResponse(part, status=status, content_type=upload.mime_type, headers=headers)


def opened(key: str, span: range) -> Part:
    """Open a part of a file to be sent. Raises Missing (404) and Unavailable (503)."""
    try:
        return open_part(key, span.start, len(span))
    except FileNotFoundError as error:
        raise Missing from error
    except STORAGE_ERRORS as error:
        raise Unavailable from error


def span_of(request: HttpRequest, size: int, etag: str) -> range | None:
    """Return the bytes that are asked for: none of them that we have is an empty range, all of them None."""
    asked = SPAN.fullmatch(request.headers.get("Range", ""))
    if asked is None or request.headers.get("If-Range", etag) != etag or not any(asked.groups()):
        return None
    first, last = asked.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(min(int(first), size), min(size, int(last) + 1) if last else size)


def begins_download(request: HttpRequest) -> bool:
    """Tell whether somebody starts to read a file, and does not look at it or go on."""
    span = SPAN.fullmatch(request.headers.get("Range", ""))
    return request.method == "GET" and (span is None or span[1] in {"", "0"})
