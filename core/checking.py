"""What clients send, checked by a serializer that is made once in a process and not once a request."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import ValidationError

if TYPE_CHECKING:
    from rest_framework.serializers import Serializer


def checked(kind: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """Return the validated values. Raises ValidationError (400), just as ``is_valid`` does.

    For serializers that know neither a request nor what they change: of those, one can serve all threads.
    """
    try:
        return dict(shared(kind).run_validation(data))
    except ValidationError:
        # Once more, by the framework's own road: its errors have a form of their own.
        body = kind(data=data)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)


@lru_cache
def shared(kind: type[Serializer[Any]]) -> Serializer[Any]:
    serializer = kind()
    _ = serializer.fields  # made now, and not by two threads at once
    return serializer
