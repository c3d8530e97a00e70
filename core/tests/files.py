"""Files of each kind for tests, and a storage that ends with the test."""

from __future__ import annotations

import tempfile
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from PIL import Image

if TYPE_CHECKING:
    from django.test import SimpleTestCase

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
GPS, MAKE = 0x8825, 0x010F


def use_own_storage(test: SimpleTestCase) -> str:
    """Store the files of a test in a folder that goes with it, and return its path."""
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    media = override_settings(MEDIA_ROOT=folder.name)
    media.enable()
    test.addCleanup(media.disable)
    return folder.name


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 6), mode: str = "RGB", **saved: Any) -> bytes:
    """Return a picture of one colour."""
    content = BytesIO()
    Image.new(mode, size).save(content, kind, **saved)
    return content.getvalue()


def photo(**tags: Any) -> bytes:
    """Return a JPEG that says where and by which camera it was taken."""
    exif = Image.Exif()
    exif[MAKE] = "Camera of Ada"
    exif.get_ifd(GPS)[1] = "N"
    for tag, value in tags.items():
        exif[int(tag.removeprefix("tag_"))] = value
    return picture("JPEG", exif=exif)


def archive(**files: bytes | str) -> bytes:
    """Return a ZIP; an underscore in a name stands for a dot, two of them for a slash, three for ``/_``."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for name, text in files.items():
            path = name.replace("___", "/\0").replace("__", "/").replace("_", ".")
            archive.writestr(path.replace("\0", "_"), text)
    return content.getvalue()


def sent(name: str, content: bytes, mime_type: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, mime_type)
