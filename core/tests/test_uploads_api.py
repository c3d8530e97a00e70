"""``POST /api/uploads/``: files come in (CONTRACT 10.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.core.files.storage import default_storage
from django.db import connection
from django.test import TestCase, TransactionTestCase, override_settings
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from core.models import Upload
from core.testing import in_parallel
from core.tests.files import archive, photo, picture, sent, use_own_storage
from users.tests.factories import make_user

URL = reverse("core:upload_file")


class UploadsTests(TestCase):
    client: APIClient

    def setUp(self) -> None:
        use_own_storage(self)
        self.student = make_user()
        self.client = signed_in_client(self.student)

    def post(self, name: str, content: bytes, mime_type: str) -> Any:
        return self.client.post(URL, {"file": sent(name, content, mime_type)}, format="multipart")

    def test_a_file_is_stored_and_told_by_a_link(self) -> None:
        response = self.post("plan für 2027.pdf", b"content", "application/pdf; charset=binary")

        upload = Upload.objects.get()
        body = response.json()
        url = body.pop("url")
        self.assertEqual(response.status_code, 201)
        expected = {"filename": "plan für 2027.pdf", "size": 7, "mimeType": "application/pdf"}
        self.assertEqual(body, expected)
        self.assertEqual((upload.owner, upload.size), (self.student, 7))
        self.assertRegex(upload.key, r"^uploads/[0-9a-f]{32}\.pdf$")
        self.assertTrue(url.startswith("http://testserver/media/"))
        self.assertTrue(url.endswith(upload.key))

    def test_a_photo_is_told_in_the_size_that_is_stored(self) -> None:
        """D19."""
        body = self.post("a.jpg", photo(), "image/jpeg").json()

        self.assertEqual(body["size"], Upload.objects.get().size)
        self.assertNotEqual(body["size"], len(photo()))

    def test_the_other_name_of_a_type_is_taken(self) -> None:
        """Browsers on Windows have one of their own for archives."""
        response = self.post("a.zip", archive(a_txt="x"), "application/x-zip-compressed")

        self.assertEqual(response.status_code, 201)

    def test_a_disk_that_takes_nothing_more_is_503(self) -> None:
        """SAFETY R24: a large file is received on disk before anybody asks for it."""
        with override_settings(FILE_UPLOAD_TEMP_DIR="/dev/null/full"):
            response = self.post("a.txt", b"x" * 3_000_000, "text/plain")

        self.assertEqual((response.status_code, response.headers["Retry-After"]), (503, "5"))
        self.assertFalse(Upload.objects.exists())

    def test_what_is_no_file_is_refused_by_name(self) -> None:
        for body in ({}, {"file": "text"}, {"file": sent("a.txt", b"", "text/plain")}):
            with self.subTest(body=body):
                response = self.client.post(URL, body, format="multipart")

                self.assertEqual(response.status_code, 400)
                self.assertLessEqual({"error", "detail", "code", "file"}, set(response.json()))

    def test_other_bodies_and_methods_are_refused(self) -> None:
        self.assertEqual(self.client.post(URL, {"file": "x"}, format="json").status_code, 415)
        self.assertEqual(self.client.get(URL).status_code, 405)
        self.assertEqual(APIClient().post(URL, {}, format="multipart").status_code, 401)

    @override_settings(FILE_UPLOAD_MAX_BYTES=1_000)
    def test_hostile_files_are_refused_and_leave_nothing(self) -> None:
        """B36, B85."""
        refused = [
            ("a.html", b"<p>x</p>", "text/plain"),
            ("a.svg", b"<svg/>", "image/png"),
            ("a.png", b"<svg onload='x'/>", "image/png"),
            ("a.png", picture() + b"<script>x</script>", "image/png"),
            ("a.php.png", picture(), "image/png"),
            ("a.exe", b"MZ", "application/pdf"),
            ("a.pdf", b"MZ\x90", "application/pdf"),
            ("a.zip", archive(a_exe="MZ"), "application/zip"),
            ("a.txt", b"x" * 1_001, "text/plain"),
            ("..\\x", b"x", "text/plain"),
            ("x", b"x", "text/plain"),
        ]
        for name, content, mime_type in refused:
            with self.subTest(name, content=content[:20]):
                response = self.post(name, content, mime_type)

                self.assertEqual((response.status_code, response.json()["code"]), (400, "upload_refused"))
        self.assertFalse(Upload.objects.exists())
        self.assertFalse(default_storage.exists("uploads"))

    def test_a_storage_that_fails_is_a_503(self) -> None:
        with patch.object(default_storage, "save", side_effect=OSError):
            response = self.post("a.txt", b"x", "text/plain")

        self.assertEqual((response.status_code, response.headers["Retry-After"]), (503, "5"))
        self.assertFalse(Upload.objects.exists())

    @override_settings(FILE_UPLOADS_PER_DAY=2)
    def test_a_person_may_upload_so_many_files_a_day(self) -> None:
        """B88."""
        self.assertEqual([self.post("a.txt", b"x", "text/plain").status_code for _ in range(2)], [201, 201])

        response = self.post("a.txt", b"x", "text/plain")

        self.assertEqual((response.status_code, response.json()["code"]), (429, "upload_quota"))
        self.assertGreater(int(response.headers["Retry-After"]), 86_000)
        self.assertEqual(signed_in_client(make_user()).post(URL, {}).status_code, 400)
        Upload.objects.update(created_at=timezone.now() - timedelta(hours=25))
        self.assertEqual(self.post("a.txt", b"x", "text/plain").status_code, 201)

    def send(self, content: bytes = b"x", key: str = "k-1", client: APIClient | None = None) -> Any:
        body = {"file": sent("a.txt", content, "text/plain")}
        return (client or self.client).post(URL, body, format="multipart", headers={"Idempotency-Key": key})

    @override_settings(FILE_UPLOADS_PER_DAY=1)
    def test_a_file_that_is_sent_again_is_stored_once(self) -> None:
        """B34. It costs nothing either."""
        answers = [self.send() for _ in range(3)]

        upload = Upload.objects.get()
        self.assertEqual([answer.status_code for answer in answers], [201] * 3)
        self.assertEqual({answer.json()["url"] for answer in answers}, {answers[0].json()["url"]})
        self.assertEqual(answers[2].headers["Idempotent-Replayed"], "true")
        self.assertEqual(len(default_storage.listdir("uploads")[1]), 1)
        self.assertTrue(default_storage.exists(upload.key))

    def test_another_file_by_the_same_key_is_refused(self) -> None:
        self.send()

        response = self.send(b"y")

        self.assertEqual((response.status_code, response.json()["code"]), (422, "idempotency_key_reused"))
        self.assertEqual(Upload.objects.count(), 1)

    def test_somebody_elses_key_is_another(self) -> None:
        self.send()

        self.assertEqual(self.send(client=signed_in_client(make_user())).status_code, 201)
        self.assertEqual(Upload.objects.count(), 2)

    def test_a_file_that_was_refused_may_come_better_by_the_same_key(self) -> None:
        self.assertEqual(self.send(b"").status_code, 400)

        self.assertEqual(self.send().status_code, 201)

    @override_settings(FILE_UPLOADS_PER_DAY=1)
    def test_one_that_comes_too_late_for_the_days_quota_leaves_nothing(self) -> None:
        """Another of that person's was stored while this one was being looked at."""

        def meanwhile(file: Any) -> None:
            Upload.objects.create(owner=self.student, key="uploads/other.txt", filename="o.txt", size=1)

        with patch("core.uploads.store.scan", meanwhile):
            response = self.post("a.txt", b"x", "text/plain")

        self.assertEqual((response.status_code, response.json()["code"]), (429, "upload_quota"))
        self.assertEqual(default_storage.listdir("uploads")[1], [])

    @override_settings(FILE_UPLOAD_BYTES_PER_DAY=10)
    def test_a_person_may_upload_so_many_bytes_a_day(self) -> None:
        self.assertEqual(self.post("a.txt", b"x" * 10, "text/plain").status_code, 201)
        self.assertEqual(self.post("a.txt", b"x", "text/plain").status_code, 429)


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class ParallelTests(TransactionTestCase):
    def setUp(self) -> None:
        use_own_storage(self)
        self.student = make_user()
        self.clients = [signed_in_client(self.student) for _ in range(20)]

    def send_at_once(self, **headers: str) -> list[Any]:
        def send(number: int) -> Any:
            body = {"file": sent("a.txt", b"x", "text/plain")}
            return self.clients[number].post(URL, body, format="multipart", headers=headers)

        return in_parallel(send, len(self.clients))

    @override_settings(FILE_UPLOADS_PER_DAY=5)
    def test_a_days_quota_holds_however_many_come_at_once(self) -> None:
        """B88."""
        answers = self.send_at_once()

        self.assertEqual(sorted(answer.status_code for answer in answers), [201] * 5 + [429] * 15)
        self.assertEqual(Upload.objects.count(), 5)
        self.assertEqual(len(default_storage.listdir("uploads")[1]), 5)

    def test_20_at_once_by_one_key_are_one_file(self) -> None:
        """B34."""
        answers = self.send_at_once(**{"Idempotency-Key": "k-1"})

        self.assertEqual([answer.status_code for answer in answers], [201] * 20)
        self.assertEqual(len({answer.json()["url"] for answer in answers}), 1)
        self.assertEqual((Upload.objects.count(), len(default_storage.listdir("uploads")[1])), (1, 1))
