"""Cover pictures: what one is, and how it is replaced."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Final

from django.db import transaction

from core import audit
from core.preconditions import confirm
from core.uploads.content import contradicts
from core.uploads.images import FORMATS
from core.uploads.policy import TYPES_OF, UploadRefused, check_name, check_size, declared_type, extension_of
from core.uploads.removal import drop_files
from core.uploads.scanning import scan
from core.uploads.store import clean_picture, counted, keep, scanners

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile
    from django.db.models import Model

    from users.models import User

MOST_BYTES: Final = 10_485_760


def replace_cover(
    row: Model, file: UploadedFile[Any], *, by: User, folder: str, picture: IO[bytes] | None = None
) -> None:
    """Store a picture as the ``cover_image`` of a row, and delete the one that it replaces.

    ``picture`` is what ``picture_of`` has made of the file, where somebody has asked it. The row is locked
    and saved here. Raises UploadRefused (400), Unavailable (503), what ``confirm`` raises, and the model's
    DoesNotExist where the row has gone meanwhile.
    """
    with counted():
        upload = keep(file, picture or picture_of(file), prefix=folder, owner=by)
    try:
        with transaction.atomic():
            held: Any = type(row)._default_manager.select_for_update().get(pk=row.pk)  # noqa: SLF001
            confirm()
            former, held.cover_image = held.cover_image, upload.key
            held.save(update_fields=["cover_image", "updated_at"])
            drop_files(former)
            audit.record("cover_replaced", actor=by, target=held)
    except BaseException:
        drop_files(upload.key)
        raise
    row.cover_image = upload.key  # type: ignore[attr-defined]


def picture_of(file: UploadedFile[Any]) -> IO[bytes]:
    """Return a picture's bytes to keep. Raises UploadRefused (400), or Unavailable (503): a scanner fails."""
    mime_type = declared_type(file)
    check_size(file, MOST_BYTES)
    check_name(file.name or "")
    if mime_type not in FORMATS or mime_type not in TYPES_OF.get(extension_of(file.name or ""), frozenset()):
        raise UploadRefused("A cover is a PNG, JPEG, GIF or WebP picture.")
    if contradicts(file, mime_type):
        raise UploadRefused("The file's content is not what its name says.")
    with scanners.passing():
        scan(file)
    return clean_picture(file, mime_type)
