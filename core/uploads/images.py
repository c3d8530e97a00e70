"""Pictures: decoded, bounded, and written anew without what their camera knew."""

from __future__ import annotations

import tempfile
from threading import Lock
from typing import IO, TYPE_CHECKING, Any, Final

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from core.uploads.picture_parts import TooManyParts, count_parts, write_gif

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

FORMATS: Final = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
# What Pillow calls a JPEG with a second one behind it, as phones make them.
JPEGS: Final = {"JPEG", "MPO"}
PIXELS: Final = 12_500_000  # of which each takes four bytes in memory
TURNED_PIXELS: Final = 7_500_000  # of a picture that lies on its side, which is there twice for a moment
# A JPEG is decoded at half its width and height where it is larger: cameras of phones make them.
HALVED: Final = 4
GIF_FRAMES: Final = 500
GIF_PIXELS: Final = 100_000_000  # of all frames together
IN_MEMORY_BYTES: Final = 2_621_440
QUALITY: Final = 90
ORIENTATION: Final = 0x0112
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
    JPEG above 12.5 million pixels (7.5, where it is turned) comes out at half its width and height. Raises
    ImageRefused.
    """
    file.seek(0)
    try:
        count_parts(file)
        with one_at_a_time, Image.open(file, formats=[FORMATS[mime_type]]) as image:
            measure(image)
            return (
                still_moving(file, image) if image.format == "GIF" else rewritten(image, FORMATS[mime_type])
            )
    except UnidentifiedImageError as error:
        raise ImageRefused("The file is not a picture of the type that it is said to be.") from error
    except TooManyParts as error:
        raise ImageRefused("The picture is made of too many parts.") from error
    except BROKEN as error:
        raise ImageRefused("The picture is damaged.") from error


def measure(image: Image.Image) -> None:
    """Refuse what would fill the memory, and have a large JPEG decoded at half its size."""
    width, height = image.size
    is_jpeg = image.format in JPEGS
    # A PNG is decoded to find out whether it is turned, so first without asking.
    check_pixels(width * height, HALVED * PIXELS if is_jpeg else PIXELS)
    most = TURNED_PIXELS if image.getexif().get(ORIENTATION, 1) != 1 else PIXELS
    check_pixels(width * height, HALVED * most if is_jpeg else most)
    if width * height > most:
        image.draft("RGB", (width // 2, height // 2))


def check_pixels(found: int, most: int) -> None:
    if found > most:
        raise ImageRefused(f"The picture has more than {most / 1_000_000:g} million pixels.")


def rewritten(image: Image.Image, kind: str) -> IO[bytes]:
    profile, transparency = image.info.get("icc_profile"), image.info.get("transparency")
    ImageOps.exif_transpose(image, in_place=True)
    image.info = {} if transparency is None else {"transparency": transparency}
    clean: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - the caller's
    image.save(clean, format=kind, quality=QUALITY, icc_profile=profile)
    return clean


def still_moving(file: UploadedFile[Any], image: Image.Image) -> IO[bytes]:
    """Return a GIF with the frames that it has, each of them decoded once; Pillow writes them from memory."""
    frames = getattr(image, "n_frames", 1)
    if frames > GIF_FRAMES or frames * image.width * image.height > GIF_PIXELS:
        raise ImageRefused("The moving picture is too long.")
    for frame in ImageSequence.Iterator(image):
        frame.load()
    clean: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - the caller's
    write_gif(file, clean)
    return clean
