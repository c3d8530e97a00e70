"""Links to stored files, signed as the product signs them: for one viewer, good for hours."""

from __future__ import annotations

import base64
import time
from string import ascii_lowercase, digits
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from benchmarks.peer.environment import FILE_LINK_HOURS, MEDIA_PUBLIC_BASE_URL, signature

if TYPE_CHECKING:
    from starlette.requests import Request

HOUR: Final = 3600
MAC_BYTES: Final = 18
SIGNS: Final = digits + ascii_lowercase


def in_base36(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number, len(SIGNS))
        text = SIGNS[rest] + text
    return text or "0"


class Links:
    """Signs links for one viewer, on the origin by which they came."""

    def __init__(self, request: Request, viewer_id: int) -> None:
        self.viewer_id = viewer_id
        self.base = MEDIA_PUBLIC_BASE_URL or f"{request.scope['scheme']}://{request.headers['host']}"

    def to(self, key: str) -> str:
        """Return the link to a stored file; what is no key is a link already."""
        if "://" in key:
            return key
        hour = int(time.time()) // HOUR + 1 + FILE_LINK_HOURS
        token = f"{in_base36(self.viewer_id)}-{in_base36(hour)}"
        mac = signature("core.uploads.links", f"{token}/{key}".encode()).digest()[:MAC_BYTES]
        return f"{self.base}/media/{token}-{base64.urlsafe_b64encode(mac).decode()}/{quote(key)}"
