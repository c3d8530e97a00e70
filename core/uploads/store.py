"""Putting a file into the storage, and writing down whose it is."""

from __future__ import annotations

import uuid
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.utils import timezone
from s3transfer.exceptions import RetriesExceededError

from core.models import Upload
from core.refusals import Refused, Unavailable
from core.uploads.content import head_of, says_nothing
from core.uploads.images import ImageRefused, cleaned
from core.uploads.overdue import Bulkhead
from core.uploads.policy import UploadRefused, base_name, check_upload, declared_type, extension_of
from core.uploads.scanning import NOT_CHECKED, is_configured, scan
from core.watching import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.core.files.uploadedfile import UploadedFile

    from users.models import User

STORAGE_ERRORS = (BotoCoreError, ClientError, OSError, RetriesExceededError)
NOT_STORED = "Files cannot be stored right now. Please try again in a moment."
storage = Bulkhead(NOT_STORED)
# All of its time: who needs less than that works.
scanners = Bulkhead(NOT_CHECKED, lambda: settings.FILE_UPLOAD_SCAN_SECONDS)


def store_upload(
    file: UploadedFile[Any], *, prefix: str, owner: User | None, admit: Callable[[], None] = lambda: None
) -> Upload:
    """Check a file and store it, pictures without what their camera knew.

    ``admit`` is asked in the transaction that writes the row: what it raises takes the file away again.
    Raises UploadRefused (400), or Unavailable (503) when the storage or a scanner does not answer.
    """
    with counted():
        check_upload(file)
        with scanners.passing():
            scan(file)
        return keep(file, content_to_store(file), prefix=prefix, owner=owner, admit=admit)


@contextmanager
def counted() -> Iterator[None]:
    outcome = "unavailable"
    try:
        yield
        outcome = "stored"
    except Unavailable:
        raise
    except Refused:
        outcome = "refused"
        raise
    finally:
        metrics.uploads.labels(outcome).inc()


def content_to_store(file: UploadedFile[Any]) -> IO[bytes]:
    """Return the bytes to keep. What only claims to be a picture, and is mere letters, stays as it is."""
    mime_type = declared_type(file)
    if not mime_type.startswith("image/") or says_nothing(head_of(file)):
        return file
    return clean_picture(file, mime_type)


def clean_picture(file: UploadedFile[Any], mime_type: str) -> IO[bytes]:
    try:
        return cleaned(file, mime_type)
    except ImageRefused as error:
        raise UploadRefused(str(error)) from error


def keep(
    file: UploadedFile[Any],
    content: IO[bytes],
    *,
    prefix: str,
    owner: User | None,
    admit: Callable[[], None] = lambda: None,
) -> Upload:
    """Store a file's bytes, which ``scan`` let pass, under ``prefix`` by a random name; then write its row.

    A row always has its file, and a file whose row could not be written is removed again.
    """
    name = base_name(file.name or "")[:255]
    key = f"{prefix}/{uuid.uuid4().hex}{extension_of(name)}"
    size = content.seek(0, 2)
    content.seek(0)
    try:
        with storage.passing(size):
            key = default_storage.save(key, File(content))
    except STORAGE_ERRORS as error:
        raise Unavailable(NOT_STORED) from error
    finally:
        if content is not file:
            content.close()
    try:
        with transaction.atomic():
            admit()
            return Upload.objects.create(
                owner=owner,
                key=key,
                filename=name,
                size=size,
                mime_type=declared_type(file),
                scanned_at=timezone.now() if is_configured() else None,
            )
    except (DatabaseError, Refused):
        with suppress(*STORAGE_ERRORS):
            default_storage.delete(key)
        raise
