"""What an archive says that it holds. It is never unpacked here; whoever gets it will."""

from __future__ import annotations

import re
import struct
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile, ZipFile, ZipInfo

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.core.files.uploadedfile import UploadedFile

START: Final = b"PK\x03\x04"
# The record at the end (APPNOTE 4.3.16): entries and bytes of the directory, which is read whole.
END: Final = struct.Struct("<4s4H2LH")
END_MARK: Final = b"PK\x05\x06"
LONGEST_COMMENT: Final = 65_535
MOST_ENTRIES: Final = 5_000
MOST_DIRECTORY_BYTES: Final = 2_000_000
MOST_UNPACKED_BYTES: Final = 1_000_000_000
BOMB_RATIO: Final = 100
BOMB_BYTES: Final = 20_000_000  # below this no ratio harms
ENCRYPTED: Final = 0x1
MACROS: Final = re.compile(r"(^|/)(vbaproject\.bin|activex/)", re.IGNORECASE)
RELATIONS: Final = ".rels"
MOST_RELATIONS_BYTES: Final = 1_000_000
RELATION: Final = re.compile(rb"<Relationship\b[^>]*>", re.IGNORECASE)
OUTSIDE: Final = re.compile(rb"TargetMode\s*=\s*[\"']External[\"']", re.IGNORECASE)
LINK: Final = re.compile(rb"Type\s*=\s*[\"'][^\"']*/hyperlink[\"']", re.IGNORECASE)


class ArchiveRefused(Exception):
    """The archive would harm whoever opens it; the text says why."""


def check_archive(file: UploadedFile[Any], *, blocked: Collection[str]) -> None:
    """Let a file pass that is no ZIP archive, or a harmless one; raises ArchiveRefused."""
    file.seek(0)
    is_archive = file.read(len(START)) == START
    try:
        if is_archive:
            check_directory_size(file)
            with ZipFile(file) as archive:
                check_entries(archive.infolist(), packed=file.size or 1, blocked=blocked)
                check_relations(archive)
    except (BadZipFile, NotImplementedError, EOFError, ValueError, OSError, RuntimeError) as error:
        raise ArchiveRefused("The archive is damaged.") from error
    finally:
        file.seek(0)


def check_directory_size(file: UploadedFile[Any]) -> None:
    """Refuse a directory that would fill the memory; ZIP64 as well, which no file of this size needs."""
    file.seek(max(0, (file.size or 0) - LONGEST_COMMENT - END.size))
    tail = file.read()
    place = tail.rfind(END_MARK)
    if place < 0 or len(tail) - place < END.size:
        raise BadZipFile
    _, _, _, _, entries, directory_bytes, _, _ = END.unpack_from(tail, place)
    if entries > MOST_ENTRIES or directory_bytes > MOST_DIRECTORY_BYTES:
        raise ArchiveRefused(f"The archive holds more than {MOST_ENTRIES} files.")


def check_entries(entries: list[ZipInfo], *, packed: int, blocked: Collection[str]) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    is_bomb = unpacked > BOMB_BYTES and unpacked > BOMB_RATIO * packed
    if is_bomb or unpacked > MOST_UNPACKED_BYTES:
        raise ArchiveRefused("The archive would unpack to too much.")
    if any(entry.flag_bits & ENCRYPTED for entry in entries):
        raise ArchiveRefused("Archives with a password are not accepted.")
    if any(MACROS.search(entry.filename) for entry in entries):
        raise ArchiveRefused("Documents with macros are not accepted.")
    if any(PurePosixPath(entry.filename).suffix.lower() in blocked for entry in entries):
        raise ArchiveRefused("The archive holds files of a kind that is not accepted.")


def check_relations(archive: ZipFile) -> None:
    """Refuse a document that loads something from elsewhere when it is opened; links to click are fine."""
    for entry in archive.infolist():
        if entry.filename.lower().endswith(RELATIONS):
            if entry.file_size > MOST_RELATIONS_BYTES:
                raise ArchiveRefused("The archive would unpack to too much.")
            with archive.open(entry) as relations:
                check_targets(relations.read(MOST_RELATIONS_BYTES))


def check_targets(relations: bytes) -> None:
    for relation in RELATION.findall(relations):
        if OUTSIDE.search(relation) and not LINK.search(relation):
            raise ArchiveRefused("Documents that load parts from elsewhere are not accepted.")
