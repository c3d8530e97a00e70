"""Files in a bucket: over HTTP against a real S3 API, and against servers that fail."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from botocore.config import Config
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.test import SimpleTestCase, TestCase, override_settings, tag

from core.models import Upload
from core.refusals import Unavailable
from core.tests.clamd import free_port
from core.tests.s3 import BUCKET, S3Server, status_of, stored_at
from core.uploads.bucket import S3_CLIENT
from core.uploads.delivery import disposition, presigned
from core.uploads.files import object_in_bucket, open_file, remove_files, save_file
from core.uploads.links import Links
from core.uploads.store import store_upload
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKOFF_SECONDS = 1
CONTINUE_SECONDS = 1  # how long botocore waits for a server's leave to send a body
HURRIED = S3_CLIENT.merge(
    Config(connect_timeout=0.2, read_timeout=0.2, retries={"total_max_attempts": 1, "mode": "standard"})
)


def store(content: bytes = b"minutes") -> Upload:
    file = SimpleUploadedFile("plan für 2027.txt", content, "text/plain")
    return store_upload(file, prefix="uploads", owner=None)


class BucketTests(TestCase):
    server: S3Server

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = S3Server()
        cls.addClassCleanup(cls.server.end)
        cls.enterClassContext(stored_at(cls.server.base))

    def setUp(self) -> None:
        self.server.empty()

    def test_a_file_is_saved_opened_and_deleted(self) -> None:
        save_file("exports/a.zip", ContentFile(b"0123456789"))
        with open_file("exports/a.zip") as file:
            file.seek(4)
            self.assertEqual(file.read(3), b"456")
        self.assertEqual(self.server.keys(), ["exports/a.zip"])

        remove_files(["exports/a.zip", "exports/gone.zip"])

        self.assertEqual(self.server.keys(), [])
        with self.assertRaises(FileNotFoundError):
            open_file("exports/a.zip")

    def test_an_upload_lands_in_the_bucket_with_its_row(self) -> None:
        upload = store()

        self.assertRegex(upload.key, r"^uploads/[0-9a-f]{32}\.txt$")
        self.assertEqual(self.server.keys(), [upload.key])
        self.assertEqual((upload.size, upload.filename), (7, "plan für 2027.txt"))

    def test_nobody_reads_the_bucket_without_a_signature(self) -> None:
        """B86. The public object proves that it is our access list which shuts the other."""
        upload = store()
        self.server.client.put_object(Bucket=BUCKET, Key="public", Body=b"x", ACL="public-read")

        self.assertEqual(status_of(f"{self.server.base}/{BUCKET}/{upload.key}"), 403)
        self.assertEqual(status_of(f"{self.server.base}/{BUCKET}/public"), 200)

    def test_a_presigned_address_names_the_file_and_lives_five_minutes(self) -> None:
        """SAFETY B37."""
        upload = store()
        url = presigned(upload)

        signed = parse_qs(urlsplit(url).query)
        self.assertEqual(signed["X-Amz-Expires"], ["300"])
        self.assertEqual(signed["X-Amz-Algorithm"], ["AWS4-HMAC-SHA256"])
        with urllib.request.urlopen(url) as response:  # noqa: S310 - http, and ours
            self.assertEqual(response.read(), b"minutes")
            self.assertEqual(response.headers["Content-Disposition"], disposition(upload))
            self.assertEqual(response.headers["Content-Type"], "text/plain")

    def test_a_link_leads_to_the_bytes_by_each_road(self) -> None:
        """D15: from here, by the proxy, by the bucket itself."""
        owner = make_user()
        file = SimpleUploadedFile("plan.txt", b"minutes", "text/plain")
        link = Links(owner.pk, "").to(store_upload(file, prefix="uploads", owner=owner).key)

        self.assertEqual(b"".join(self.client.get(link)), b"minutes")
        self.assertEqual(b"".join(self.client.get(link, headers={"Range": "bytes=3-"})), b"utes")
        with override_settings(FILE_DELIVERY="accel"):
            location = self.client.get(link).headers["X-Accel-Redirect"]
        with override_settings(FILE_DELIVERY="redirect"):
            address = self.client.get(link).headers["Location"]
        self.assertTrue(location.startswith(f"/_bucket/127.0.0.1:{self.server.port}/{BUCKET}/uploads/"))
        for url in (address, location.replace("/_bucket/", "http://")):
            with urllib.request.urlopen(url) as response:  # noqa: S310 - http, and ours
                self.assertEqual(response.read(), b"minutes")
                self.assertEqual(response.headers["Content-Type"], "text/plain")

    def test_no_more_is_fetched_than_was_asked_for(self) -> None:
        owner = make_user()
        file = SimpleUploadedFile("a.mp4", b"0123456789" * 1_000, "video/mp4")
        link = Links(owner.pk, "").to(store_upload(file, prefix="uploads", owner=owner).key)

        with patch("core.uploads.files.object_in_bucket", wraps=object_in_bucket) as fetched:
            self.assertEqual(self.client.head(link).headers["Content-Length"], "10000")
            self.assertEqual(fetched.call_count, 0)
            self.assertEqual(b"".join(self.client.get(link, headers={"Range": "bytes=12-14"})), b"234")

        self.assertEqual(fetched.call_args.args[1:], (12, 3))

    def test_a_bucket_that_fails_is_a_503_and_a_lost_file_a_404(self) -> None:
        owner = make_user()
        file = SimpleUploadedFile("a.txt", b"minutes", "text/plain")
        upload = store_upload(file, prefix="uploads", owner=owner)
        link = Links(owner.pk, "").to(upload.key)

        remove_files([upload.key])
        self.assertEqual(self.client.get(link).status_code, 404)
        with stored_at(f"http://127.0.0.1:{free_port()}"):
            self.assertEqual(self.client.get(link).status_code, 503)

    @override_settings(FILE_DELIVERY="redirect")
    def test_an_address_in_the_bucket_is_never_kept(self) -> None:
        owner = make_user()
        file = SimpleUploadedFile("a.txt", b"minutes", "text/plain")
        link = Links(owner.pk, "").to(store_upload(file, prefix="uploads", owner=owner).key)

        response = self.client.get(link, headers={"If-None-Match": "*"})

        self.assertEqual((response.status_code, response.headers["Cache-Control"]), (302, "no-store"))
        self.assertNotIn("ETag", response.headers)

    def test_an_upload_is_one_request_and_so_whole_or_not_there(self) -> None:
        key = save_file("uploads/large.mp4", ContentFile(b"x" * 9_437_184))

        stored = self.server.client.head_object(Bucket=BUCKET, Key=key)
        self.assertEqual(stored["ContentLength"], 9_437_184)
        self.assertNotIn("-", stored["ETag"])  # of parts it would be digest-count

    def test_a_folder_in_the_bucket_keeps_two_installations_apart(self) -> None:
        with patch.dict(os.environ, {"VULTR_KEY_PREFIX": "staging"}), stored_at(self.server.base):
            upload = store()
            with open_file(upload.key) as file:
                self.assertEqual(file.read(), b"minutes")

        self.assertEqual(self.server.keys(), [f"staging/{upload.key}"])

    def test_a_row_that_fails_leaves_no_object(self) -> None:
        with (
            patch.object(Upload.objects, "create", side_effect=DatabaseError),
            self.assertRaises(DatabaseError),
        ):
            store()

        self.assertEqual(self.server.keys(), [])

    def test_a_bucket_that_is_not_there_is_503(self) -> None:
        with stored_at(self.server.base, bucket="btf-gone"), self.assertRaises(Unavailable):
            store()

        self.assertFalse(Upload.objects.exists())


@contextmanager
def server_that_answers(answer: bytes | None, *, closes: bool = True) -> Iterator[str]:
    """Yield the address of a server that says this to each request; None: nothing, for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections: list[socket.socket] = []

        def serve() -> None:
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                if not connection.recv(1):
                    return
                if answer is not None:
                    connection.sendall(answer)
                    if closes:
                        connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        address = listener.getsockname()
        yield f"http://127.0.0.1:{address[1]}"
        socket.create_connection(address).close()
        thread.join()
        for connection in connections:
            connection.close()


