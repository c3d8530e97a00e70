"""Pictures are decoded, bounded, and kept without what their camera knew (B36, B84, B90)."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

from django.core.files.storage import default_storage
from django.test import TestCase
from PIL import Image

from core.models import Upload
from core.tests.files import GPS, archive, photo, picture, sent, use_own_storage
from core.uploads.policy import UploadRefused
from core.uploads.store import store_upload

ORIENTATION = 0x0112


def png_that_says(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes whose header claims any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pieces = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(pieces)


def jpeg_of(segments: bytes) -> bytes:
    """Return a JPEG with more segments before its own."""
    whole = picture("JPEG")
    return whole[:2] + segments + whole[2:]


def png_of(chunks: bytes) -> bytes:
    """Return a PNG with more chunks behind its header."""
    whole = picture()
    return whole[:33] + chunks + whole[33:]


class PictureTests(TestCase):
    def setUp(self) -> None:
        use_own_storage(self)

    def stored(self, name: str, content: bytes, mime_type: str) -> Any:
        upload = store_upload(sent(name, content, mime_type), prefix="uploads", owner=None)
        with default_storage.open(upload.key) as file:
            data = file.read()
        self.assertEqual(upload.size, len(data))
        return Image.open(BytesIO(data))

    def test_a_photo_loses_what_its_camera_knew(self) -> None:
        self.assertIn(b"Camera of Ada", photo())

        kept = self.stored("ada.jpg", photo(), "image/jpeg")

        self.assertEqual((kept.format, dict(kept.getexif()), kept.getexif().get_ifd(GPS)), ("JPEG", {}, {}))

    def test_a_png_loses_its_texts_and_keeps_its_transparency(self) -> None:
        content = BytesIO()
        image = Image.new("P", (4, 4))
        exif = Image.Exif()
        exif[ORIENTATION] = 1
        exif.get_ifd(GPS)[1] = "N"
        image.save(content, "PNG", exif=exif, transparency=0)

        kept = self.stored("a.png", content.getvalue(), "image/png")

        self.assertEqual((dict(kept.getexif()), kept.info["transparency"]), ({}, 0))

    def test_a_photo_held_upright_stays_upright(self) -> None:
        kept = self.stored("a.jpeg", photo(tag_274=6), "image/jpeg")

        self.assertEqual(kept.size, (6, 8))

    def test_a_moving_picture_still_moves(self) -> None:
        content = BytesIO()
        frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
        frames[0].save(content, "GIF", save_all=True, append_images=frames[1:])

        self.assertEqual(self.stored("a.gif", content.getvalue(), "image/gif").n_frames, 2)

    def test_a_photo_of_a_large_sensor_comes_out_at_half_its_size(self) -> None:
        kept = self.stored("a.jpg", picture("JPEG", (5_000, 4_000), "L"), "image/jpeg")

        self.assertEqual(kept.size, (2_500, 2_000))

    def test_what_is_too_large_or_no_whole_picture_is_refused(self) -> None:
        """B90: also what looks like a picture to a browser alone."""
        gif = picture("GIF")
        refused = {
            "50,000 x 50,000": ("a.png", png_that_says(50_000, 50_000), "image/png"),
            "30,000 x 30,000": ("a.png", png_that_says(30_000, 30_000), "image/png"),
            "empty data": ("a.png", png_that_says(10, 10), "image/png"),
            "half a photo": ("a.jpg", photo()[:200], "image/jpeg"),
            "EPS": ("a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n", "image/png"),
            "PNG as JPEG": ("a.jpg", picture(), "image/jpeg"),
            "HTML behind a GIF": ("a.gif", gif + b"<script>alert(1)</script>;", "image/gif"),
            "half a GIF": ("a.gif", gif[:-8], "image/gif"),
            "an archive behind a GIF": ("a.gif", gif + archive(a_txt="x"), "image/gif"),
            "a TIFF": ("a.png", picture("TIFF"), "image/png"),
            "many segments": ("a.jpg", jpeg_of(b"\xff\xe5\x00\x02" * 10_001), "image/jpeg"),
            "many comments": ("a.jpg", jpeg_of(b"\xff\xfe\x00\x02" * 10_001), "image/jpeg"),
            "many chunks": ("a.png", png_of(b"\0\0\0\0teXt\0\0\0\0" * 10_001), "image/png"),
            "HTML behind a PNG": ("a.png", picture() + b" " * 70_000 + b"<HTML>", "image/png"),
            "HTML over the edge of a piece": ("a.png", picture().ljust(65_533) + b"<script>", "image/png"),
        }
        for name, file in refused.items():
            with self.subTest(name), self.assertRaises(UploadRefused):
                store_upload(sent(*file), prefix="uploads", owner=None)
        self.assertFalse(Upload.objects.exists())

    def test_what_stands_behind_a_picture_is_not_kept(self) -> None:
        for name, kind in (("a.png", "PNG"), ("a.gif", "GIF"), ("a.jpg", "JPEG")):
            with self.subTest(kind):
                kept = self.stored(name, picture(kind) + b"secret", f"image/{kind.lower()}")

                kept.fp.seek(0)
                self.assertNotIn(b"secret", kept.fp.read())

    def test_a_gif_loses_what_programs_say_in_it(self) -> None:
        content = BytesIO()
        frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
        frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], loop=3, comment=b"by Ada")
        xmp = b"!\xff\x0bXMP DataXMP\x0cGPSLatitude \x00"
        whole = content.getvalue()

        kept = self.stored("a.gif", whole[:-1] + xmp + whole[-1:], "image/gif")

        kept.fp.seek(0)
        data = kept.fp.read()
        self.assertEqual((kept.n_frames, kept.info["loop"]), (2, 3))
        self.assertEqual([word for word in (b"by Ada", b"XMP", b"GPS") if word in data], [])

    def test_a_photo_of_a_phone_that_holds_two_is_one_afterwards(self) -> None:
        content = BytesIO()
        large = Image.new("L", (5_000, 4_000))
        large.save(content, "MPO", save_all=True, append_images=[Image.new("L", (8, 8))])
        self.assertEqual(Image.open(BytesIO(content.getvalue())).format, "MPO")

        kept = self.stored("a.jpg", content.getvalue(), "image/jpeg")

        self.assertEqual((kept.format, kept.size), ("JPEG", (2_500, 2_000)))

    def test_a_large_photo_that_lies_on_its_side_is_halved_sooner(self) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = 6

        kept = self.stored("a.jpg", picture("JPEG", (4_000, 3_000), "L", exif=exif), "image/jpeg")

        self.assertEqual(kept.size, (1_500, 2_000))

    def test_what_calls_itself_a_picture_and_is_another_binary_is_not_kept_unread(self) -> None:
        heif = b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + b"\0" * 64
        for name, content in (("HEIF", heif), ("JPEG 2000", b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 64)):
            with self.subTest(name), self.assertRaises(UploadRefused):
                store_upload(sent("a.jpg", content, "image/jpeg"), prefix="uploads", owner=None)
