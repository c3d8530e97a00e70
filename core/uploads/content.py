"""What a file's bytes say, against what its sender says.

Content that says nothing passes: a short text called ``.pdf`` is useless, not dangerous.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import puremagic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.files.uploadedfile import UploadedFile

HEAD_BYTES: Final = 4_096
PIECE_BYTES: Final = 65_536
# What a browser or a server would run, whatever the file is called.
ACTIVE_CONTENT: Final = (
    *(b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?xml", b"<?php", b"<iframe"),
)
# The same, told from chance: a picture's megabytes hold any four letters.
HIDDEN_CONTENT: Final = (b"<!doctype html", b"<script", b"<iframe", b"<?php", b"<html>", b"<body")
LONGEST_MARK: Final = max(map(len, HIDDEN_CONTENT))
EXECUTABLE_STARTS: Final = (
    *(
        b"MZ",
        b"\x7fELF",
        b"#!",
        b"\xca\xfe\xba\xbe",
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe",
        b"\xfe\xed\xfa",
    ),
)
PDF_MARK: Final = b"%PDF-"
# Types that share one container: which of them it is only the names inside say.
FAMILIES: Final = {
    "application/zip": "zip",
    "application/x-zip-compressed": "zip",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "zip",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "zip",
    "application/msword": "ole",
    "application/vnd.ms-excel": "ole",
    "application/x-ole-storage": "ole",
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
    "video/mp4": "mp4",
}


def contradicts(file: UploadedFile[Any], mime_type: str) -> bool:
    """Tell whether the content says plainly that it is something else, or something else as well."""
    head = head_of(file)
    return (
        is_active(head)
        or is_other_type(head, mime_type)
        or (mime_type == "text/plain" and b"\0" in head)
        or (mime_type.startswith("image/") and hides_active_content(file))
    )


def head_of(file: UploadedFile[Any]) -> bytes:
    file.seek(0)
    head: bytes = file.read(HEAD_BYTES)
    file.seek(0)
    return head


def is_active(head: bytes) -> bool:
    lowered = head.lower()
    return head.startswith(EXECUTABLE_STARTS) or any(mark in lowered for mark in ACTIVE_CONTENT)


def is_other_type(head: bytes, mime_type: str) -> bool:
    """Tell whether the first bytes name another type: of a picture any, of the rest one that we know."""
    if PDF_MARK in head[1:1024]:
        return True  # readers look for it further on: what stands before is not for them
    found = sniffed(head)
    if mime_type.startswith("image/"):
        return found not in {"", mime_type}
    return found in FAMILIES and FAMILIES[found] != FAMILIES.get(mime_type)


def sniffed(head: bytes) -> str:
    """Return the type that the content's first bytes name, or nothing."""
    try:
        return str(puremagic.from_string(head, mime=True))
    except (puremagic.PureError, ValueError):
        return ""


def hides_active_content(file: UploadedFile[Any]) -> bool:
    """Tell whether a script stands anywhere in a file, such as behind a picture's end."""
    return any(mark in piece for piece in overlapping(file) for mark in HIDDEN_CONTENT)


def overlapping(file: UploadedFile[Any]) -> Iterator[bytes]:
    """Yield a file in lower case, in pieces that no mark falls between."""
    tail = b""
    for piece in file.chunks(PIECE_BYTES):
        yield (tail + piece).lower()
        tail = piece[-LONGEST_MARK:]
    file.seek(0)
