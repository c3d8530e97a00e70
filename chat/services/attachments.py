"""What may hang on a message: files of its author's own, and links to hosts that the settings name (D7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.storage import default_storage
from django.http.request import validate_host

from chat.models import MessageAttachment
from core.models import Upload
from core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from users.models import User

KEY_IN_URL: Final = re.compile(r"/(uploads/[0-9a-f]{32}[.\w]*)\Z")
ANY_HOST: Final = "*"


class NotOurFile(Refused):
    """A link to where nobody checks what lies there (400)."""

    code = "validation_error"
    sentence = "Upload the file first: links to this host are not taken."


def attachments_of(author: User | None, sent: Sequence[dict[str, Any]]) -> list[MessageAttachment]:
    """Return rows for what was sent: the author's own uploads by their keys, the others by their links.

    Raises NotOurFile (400). The server never fetches a link.
    """
    keys = {key for file in sent if (key := key_of(file["file_url"]))}
    stored = Upload.objects.filter(owner=author, key__in=keys, state=Upload.State.STORED)
    uploads = {row.key: row for row in (stored if keys else ())}
    rows = [attached(file, uploads.get(key_of(file["file_url"]) or "")) for file in sent]
    check_hosts(row.file_url for row in rows if row.upload is None)
    return rows


def attached(file: dict[str, Any], upload: Upload | None) -> MessageAttachment:
    """Return a row; size and type of an upload are what we stored, whatever is said of it."""
    if upload is None:
        return MessageAttachment(**file)
    return MessageAttachment(
        upload=upload,
        file_url=upload.key,
        filename=file["filename"],
        file_size=upload.size,
        mime_type=upload.mime_type,
    )


def key_of(url: str) -> str | None:
    """Return the key of the upload to which a link of ours leads. Links change by the hour, keys never."""
    found = KEY_IN_URL.search(path_of(url))
    return found[1] if found and is_ours(url, found[1]) else None


def check_hosts(urls: Iterable[str]) -> None:
    """Let links pass that lead elsewhere, to where the settings allow; one of ours is somebody else's."""
    allowed = settings.CHAT_ATTACHMENT_ALLOWED_HOSTS
    for url in urls:
        parts = urlsplit(url)
        is_any = ANY_HOST in allowed and parts.scheme == "https"
        if key_of(url) or not (is_any or (parts.hostname or "") in allowed):
            raise NotOurFile(field="attachments")


def is_ours(url: str, key: str) -> bool:
    """Tell whether a link leads to us: another host may have a path that looks like one of our keys."""
    host = urlsplit(url).hostname or ""
    ours = {urlsplit(settings.MEDIA_PUBLIC_BASE_URL).hostname, urlsplit(default_storage.url(key)).hostname}
    return host in ours or validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS)


def path_of(url: str) -> str:
    return urlsplit(url).path
