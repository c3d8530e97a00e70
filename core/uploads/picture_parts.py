"""The parts of which picture files are made, walked over without decoding.

Pillow keeps every part of a JPEG or PNG that it meets, so that millions of empty ones fill the memory; and
writes a moving GIF from all its frames at once.
"""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

JPEG_START: Final = b"\xff\xd8"
JPEG_DATA: Final = 0xDA  # the scan, behind which Pillow reads no more
MARKER: Final = 0xFF
PNG_START: Final = b"\x89PNG\r\n\x1a\n"
PNG_CHUNK: Final = struct.Struct(">I4s")
PNG_CHECKSUM: Final = 4
MOST_PARTS: Final = 10_000

GIF_HEADER_BYTES: Final = 13
GIF_IMAGE, GIF_EXTENSION, GIF_END = b",", b"!", b";"
GIF_IMAGE_BYTES: Final = 9
# Timing and the loop. Comments, and what programs add (XMP says where and by whom), are left out.
GIF_TIMING: Final = 0xF9
GIF_APPLICATION: Final = 0xFF
GIF_LOOPS: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


class TooManyParts(Exception):
    """More parts than any camera or program writes."""


def count_parts(file: UploadedFile[Any]) -> None:
    """Let a JPEG or PNG pass that has no more parts than it may; anything else too. Raises TooManyParts."""
    file.seek(0)
    start = file.read(len(PNG_START))
    parts = 0
    if start.startswith(JPEG_START):
        file.seek(len(JPEG_START))
        while skip_segment(file):
            parts = counted(parts)
    elif start == PNG_START:
        while skip_chunk(file):
            parts = counted(parts)
    file.seek(0)


def counted(parts: int) -> int:
    if parts >= MOST_PARTS:
        raise TooManyParts
    return parts + 1


def skip_segment(file: UploadedFile[Any]) -> bool:
    """Step over one segment of a JPEG (ITU-T T.81, B.1.1.4); False where the picture itself begins."""
    head = file.read(4)
    if len(head) < 4 or head[0] != MARKER or head[1] == JPEG_DATA:  # noqa: PLR2004 - marker and length
        return False
    if head[1] == MARKER:
        file.seek(-3, 1)  # a fill byte
        return True
    file.seek(int.from_bytes(head[2:], "big") - 2, 1)
    return True


def skip_chunk(file: UploadedFile[Any]) -> bool:
    """Step over one chunk of a PNG (RFC 2083, 3.2); False at the end."""
    head = file.read(PNG_CHUNK.size)
    if len(head) < PNG_CHUNK.size:
        return False
    length, kind = PNG_CHUNK.unpack(head)
    file.seek(length + PNG_CHECKSUM, 1)
    return bool(kind != b"IEND")


def write_gif(source: UploadedFile[Any], target: IO[bytes]) -> None:
    """Copy a GIF up to its end, without comments and what programs say in it. Raises ValueError."""
    source.seek(0)
    header = taken(source, GIF_HEADER_BYTES)
    target.write(header + taken(source, colours(header[10])))
    while (kind := taken(source, 1)) != GIF_END:
        if kind == GIF_IMAGE:
            described = taken(source, GIF_IMAGE_BYTES)
            target.write(kind + described + taken(source, colours(described[8]) + 1))
            target.write(blocks(source))
        elif kind == GIF_EXTENSION:
            label = taken(source, 1)
            said = blocks(source)
            if label[0] == GIF_TIMING or (label[0] == GIF_APPLICATION and said[1:12] in GIF_LOOPS):
                target.write(kind + label + said)
        else:
            raise ValueError
    target.write(GIF_END)


def colours(flags: int) -> int:
    """Return the bytes of the colour table that the flags announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def blocks(source: UploadedFile[Any]) -> bytes:
    """Return sub-blocks up to the empty one that ends them, as they stand."""
    pieces = []
    while size := taken(source, 1):
        pieces += [size, taken(source, size[0])]
        if size == b"\0":
            break
    return b"".join(pieces)


def taken(source: UploadedFile[Any], count: int) -> bytes:
    piece: bytes = source.read(count)
    if len(piece) < count:
        raise ValueError
    return piece
