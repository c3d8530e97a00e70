"""NUL characters, which no page of the admin site sends."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.core.exceptions import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, QueryDict


def without_nul(view: Callable[..., Any]) -> Callable[..., Any]:
    """Guard a view: a NUL in address or form is a 400.

    PostgreSQL's texts have none: its driver raises ValueError wherever one is compared or written.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if "\0" in request.path_info or any(map(has_nul, (request.GET, request.POST))):
            raise BadRequest("A NUL character.")
        return view(request, *args, **kwargs)

    return guarded


def has_nul(sent: QueryDict) -> bool:
    return any("\0" in text for name, values in sent.lists() for text in (name, *values))
