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
    """Return rows for what was sent, each with the author's own upload where its link names one.

    Raises NotOurFile (400). The server never fetches a link.
    """
    if not sent:
        return []
    keys = {
        url: found[1]
        for url in (file["file_url"] for file in sent)
        if (found := KEY_IN_URL.search(path_of(url))) and is_ours(url, found[1])
    }
    uploads = {row.key: row for row in Upload.objects.filter(owner=author, key__in=keys.values())}
    rows = [MessageAttachment(**file, upload=uploads.get(keys.get(file["file_url"], ""))) for file in sent]
    check_hosts(row.file_url for row in rows if row.upload is None)
    return rows


def check_hosts(urls: Iterable[str]) -> None:
    allowed = settings.CHAT_ATTACHMENT_ALLOWED_HOSTS
    for url in urls:
        parts = urlsplit(url)
        is_any = ANY_HOST in allowed and parts.scheme == "https"
        if not (is_any or (parts.hostname or "") in allowed):
            raise NotOurFile(field="attachments")


def is_ours(url: str, key: str) -> bool:
    """Tell whether a link leads to us: another host may have a path that looks like one of our keys."""
    host = urlsplit(url).hostname or ""
    return validate_host(host, settings.ALLOWED_HOSTS) or host == urlsplit(default_storage.url(key)).hostname


def path_of(url: str) -> str:
    return urlsplit(url).path
