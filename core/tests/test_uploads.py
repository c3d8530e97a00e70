"""What may be stored, and that bytes and rows come in pairs."""

from __future__ import annotations

from unittest.mock import patch

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.test import TestCase, override_settings

from core.models import Upload
from core.refusals import Unavailable
from core.tests.files import picture, use_own_storage
from core.uploads.policy import UploadRefused
from core.uploads.store import store_upload
from users.tests.factories import make_user


class StoreUploadTests(TestCase):
    def setUp(self) -> None:
        use_own_storage(self)
        self.owner = make_user()

    def store(self, name: str, content: bytes, mime_type: str) -> Upload:
        file = SimpleUploadedFile(name, content, mime_type)
        return store_upload(file, prefix="uploads", owner=self.owner)

    def test_a_file_gets_a_random_name_and_a_row(self) -> None:
        upload = self.store("plan für 2027.PDF", b"%PDF-1.7 text", "application/pdf; charset=x")

        self.assertRegex(upload.key, r"^uploads/[0-9a-f]{32}\.pdf$")
        self.assertEqual(
            (upload.owner, upload.filename, upload.size, upload.mime_type),
            (self.owner, "plan für 2027.PDF", 13, "application/pdf"),
        )
        with default_storage.open(upload.key) as stored:
            self.assertEqual(stored.read(), b"%PDF-1.7 text")

    def test_content_that_says_nothing_passes(self) -> None:
        """CONTRACT 10.1: sniffing must not demand a PDF signature."""
        self.assertEqual(self.store("safety.pdf", b"content", "application/pdf").size, 7)
        self.assertEqual(self.store("dot.png", picture(), "image/png").mime_type, "image/png")

    def test_what_disagrees_or_is_dangerous_is_refused_and_leaves_nothing(self) -> None:
        """B84, B85, as far as extension, type and content go."""
        refused = [
            ("a.exe", b"x", "application/pdf"),
            ("a.sh", b"x", "text/plain"),
            ("a.html", b"x", "text/plain"),
            ("a.svg", b"x", "image/png"),
            ("a.php.png", b"<?php echo 1", "image/png"),
            ("a.png", b"<svg onload=alert(1)>", "image/png"),
            ("a.txt", b"  <!DOCTYPE html><script>", "text/plain"),
            ("a.pdf", b"MZ\x90\x00", "application/pdf"),
            ("a.pdf", b"\x7fELF\x02", "application/pdf"),
            ("a.png", b"GIF89a\x01\x00\x01\x00", "image/png"),
            ("a.pdf", b"x", "text/plain"),
            ("a", b"x", "text/plain"),
            ("a.pdf", b"x", ""),
        ]
        for name, content, mime_type in refused:
            with self.subTest(name, mime_type=mime_type), self.assertRaises(UploadRefused):
                self.store(name, content, mime_type)
        self.assertFalse(Upload.objects.exists())
        self.assertFalse(default_storage.exists("uploads"))

    @override_settings(FILE_UPLOAD_MAX_BYTES=4)
    def test_the_limit_is_inclusive(self) -> None:
        self.assertEqual(self.store("a.txt", b"1234", "text/plain").size, 4)
        with self.assertRaises(UploadRefused):
            self.store("a.txt", b"12345", "text/plain")

    @override_settings(FILE_UPLOAD_ALLOWED_MIME_TYPES=["image/*"])
    def test_a_wildcard_stands_for_its_family(self) -> None:
        self.assertEqual(self.store("dot.png", picture(), "image/png").mime_type, "image/png")
        with self.assertRaises(UploadRefused):
            self.store("a.txt", b"x", "text/plain")

    def test_a_folder_in_the_name_is_dropped(self) -> None:
        for name in ("..\\..\\x.txt", "/etc/x.txt", "a/../x.txt"):
            with self.subTest(name):
                file = SimpleUploadedFile("x.txt", b"x", "text/plain")
                file._name = name  # type: ignore[attr-defined]
                self.assertEqual(store_upload(file, prefix="uploads", owner=None).filename, "x.txt")

    def test_a_storage_that_fails_is_503_and_leaves_no_row(self) -> None:
        with patch.object(default_storage, "save", side_effect=OSError), self.assertRaises(Unavailable):
            self.store("a.txt", b"x", "text/plain")

        self.assertFalse(Upload.objects.exists())

    def test_a_row_that_fails_leaves_no_file(self) -> None:
        with (
            patch.object(Upload.objects, "create", side_effect=DatabaseError),
            self.assertRaises(DatabaseError),
        ):
            self.store("a.txt", b"x", "text/plain")

        self.assertEqual(default_storage.listdir("uploads")[1], [])
