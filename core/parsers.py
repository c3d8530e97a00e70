"""Bodies in: strict, bounded, never a 500."""

from __future__ import annotations

import re
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Final

import orjson
from django.conf import settings
from django.http import UnreadablePostError
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser

from core.refusals import TooLarge, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NO_ROOM: Final = "Files cannot be received right now. Please try again in a moment."
HUGE_INDEX: Final = re.compile(r"\[[0-9]{10,}\]")


def read_bounded(stream: IO[bytes]) -> bytes:
    """Read a whole body, or raise TooLarge (413) at DATA_UPLOAD_MAX_MEMORY_SIZE bytes.

    REST framework reads past Django's own limit, and a chunked body has no length to check before.
    """
    limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge
    return body


class OrjsonParser(JSONParser):
    """JSON (RFC 8259) whose top level is an object; an empty body is an empty object."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        body = read_bounded(stream)
        if not body.strip():
            return {}
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError("The body is not valid JSON.") from error
        if not isinstance(data, dict):
            raise ValidationError({"non_field_errors": ["The body must be a JSON object."]})
        return data


class BoundedFormParser(FormParser):
    """An urlencoded form, bounded like JSON."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        form = super().parse(BytesIO(read_bounded(stream)), media_type, parser_context or {})
        refuse_huge_indexes(form)
        return form


class BoundedMultiPartParser(MultiPartParser):
    """A form with files; Django bounds what is no file.

    Raises Unavailable (503) where the disk takes no more: what is larger is received there.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            sent = super().parse(stream, media_type, parser_context or {})
        except UnreadablePostError:
            raise  # the client has gone
        except OSError as error:
            raise Unavailable(NO_ROOM) from error
        refuse_huge_indexes(sent.data)
        return sent


def refuse_huge_indexes(names: Iterable[str]) -> None:
    """Refuse ``order[999...]``: Python does not read a number of thousands of digits, and raises."""
    if any(HUGE_INDEX.search(name) for name in names):
        raise ParseError("A field's index is too large.")
