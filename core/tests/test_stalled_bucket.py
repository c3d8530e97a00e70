"""A bucket that stalls, to those who write and those who read: SAFETY R7."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from unittest.mock import patch

from botocore.config import Config
from django.test import TransactionTestCase

from btf_backend.stores import S3_CLIENT
from core.models import Upload
from core.refusals import Unavailable
from core.tests.clamd import free_port
from core.tests.s3 import stored_at
from core.tests.test_s3 import server_that_answers, store
from core.uploads.delivery import opened
from core.uploads.files import PartOfObject, reads
from core.uploads.links import Links
from core.uploads.overdue import MOST_OVERDUE
from core.uploads.store import storage
from users.tests.factories import make_user

SLOW = S3_CLIENT.merge(Config(read_timeout=4, retries={"total_max_attempts": 1, "mode": "standard"}))


class StalledBucketTests(TransactionTestCase):
    def setUp(self) -> None:
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
