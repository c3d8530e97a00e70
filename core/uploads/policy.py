"""What may be stored: size, extension and type must agree, and the content must not contradict them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import puremagic
from django.conf import settings

from core.refusals import Refused

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

TYPES_OF: Final[dict[str, frozenset[str]]] = {
    ".pdf": frozenset({"application/pdf"}),
    ".png": frozenset({"image/png"}),
    ".jpg": frozenset({"image/jpeg"}),
    ".jpeg": frozenset({"image/jpeg"}),
    ".gif": frozenset({"image/gif"}),
    ".webp": frozenset({"image/webp"}),
    ".txt": frozenset({"text/plain"}),
    ".mp4": frozenset({"video/mp4"}),
    ".doc": frozenset({"application/msword"}),
    ".docx": frozenset({"application/vnd.openxmlformats-officedocument.wordprocessingml.document"}),
    ".xls": frozenset({"application/vnd.ms-excel"}),
    ".xlsx": frozenset({"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}),
    ".zip": frozenset({"application/zip", "application/x-zip-compressed"}),
}
HEAD_BYTES: Final = 4_096
# What a browser or a shell would run, whatever the file is called.
ACTIVE_CONTENT: Final = (
    b"<!doctype",
    b"<html",
    b"<head",
    b"<body",
    b"<script",
    b"<svg",
    b"<?xml",
    b"<?php",
    b"<iframe",
)
EXECUTABLE_STARTS: Final = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xca\xfe\xba\xbe",
    b"\xcf\xfa\xed\xfe",
    b"\xfe\xed\xfa",
)


class UploadRefused(Refused):
    """The file may not be stored (400)."""

    code = "upload_refused"
    sentence = "This file cannot be accepted."


def declared_type(file: UploadedFile[Any]) -> str:
    """Return the client's type without its parameters, in lower case."""
    return (file.content_type or "").partition(";")[0].strip().lower()


def extension_of(name: str) -> str:
    """Return the last extension in lower case, with its dot."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower()


def check_upload(file: UploadedFile[Any]) -> None:
    """Let a file pass, or raise UploadRefused (400) with the first thing that is wrong."""
    extension, mime_type = extension_of(file.name or ""), declared_type(file)
    if (file.size or 0) > settings.FILE_UPLOAD_MAX_BYTES:
        raise UploadRefused(f"The file is larger than {settings.FILE_UPLOAD_MAX_BYTES} bytes.")
    if extension in {blocked.lower() for blocked in settings.FILE_UPLOAD_BLOCKED_EXTENSIONS}:
        raise UploadRefused("Files of this kind are not accepted.")
    if not is_allowed(mime_type) or mime_type not in TYPES_OF.get(extension, frozenset()):
        raise UploadRefused("The file's name and type do not belong together, or are not accepted.")
    if contradicts(head_of(file), mime_type):
        raise UploadRefused("The file's content is not what its name says.")


def is_allowed(mime_type: str) -> bool:
    """Apply FILE_UPLOAD_ALLOWED_MIME_TYPES; ``image/*`` there stands for every image type."""
    family = f"{mime_type.partition('/')[0]}/*"
    return bool({mime_type, family} & set(settings.FILE_UPLOAD_ALLOWED_MIME_TYPES))


def head_of(file: UploadedFile[Any]) -> bytes:
    file.seek(0)
    head: bytes = file.read(HEAD_BYTES)
    file.seek(0)
    return head


def contradicts(head: bytes, mime_type: str) -> bool:
    """Tell whether the content says plainly that it is something else.

    Content that says nothing passes: a short text called ``.pdf`` is useless, not dangerous.
    """
    lowered = head.lstrip(b"\xef\xbb\xbf \t\r\n\x00").lower()
    if head.startswith(EXECUTABLE_STARTS) or any(marker in lowered for marker in ACTIVE_CONTENT):
        return True
    return mime_type.startswith("image/") and sniffed(head) not in {"", mime_type}


def sniffed(head: bytes) -> str:
    """Return the type that the content's first bytes name, or nothing."""
    try:
        return str(puremagic.from_string(head, mime=True))
    except (puremagic.PureError, ValueError):
        return ""
