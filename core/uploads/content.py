"""What a file's bytes say, against what its sender says.

Content that says nothing passes: a short text called ``.pdf`` is useless, not dangerous.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any, Final

import puremagic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.files.uploadedfile import UploadedFile

HEAD_BYTES: Final = 4_096
PIECE_BYTES: Final = 65_536
PLAIN_TEXT: Final = "text/plain"
# What a browser or a server would run, whatever the file is called.
ACTIVE_CONTENT: Final = (
    *(b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?xml", b"<?php", b"<iframe"),
)
# The same, told from chance: a picture's megabytes hold any four letters.
HIDDEN_CONTENT: Final = (b"<!doctype html", b"<script", b"<iframe", b"<?php", b"<html>", b"<body")
LONGEST_MARK: Final = max(map(len, HIDDEN_CONTENT))
EXECUTABLE_STARTS: Final = (
    *(b"\x7fELF", b"#!"),
    *(b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa"),
)
WINDOWS_START: Final = b"MZ"  # with which a text may begin, too: then without a NUL
PDF_MARK: Final = b"%PDF-"
# Longest first: the mark of UTF-32 begins with that of UTF-16.
WIDE_TEXTS: Final = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
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
# By their starts, which leave no doubt.
SIGNATURES: Final = {b"PK\x03\x04": "zip", b"%PDF-": "pdf", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "ole"}


def contradicts(file: UploadedFile[Any], mime_type: str) -> bool:
    """Tell whether the content says plainly that it is something else, or something else as well."""
    head = head_of(file)
    if is_executable(head, mime_type):
        return True
    if mime_type == PLAIN_TEXT:
        return is_no_text(head)
    if is_plainly(head, mime_type):
        return False  # a browser saves it, and its reader knows what it is
    is_picture = mime_type.startswith("image/")
    return holds_active(head) or is_other_type(head, mime_type) or (is_picture and hides_active_content(file))


def head_of(file: UploadedFile[Any]) -> bytes:
    file.seek(0)
    head: bytes = file.read(HEAD_BYTES)
    file.seek(0)
    return head


def is_executable(head: bytes, mime_type: str) -> bool:
    is_windows = head.startswith(WINDOWS_START) and (mime_type != PLAIN_TEXT or b"\0" in head)
    return is_windows or head.startswith(EXECUTABLE_STARTS)


def is_no_text(head: bytes) -> bool:
    """Tell whether a text begins as a page or a program, is of another type, or holds what no text does."""
    text = narrow(head)
    begins_active = text.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(ACTIVE_CONTENT)
    return begins_active or b"\0" in text or sniffed(head) in FAMILIES


def narrow(head: bytes) -> bytes:
    """Return a text of two or four bytes a letter, as its mark says, in UTF-8."""
    for mark, encoding in WIDE_TEXTS.items():
        if head.startswith(mark):
            return head.removeprefix(mark).decode(encoding, "ignore").encode()
    return head


def is_plainly(head: bytes, mime_type: str) -> bool:
    """Tell whether the very first bytes are those of a document or an archive of the declared type."""
    found = {family for start, family in SIGNATURES.items() if head.startswith(start)}
    return FAMILIES.get(mime_type) in found


def holds_active(head: bytes) -> bool:
    lowered = head.lower()
    return any(mark in lowered for mark in ACTIVE_CONTENT)


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


def says_nothing(head: bytes) -> bool:
    """Tell whether a picture's bytes are such that no program would take them for one: mere letters."""
    return head.isascii() and head.decode().isprintable()
