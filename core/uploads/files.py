"""Stored files by their key: kept, opened, deleted. Whose they are is written elsewhere."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from django.core.files.base import File
from django.core.files.storage import default_storage

from core.uploads.store import STORAGE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterable


def save_file(key: str, file: IO[bytes]) -> str:
    """Store a file from its beginning; returns the key that it got. Raises STORAGE_ERRORS."""
    file.seek(0)
    return default_storage.save(key, File(file))


def open_file(key: str) -> File[Any]:
    """Open a stored file to be read. Raises FileNotFoundError, or another of STORAGE_ERRORS."""
    return default_storage.open(key)


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
