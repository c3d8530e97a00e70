"""Pictures: decoded, bounded, and written anew without what their camera knew."""

from __future__ import annotations

import tempfile
from threading import Lock
from typing import IO, TYPE_CHECKING, Any, Final

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

FORMATS: Final = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
PIXELS: Final = 12_500_000  # of which each takes four bytes in memory
# A JPEG is decoded at half its width and height where it is larger: cameras of phones make them.
LARGE_JPEG_PIXELS: Final = 4 * PIXELS
GIF_FRAMES: Final = 500
GIF_PIXELS: Final = 500_000_000  # of all frames together
GIF_END: Final = b";"
IN_MEMORY_BYTES: Final = 2_621_440
QUALITY: Final = 90
BROKEN: Final = (OSError, SyntaxError, ValueError, EOFError, IndexError, Image.DecompressionBombError)

# Each picture is measured below, against what its own format costs.
Image.MAX_IMAGE_PIXELS = None
# One after the other: the threads of a process share its memory.
one_at_a_time: Final = Lock()


class ImageRefused(Exception):
    """It is no picture of the format it is said to be, or too large a one; the text says which."""


def cleaned(file: UploadedFile[Any], mime_type: str) -> IO[bytes]:
    """Return a picture decoded and written anew: without EXIF and GPS, nor what stands behind its end.

    What turned it upright is applied, the colour profile kept; of moving pictures only a GIF stays one. A
    JPEG above 12.5 million pixels comes out at half its size. Raises ImageRefused.
    """
    file.seek(0)
    try:
        with one_at_a_time, Image.open(file, formats=[FORMATS[mime_type]]) as image:
            measure(image)
            return checked_gif(file, image) if image.format == "GIF" else rewritten(image)
    except UnidentifiedImageError as error:
        raise ImageRefused("The file is not a picture of the type that it is said to be.") from error
    except BROKEN as error:
        raise ImageRefused("The picture is damaged.") from error


def measure(image: Image.Image) -> None:
    width, height = image.size
    is_large = width * height > PIXELS
    if is_large and image.format == "JPEG" and width * height <= LARGE_JPEG_PIXELS:
        image.draft("RGB", (width // 2, height // 2))
    elif is_large:
        raise ImageRefused(f"The picture has more than {PIXELS / 1_000_000} million pixels.")


def rewritten(image: Image.Image) -> IO[bytes]:
    profile, kind = image.info.get("icc_profile"), image.format
    transparency = image.info.get("transparency")
    ImageOps.exif_transpose(image, in_place=True)
    image.info = {} if transparency is None else {"transparency": transparency}
    clean: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - the caller's
    image.save(clean, format=kind, quality=QUALITY, icc_profile=profile)
    return clean


def checked_gif(file: UploadedFile[Any], image: Image.Image) -> IO[bytes]:
    """Return a GIF as it came, each frame decoded: it knows no EXIF, and is written from memory alone."""
    frames = getattr(image, "n_frames", 1)
    if frames > GIF_FRAMES or frames * image.width * image.height > GIF_PIXELS:
        raise ImageRefused("The moving picture is too long.")
    for frame in ImageSequence.Iterator(image):
        frame.load()
    file.seek(-1, 2)
    if file.read(1) != GIF_END:
        raise ImageRefused("The picture is damaged.")
    return file


def looks_like_an_image(head: bytes) -> bool:
    """Tell whether a browser would try to show it."""
    return head.startswith((b"\x89PNG", b"\xff\xd8", b"GIF8", b"RIFF", b"BM"))
