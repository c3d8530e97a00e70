"""What happens to every request before a view sees it, and to every error after."""

from __future__ import annotations

import re
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.urls import Resolver404, resolve

from core.exceptions import response_for
from core.http import client_address
from core.logs import current_address, current_request_id
from core.refusals import TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

    GetResponse = Callable[[HttpRequest], HttpResponseBase]

REMEMBERED_LENGTH = 200  # characters of a path: nobody fills the memory with long ones
FOREIGN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def is_api(request: HttpRequest) -> bool:
    """Tell whether a path answers JSON whatever happens."""
    return request.path_info == "/api" or request.path_info.startswith("/api/")


class RequestIdMiddleware:
    """Names the request: the proxy's X-Request-ID where it is well-formed, else a new one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        name = given if FOREIGN_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = name  # type: ignore[attr-defined]
        # Not reset afterwards: Django logs an error response once all middleware is through.
        current_request_id.set(name)
        current_address.set(client_address(request))
        response = self.get_response(request)
        response.headers["X-Request-ID"] = name
        return response


class EitherSlashMiddleware:
    """Serves both slash forms of an API path by the one in the URLconf, without a redirect.

    A redirect would break a CORS preflight and drop the body of a POST.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_api(request):
            form = remembered_form if len(request.path_info) <= REMEMBERED_LENGTH else served_form
            request.path_info = form(request.path_info, settings.ROOT_URLCONF)
        return self.get_response(request)


def served_form(path: str, _urlconf: str) -> str:
    """Return the form of a path that some route has; the path itself where there is none."""
    if is_route(path):
        return path
    twin = path.removesuffix("/") if path.endswith("/") else f"{path}/"
    return twin if is_route(twin) else path


remembered_form = lru_cache(maxsize=4096)(served_form)


def is_route(path: str) -> bool:
    try:
        return resolve(path).url_name != "unknown-path"
    except Resolver404:
        return False


class BodyLimitMiddleware:
    """Refuses a body that says it is larger than anything we take, before a byte of it is read."""

    MULTIPART_OVERHEAD_BYTES = 1024 * 1024

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Eighteen digits say enough: int() refuses thousands of them with a ValueError.
        length = request.headers.get("Content-Length", "")[:18]
        if is_api(request) and length.isdecimal() and int(length) > self.limit(request):
            return response_for(TooLarge(), request)
        return self.get_response(request)

    def limit(self, request: HttpRequest) -> int:
        if request.content_type == "multipart/form-data":
            return int(settings.FILE_UPLOAD_MAX_BYTES) + self.MULTIPART_OVERHEAD_BYTES
        return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


class ApiEdgeMiddleware:
    """What every answer under ``/api/`` shares: errors are JSON, and no cache keeps a child's data.

    A view that says ``Cache-Control`` itself is left as it is.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_api(request):
            return self.get_response(request)
        try:
            request.get_host()
        except DisallowedHost as error:
            return response_for(error, request)
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        return response_for(error, request) if is_api(request) else None
