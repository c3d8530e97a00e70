"""What somebody wants to post, as it was sent."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import orjson

from benchmarks.peer.answers import invalid
from benchmarks.peer.environment import MESSAGE_MAX_CHARS, SECRET_KEYS, signature

FILES: Final = 10
KEY_IN_URL: Final = re.compile(r"/(uploads/[0-9a-f]{32}[.\w]*)\Z")


class File(NamedTuple):
    """A file that was uploaded before, by its key, and what its sender says of it."""

    key: str
    filename: str
    size: int
    mime_type: str


class Draft(NamedTuple):
    """A message to post."""

    text: str
    files: list[File]
    client_id: str
    reply_to: int | None

    @property
    def digests(self) -> list[str]:
        """What stands for the content, by each key: the same ``client_id`` must come with the same."""
        names = ("file_url", "filename", "file_size", "mime_type")
        files = [dict(zip(names, file, strict=True)) for file in self.files]
        said = orjson.dumps([self.text, files, self.reply_to])
        return [signature("core.idempotency", said, key).hexdigest() for key in SECRET_KEYS]


def draft_of(body: bytes) -> Draft:
    """Read what was sent. Raises Refused (400)."""
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        sent = None
    if not isinstance(sent, dict):
        raise invalid("non_field_errors", "The body must be a JSON object.")
    text, client_id = text_in(sent, "text", MESSAGE_MAX_CHARS), text_in(sent, "clientId", 64)
    files, reply_to = sent.get("attachments") or [], sent.get("replyTo")
    if not isinstance(files, list) or len(files) > FILES or not all(isinstance(file, dict) for file in files):
        raise invalid("attachments", f"Send at most {FILES} files.")
    if reply_to is not None and (type(reply_to) is not int or reply_to < 1):
        raise invalid("replyTo", "A valid integer is required.")
    if not text and not files:
        raise invalid("text", "Write a text, or attach a file.")
    return Draft(text, [file_of(file) for file in files], client_id, reply_to)


def text_in(sent: dict[str, Any], name: str, longest: int) -> str:
    text = sent.get(name) or ""
    if not isinstance(text, str) or "\0" in text:
        raise invalid(name, "Not a valid string.")
    if len(text := text.strip()) > longest:
        raise invalid(name, f"At most {longest} characters.")
    return text


def file_of(sent: dict[str, Any]) -> File:
    """Return a file by its key. Raises Refused (400): no link but to an upload is taken."""
    key = KEY_IN_URL.search(urlsplit(text_in(sent, "url", 2048)).path)
    if key is None:
        raise invalid("attachments", "Upload the file first: links to this host are not taken.")
    size = sent.get("size", 0)
    if type(size) is not int or size < 0:
        raise invalid("attachments", "A valid integer is required.")
    mime_type = text_in(sent, "mimeType", 255) or "application/octet-stream"
    return File(key[1], text_in(sent, "filename", 255), size, mime_type)
