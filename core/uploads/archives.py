"""What an archive says that it holds. It is never unpacked here; whoever gets it will."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo, is_zipfile

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import ParseError, fromstring  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.core.files.uploadedfile import UploadedFile

# An archive begins with a file, or is an empty one.
STARTS: Final = (b"PK\x03\x04", b"PK\x05\x06")
# The record at the end (APPNOTE 4.3.16): entries and bytes of the directory, which is read whole.
END: Final = struct.Struct("<4s4H2LH")
END_MARK: Final = b"PK\x05\x06"
ZIP64_MARK: Final = b"PK\x06\x07"
LONGEST_COMMENT: Final = 65_535
MOST_ENTRIES: Final = 5_000
MOST_DIRECTORY_BYTES: Final = 1_000_000
MOST_UNPACKED_BYTES: Final = 1_000_000_000
BOMB_RATIO: Final = 100
BOMB_BYTES: Final = 20_000_000  # below this no ratio harms
ENCRYPTED: Final = 0x1
MACROS: Final = re.compile(r"(^|/)(vbaproject\.bin|activex/)", re.IGNORECASE)
RELATIONS: Final = ".rels"
MOST_RELATIONS_BYTES: Final = 1_000_000  # of all of them: each is parsed
BROKEN: Final = (BadZipFile, NotImplementedError, EOFError, ValueError, OSError, RuntimeError, zlib.error)


class ArchiveRefused(Exception):
    """The archive would harm whoever opens it; the text says why."""


def check_archive(file: UploadedFile[Any], *, blocked: Collection[str]) -> None:
    """Let a file pass that is no ZIP archive, or a harmless one; raises ArchiveRefused."""
    try:
        if begins_as_archive(file) or is_zipfile(file):
            check_zip(file, blocked)
    except BROKEN as error:
        raise ArchiveRefused("The archive is damaged.") from error
    finally:
        file.seek(0)


def begins_as_archive(file: UploadedFile[Any]) -> bool:
    file.seek(0)
    return file.read(len(STARTS[0])) in STARTS


def check_zip(file: UploadedFile[Any], blocked: Collection[str]) -> None:
    if not begins_as_archive(file):
        raise ArchiveRefused("The file is an archive, and something else as well.")
    check_directory_size(file)
    with ZipFile(file) as archive:
        check_entries(archive.infolist(), packed=file.size or 1, blocked=blocked)
        check_relations(archive)


def check_directory_size(file: UploadedFile[Any]) -> None:
    """Refuse a directory that would fill the memory; ZIP64 as well, which no file of this size needs."""
    file.seek(max(0, (file.size or 0) - LONGEST_COMMENT - END.size))
    tail = file.read()
    place = tail.rfind(END_MARK)
    if place < 0 or len(tail) - place < END.size or ZIP64_MARK in tail[:place][-64:]:
        raise BadZipFile
    _, _, _, _, entries, directory_bytes, _, _ = END.unpack_from(tail, place)
    if entries > MOST_ENTRIES or directory_bytes > MOST_DIRECTORY_BYTES:
        raise ArchiveRefused(f"The archive holds more than {MOST_ENTRIES} files.")


def check_entries(entries: list[ZipInfo], *, packed: int, blocked: Collection[str]) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    is_bomb = unpacked > BOMB_BYTES and unpacked > BOMB_RATIO * packed
    if is_bomb or unpacked > MOST_UNPACKED_BYTES:
        raise ArchiveRefused("The archive would unpack to too much.")
    if len(entries) > MOST_ENTRIES:
        raise ArchiveRefused(f"The archive holds more than {MOST_ENTRIES} files.")
    if any(entry.flag_bits & ENCRYPTED for entry in entries):
        raise ArchiveRefused("Archives with a password are not accepted.")
    if any(MACROS.search(entry.filename) for entry in entries):
        raise ArchiveRefused("Documents with macros are not accepted.")
    if any(extension_in(entry) in blocked for entry in entries):
        raise ArchiveRefused("The archive holds files of a kind that is not accepted.")


def extension_in(entry: ZipInfo) -> str:
    """Return the extension as Windows takes it, which drops dots and spaces at the end of a name."""
    return PurePosixPath(entry.filename.rstrip(". ")).suffix.lower()


def check_relations(archive: ZipFile) -> None:
    """Refuse a document that loads something from elsewhere when it is opened; links to click are fine."""
    entries = [entry for entry in archive.infolist() if entry.filename.lower().endswith(RELATIONS)]
    if sum(entry.file_size for entry in entries) > MOST_RELATIONS_BYTES:
        raise ArchiveRefused("The archive would unpack to too much.")
    for entry in entries:
        if entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            raise BadZipFile
        with archive.open(entry) as relations:
            check_targets(relations.read(MOST_RELATIONS_BYTES))


def check_targets(relations: bytes) -> None:
    try:
        root = fromstring(relations, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as error:
        raise BadZipFile from error
    for relation in root.iter():
        is_outside = relation.get("TargetMode", "").lower() == "external"
        if is_outside and not relation.get("Type", "").endswith("/hyperlink"):
            raise ArchiveRefused("Documents that load parts from elsewhere are not accepted.")
