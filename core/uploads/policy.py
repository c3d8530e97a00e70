"""What may be stored: size, extension and type must agree, and the content must not contradict them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from core.refusals import Refused
from core.uploads.archives import ArchiveRefused, check_archive
from core.uploads.content import contradicts

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
# A server that looks at the last extension but one would run it: ``a.php.png``.
RUN_BY_SERVERS: Final = {".asp", ".aspx", ".cgi", ".jsp", ".php", ".phtml", ".shtml"}
# What a computer runs on a double click, besides what FILE_UPLOAD_BLOCKED_EXTENSIONS names.
RUN_BY_COMPUTERS: Final = {".com", ".hta", ".jar", ".lnk", ".ps1", ".scr", ".wsf"}


class UploadRefused(Refused):
    """The file may not be stored (400)."""

    code = "upload_refused"
    sentence = "This file cannot be accepted."


def declared_type(file: UploadedFile[Any]) -> str:
    """Return the client's type without its parameters, in lower case."""
    return (file.content_type or "").partition(";")[0].strip().lower()


def base_name(name: str) -> str:
    """Return a file's name without the folders of whichever system it came from."""
    return PurePosixPath(name.replace("\\", "/")).name


def extension_of(name: str) -> str:
    """Return the last extension in lower case, with its dot."""
    return PurePosixPath(base_name(name)).suffix.lower()


def check_upload(file: UploadedFile[Any]) -> None:
    """Let a file pass, or raise UploadRefused (400) with the first thing that is wrong."""
    check_size(file, settings.FILE_UPLOAD_MAX_BYTES)
    check_name(file.name or "")
    types, mime_type = TYPES_OF.get(extension_of(file.name or ""), frozenset()), declared_type(file)
    # Browsers have two names for some types: one that is allowed stands for its twin.
    if mime_type not in types or not any(map(is_allowed, types)):
        raise UploadRefused("The file's name and type do not belong together, or are not accepted.")
    check_content(file, mime_type)


def check_size(file: UploadedFile[Any], most: int) -> None:
    if (file.size or 0) > most:
        raise UploadRefused(f"The file is larger than {most} bytes.")


def check_name(name: str) -> None:
    extensions = [extension.lower() for extension in PurePosixPath(base_name(name)).suffixes]
    runs_by_server = RUN_BY_SERVERS.intersection(extensions)
    if runs_by_server or blocked_extensions().intersection(extensions[-1:]) or not name.isprintable():
        raise UploadRefused("Files of this kind are not accepted.")


def blocked_extensions() -> set[str]:
    return RUN_BY_COMPUTERS.union(blocked.lower() for blocked in settings.FILE_UPLOAD_BLOCKED_EXTENSIONS)


def check_content(file: UploadedFile[Any], mime_type: str) -> None:
    if contradicts(file, mime_type):
        raise UploadRefused("The file's content is not what its name says.")
    try:
        check_archive(file, blocked=blocked_extensions())
    except ArchiveRefused as error:
        raise UploadRefused(str(error)) from error


def is_allowed(mime_type: str) -> bool:
    """Apply FILE_UPLOAD_ALLOWED_MIME_TYPES; ``image/*`` there stands for every image type."""
    family = f"{mime_type.partition('/')[0]}/*"
    return bool({mime_type, family} & set(settings.FILE_UPLOAD_ALLOWED_MIME_TYPES))
