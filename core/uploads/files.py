"""Stored files by their key: kept, opened, deleted. Whose they are is written elsewhere."""

from __future__ import annotations

from contextlib import nullcontext
from typing import IO, TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from django.core.files.base import File
from django.core.files.storage import default_storage

from core.refusals import Unavailable
from core.uploads.overdue import Bulkhead
from core.uploads.store import STORAGE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterable

MISSING: Final = {"404", "NoSuchKey"}
FIRST_BYTES: Final = 65_536
reads = Bulkhead(Unavailable.sentence)


def save_file(key: str, file: IO[bytes]) -> str:
    """Store a file from its beginning; returns the key that it got. Raises STORAGE_ERRORS."""
    file.seek(0)
    return default_storage.save(key, File(file))


def open_file(key: str) -> File[Any]:
    """Open a stored file to be read. Raises FileNotFoundError, or another of STORAGE_ERRORS.

    Raises Unavailable (503) where the bucket stalls, or where too many wait for it. For jobs: of a bucket all
    of it is fetched at the first look at it, for which no place is taken. Requests use ``open_part``.
    """
    with reads.passing() if is_in_bucket() else nullcontext():
        return default_storage.open(key)


def open_part(key: str, start: int, length: int) -> Part:
    """Open a span of a stored file. Raises FileNotFoundError, or another of STORAGE_ERRORS.

    Of a bucket no more than that is fetched, and it is fetched as it is read; raises Unavailable (503) where
    it stalls, or where too many wait for it.
    """
    if is_in_bucket():
        with reads.passing():
            return PartOfObject(object_in_bucket(key, start, length), length)
    file = open_file(key)
    file.seek(start)
    return Part(file, length)


def is_in_bucket() -> bool:
    return hasattr(default_storage, "bucket_name")


def in_bucket(key: str) -> dict[str, str]:
    """Return how the bucket's own client calls a file."""
    storage: Any = default_storage
    return {"Bucket": storage.bucket_name, "Key": storage._normalize_name(key)}  # noqa: SLF001


def bucket_client() -> Any:
    storage: Any = default_storage
    return storage.connection.meta.client


def object_in_bucket(key: str, start: int, length: int) -> Any:
    # Of an empty file there is no span to ask for.
    span = {"Range": f"bytes={start}-{start + length - 1}"} if length else {}
    try:
        return bucket_client().get_object(**in_bucket(key), **span)["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] in MISSING:
            raise FileNotFoundError from error
        raise


class Part:
    """A span of an opened file."""

    def __init__(self, file: Any, length: int) -> None:
        self.file = file
        self.left = length

    def read(self, size: int) -> bytes:
        piece: bytes = self.file.read(min(size, self.left)) if self.left else b""
        self.left -= len(piece)
        return piece

    def close(self) -> None:
        self.file.close()


class PartOfObject(Part):
    """A span of what lies in a bucket: the bytes come as they are read, or do not come.

    The first are fetched at once: a bucket that says only that it has the file is found out while that can
    still be answered.
    """

    def __init__(self, body: Any, length: int) -> None:
        super().__init__(body, length)
        self.first = super().read(FIRST_BYTES)

    def read(self, size: int) -> bytes:
        if self.first:
            piece, self.first = self.first[:size], self.first[size:]
            return piece
        with reads.passing(in_turn=False):
            return super().read(size)


def remove_files(keys: Iterable[str]) -> None:
    """Delete files; one that has gone is no fault. Tries each, then raises the last of STORAGE_ERRORS."""
    fault: Exception | None = None
    for key in keys:
        try:
            default_storage.delete(key)
        except STORAGE_ERRORS as error:
            fault = error
    if fault is not None:
        raise fault
