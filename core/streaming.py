"""Answers that are no JSON, and are sent piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.http import FileResponse, StreamingHttpResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class InPieces(StreamingHttpResponse):
    """Never whole in memory. Under ASGI Django would read it to its end first, and warn."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: Any = iter(self)
        following: Any = sync_to_async(next)
        while (piece := await following(pieces, None)) is not None:
            yield piece


class StoredFileResponse(InPieces, FileResponse):
    """A stored file."""

    block_size = 65_536
