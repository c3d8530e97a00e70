"""Links to stored files: unguessable, for one viewer, good for hours (CONTRACT D15, D19).

``/media/<token>/<key>``: the token says whose link it is and until when, and signs both with the key. It
holds no dot, so that a client finds the extension at the end, and nothing that CSS would trip over.
"""

from __future__ import annotations

import base64
import hmac
import re
import time
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from django.conf import settings
from django.utils.http import base36_to_int, int_to_base36

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.http import SignedInRequest

HOUR: Final = 3600
LINKS_KEPT: Final = 4096  # of a process, some 300 bytes each
MAC_BYTES: Final = 18
MAC_CHARACTERS: Final = MAC_BYTES * 4 // 3
SECURE_SCHEMES: Final = {"https", "wss"}


@dataclass(frozen=True)
class Links:
    """Signs links for one viewer, on one origin. Asks no database and no storage."""

    viewer_id: int
    base: str

    def to(self, key: str) -> str:
        """Return the absolute link to a stored file; the same one for about an hour, so that caches hold."""
        expires = signing_hour() + settings.FILE_LINK_HOURS
        path = signed_path(key, self.viewer_id, expires, settings.SECRET_KEY)
        return f"{self.base}{settings.MEDIA_URL}{path}"


@lru_cache(LINKS_KEPT)
def signed_path(key: str, viewer_id: int, expires: int, secret: str) -> str:
    """Return where a file lies for one viewer until an hour. A list that is read again has the same links."""
    token = f"{int_to_base36(viewer_id)}-{int_to_base36(expires)}"
    return f"{token}-{mac_of(token, key, secret)}/{quote(key)}"


def signing_hour() -> int:
    return int(time.time()) // HOUR + 1


def without_signatures(body: bytes) -> tuple[bytes, int]:
    """Return JSON as it would be without the signatures of its links, and how many links there are.

    Of links alone that were signed in this hour, or in the one before: others are words that somebody wrote.
    """
    prefix = settings.MEDIA_URL.encode()
    if prefix not in body:
        return body, 0
    newest = signing_hour() + settings.FILE_LINK_HOURS
    hours = "|".join(map(int_to_base36, (newest, newest - 1))).encode()
    token = rb"%s[0-9a-z]+-(?:%s)-[\w-]{%d}(?=/)" % (re.escape(prefix), hours, MAC_CHARACTERS)
    return re.subn(token, prefix, body)


def links_of(request: SignedInRequest) -> Links:
    """Return what signs links for whoever sent a request."""
    return Links(request.user.pk, settings.MEDIA_PUBLIC_BASE_URL or origin_of(request))


def origin_of(request: SignedInRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def links_of_scope(scope: Mapping[str, Any], viewer_id: int) -> Links:
    """Return what signs links for whoever sits at a socket, on the origin by which they came."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    is_secure = scope.get("scheme") in SECURE_SCHEMES
    if settings.TRUSTED_PROXY_COUNT:
        is_secure = headers.get(b"x-forwarded-proto", "") == "https"
    host = headers.get(b"host", "localhost")
    return Links(viewer_id, settings.MEDIA_PUBLIC_BASE_URL or f"http{'s' * is_secure}://{host}")


def viewer_of(token: str, key: str) -> int | None:
    """Return for whom a link was signed, or None: it is altered, or its time is over."""
    parts = token.split("-", 2)
    if len(parts) != 3:  # noqa: PLR2004 - viewer, hour, signature
        return None
    viewer, expires, mac = parts
    signed = f"{viewer}-{expires}"
    if not any(same(mac, mac_of(signed, key, secret)) for secret in secrets()):
        return None
    return base36_to_int(viewer) if base36_to_int(expires) > time.time() // HOUR else None


def secrets() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())


def mac_of(token: str, key: str, secret: str) -> str:
    digest = hmac.digest(key_of(secret), f"{token}/{key}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:MAC_BYTES]).decode()


@lru_cache
def key_of(secret: str) -> bytes:
    """Return the key that Django's ``salted_hmac`` derives from a secret for this module."""
    return sha256(f"{__name__}{secret}".encode()).digest()
