"""Putting a file into the storage, and writing down whose it is."""

from __future__ import annotations

import uuid
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.storage import default_storage
from django.db import DatabaseError

from core.models import Upload
from core.refusals import Unavailable
from core.uploads.policy import check_upload, declared_type, extension_of

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from users.models import User

STORAGE_ERRORS = (BotoCoreError, ClientError, OSError)


def store_upload(file: UploadedFile[Any], *, prefix: str, owner: User | None) -> Upload:
    """Check a file, store it under ``prefix`` by a random name, then write its row.

    Raises UploadRefused (400), or Unavailable (503) when the storage does not answer. Bytes go
    first, the row second: a row always has its file, and a file whose row could not be written
    is removed again.
    """
    check_upload(file)
    name = PurePosixPath((file.name or "").replace("\\", "/")).name[:255]
    key = f"{prefix}/{uuid.uuid4().hex}{extension_of(name)}"
    try:
        key = default_storage.save(key, file)
    except STORAGE_ERRORS as error:
        raise Unavailable("Files cannot be stored right now. Please try again in a moment.") from error
    try:
        return Upload.objects.create(
            owner=owner, key=key, filename=name, size=file.size or 0, mime_type=declared_type(file)
        )
    except DatabaseError:
        default_storage.delete(key)
        raise
