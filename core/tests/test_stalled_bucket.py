"""A bucket that stalls, to those who write and those who read: SAFETY R7."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from botocore.config import Config
from django.core.cache import cache
from django.test import TransactionTestCase, override_settings
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from core.models import Upload
from core.refusals import Unavailable
from core.tests.clamd import free_port
from core.tests.s3 import stored_at
from core.tests.test_s3 import HURRIED, server_that_answers, store
from core.uploads.bucket import S3_CLIENT
from core.uploads.delivery import opened
from core.uploads.files import PartOfObject, reads
from core.uploads.links import Links
from core.uploads.overdue import MOST_OVERDUE
from core.uploads.rescan import verdict_on
from core.uploads.store import storage
from users.models import DataArchive
from users.services.archive import request_archive
from users.tests.factories import make_user

if TYPE_CHECKING:
    from users.models import User

SLOW = S3_CLIENT.merge(Config(read_timeout=4, retries={"total_max_attempts": 1, "mode": "standard"}))


class StalledBucketTests(TransactionTestCase):
    def setUp(self) -> None:
        cache.clear()
        for door in (reads, storage):
            self.enterContext(patch.object(door, "is_stalling", new=False))

    def test_of_six_uploads_at_a_bucket_that_stalls_no_more_wait_than_were_there(self) -> None:
        with (
            server_that_answers(None) as base,
            stored_at(base, client_config=SLOW),
            patch("core.uploads.overdue.PATIENCE_SECONDS", 0.1),
            ThreadPoolExecutor(MOST_OVERDUE) as pool,
        ):
            waiting = [pool.submit(store) for _ in range(MOST_OVERDUE)]
            time.sleep(0.5)
            for _ in range(4):
                with self.assertRaises(Unavailable):
                    store()
            self.assertFalse(any(one.done() for one in waiting), "The four were refused while two waited.")
            refusals = [one.exception() for one in waiting]

        self.assertEqual([type(refusal) for refusal in refusals], [Unavailable] * MOST_OVERDUE)
        self.assertFalse(Upload.objects.exists())

    def test_nor_do_readers_wait_for_it(self) -> None:
        for answer in (None, b"HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\n\r\n012"):
            with (
                self.subTest(answer),
                server_that_answers(answer, closes=False) as base,
                stored_at(base, client_config=SLOW),
                patch("core.uploads.overdue.PATIENCE_SECONDS", 0.1),
                ThreadPoolExecutor(MOST_OVERDUE) as pool,
            ):
                waiting = [pool.submit(opened, "uploads/a.png", range(10)) for _ in range(MOST_OVERDUE)]
                time.sleep(0.5)
                for _ in range(4):
                    with self.assertRaises(Unavailable):
                        opened("uploads/a.png", range(10))
                self.assertFalse(
                    any(one.done() for one in waiting), "The four were refused while two waited."
                )
                refusals = [one.exception() for one in waiting]

            self.assertEqual([type(refusal) for refusal in refusals], [Unavailable] * MOST_OVERDUE)
            self.assertTrue(reads.is_stalling)

    def test_nor_do_those_who_take_their_zip_away(self) -> None:
        """Its bytes pass by the guard, too, and one that was refused was not taken."""
        user = make_user()
        archive = self.archive_of(user)
        stops = b"HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\n\r\n012"
        with (
            override_settings(EXPORTS_PER_USER="1/1h"),
            server_that_answers(stops, closes=False) as base,
            stored_at(base, client_config=HURRIED),
            patch("core.uploads.overdue.PATIENCE_SECONDS", 0.1),
        ):
            for _ in range(2):
                with self.assertRaises(Unavailable):
                    request_archive(user)
            self.assertTrue(reads.is_stalling)
            with ExitStack() as inside:
                for _ in range(MOST_OVERDUE):
                    inside.enter_context(reads.passing())
                with self.assertRaises(Unavailable):
                    request_archive(user)

        archive.refresh_from_db()
        self.assertEqual(archive.key, "exports/a.zip")

    def test_a_zip_is_sent_as_it_comes(self) -> None:
        user = make_user()
        self.archive_of(user)
        comes = b"HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\n\r\n0123456789"
        with server_that_answers(comes) as base, stored_at(base, client_config=HURRIED):
            answer: Any = signed_in_client(user).get(reverse("users:me-export"))
            self.assertEqual((answer.status_code, answer.headers["Content-Length"]), (200, "10"))
            self.assertEqual(answer.getvalue(), b"0123456789")

    def archive_of(self, user: User) -> DataArchive:
        return DataArchive.objects.create(
            user=user, key="exports/a.zip", size=10, state=DataArchive.State.READY
        )

    def test_a_job_that_reads_a_whole_file_is_told_in_the_storage_s_own_words(self) -> None:
        stops = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012"
        with (
            server_that_answers(stops, closes=False) as base,
            stored_at(base, client_config=HURRIED),
            override_settings(FILE_UPLOAD_SCAN_COMMAND="true {file}"),
            self.assertRaises(Unavailable),
        ):
            verdict_on("uploads/a.png")

    def test_meanwhile_a_link_is_503_for_a_part_too_and_what_needs_no_bytes_is_answered(self) -> None:
        owner = make_user()
        upload = Upload.objects.create(
            owner=owner, key="uploads/a.txt", filename="a.txt", size=7, mime_type="text/plain"
        )
        link = Links(owner.pk, "").to(upload.key)
        with stored_at(f"http://127.0.0.1:{free_port()}"), ExitStack() as inside:
            for _ in range(MOST_OVERDUE):
                inside.enter_context(reads.passing())
            with patch.object(reads, "is_stalling", new=True):
                for headers in ({}, {"Range": "bytes=3-"}):
                    answer = self.client.get(link, headers=headers)
                    self.assertEqual((answer.status_code, answer.headers["Retry-After"]), (503, "5"))
                self.assertEqual(self.client.head(link).headers["Content-Length"], "7")
                self.assertEqual(self.client.get(link, headers={"If-None-Match": "*"}).status_code, 304)

    def test_a_body_that_stops_in_the_middle_tells_those_who_come(self) -> None:
        class Body:
            def __init__(self) -> None:
                self.pieces = iter([b"first"])

            def read(self, size: int) -> bytes:
                for piece in self.pieces:
                    return piece
                time.sleep(0.2)
                raise TimeoutError

        with patch("core.uploads.overdue.PATIENCE_SECONDS", 0.1):
            part = PartOfObject(Body(), 10)
            self.assertEqual(part.read(3) + part.read(3), b"first")
            with self.assertRaises(TimeoutError):
                part.read(5)

        self.assertTrue(reads.is_stalling)