class BrokenStoreTests(TestCase):
    """SAFETY R7: 503 within ten seconds, no row, no file elsewhere."""

    def assert_refused(self, within: float = 5) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        started = time.monotonic()
        with self.settings(MEDIA_ROOT=folder), self.assertRaises(Unavailable):
            store()
        self.assertLess(time.monotonic() - started, within)
        self.assertFalse(Upload.objects.exists())
        self.assertFalse(any(Path(folder).iterdir()))

    def test_a_stopped_one(self) -> None:
        with stored_at(f"http://127.0.0.1:{free_port()}", client_config=HURRIED):
            self.assert_refused()

    def test_one_that_stalls(self) -> None:
        with server_that_answers(None) as base, stored_at(base, client_config=HURRIED):
            self.assert_refused()

    def test_one_that_answers_500_or_hangs_up(self) -> None:
        for answer in (b"HTTP/1.1 500 Oh no\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 2", b""):
            with (
                self.subTest(answer),
                server_that_answers(answer) as base,
                stored_at(base, client_config=HURRIED),
            ):
                self.assert_refused()

    @tag("drill")
    def test_one_that_stalls_in_production_s_own_time(self) -> None:
        for size in (7, 26_214_400):
            with self.subTest(size), server_that_answers(None) as base, stored_at(base):
                self.assert_refused(within=10)


class PatienceTests(SimpleTestCase):
    def test_all_tries_together_end_within_ten_seconds(self) -> None:
        tries = S3_CLIENT.retries["total_max_attempts"]
        one = max(2 * S3_CLIENT.connect_timeout, CONTINUE_SECONDS + S3_CLIENT.read_timeout)

        self.assertGreater(tries, 1)
        self.assertLess(tries * one + (tries - 1) * BACKOFF_SECONDS, 10)
