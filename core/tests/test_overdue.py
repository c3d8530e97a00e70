"""A storage or scanner that stalls does not keep all threads of a process: SAFETY R7."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from unittest.mock import patch

from botocore.config import Config
from django.test import SimpleTestCase, TransactionTestCase

from btf_backend.stores import S3_CLIENT
from core.models import Upload
from core.refusals import Unavailable
from core.tests.s3 import stored_at
from core.tests.test_s3 import server_that_answers, store
from core.uploads.overdue import BYTES_PER_SECOND, MOST_INSIDE, MOST_OVERDUE, PATIENCE_SECONDS, Bulkhead

SLOW = S3_CLIENT.merge(Config(read_timeout=2, retries={"total_max_attempts": 1, "mode": "standard"}))


class BulkheadTests(SimpleTestCase):
    def setUp(self) -> None:
        self.now = 100.0
        self.enterContext(patch("core.uploads.overdue.time.monotonic", lambda: self.now))
        self.door = Bulkhead("Not now.")
        self.most = 0
        self.inside = self.enterContext(ExitStack())

    def enter(self, size: int = 0) -> None:
        self.inside.enter_context(self.door.passing(size))

    def pass_through(self, _: int) -> None:
        with self.door.passing(0):
            self.most = max(self.most, len(self.door.due))
            time.sleep(0.005)

    def let_a_class_through(self) -> None:
        with ThreadPoolExecutor(40) as pool:
            list(pool.map(self.pass_through, range(40)))

    def test_a_whole_class_passes_and_leaves_two_threads_to_the_others(self) -> None:
        self.let_a_class_through()

        self.assertLessEqual(self.most, MOST_INSIDE)
        self.assertGreater(self.most, MOST_OVERDUE)

    def test_who_waits_for_a_place_is_refused_once_two_are_overdue(self) -> None:
        for _ in range(MOST_INSIDE):
            self.enter()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self.pass_through, 0)
            time.sleep(0.3)
            self.assertFalse(waiting.done())

            self.now += PATIENCE_SECONDS + 0.1

            self.assertIsInstance(waiting.exception(timeout=10), Unavailable)
        self.assertEqual(len(self.door.due), MOST_INSIDE)

    def test_while_two_are_overdue_the_next_is_refused_at_once(self) -> None:
        for _ in range(MOST_OVERDUE):
            self.enter()
        self.now += PATIENCE_SECONDS + 0.1

        with self.assertRaisesMessage(Unavailable, "Not now."):
            self.enter()

    def test_one_alone_refuses_nobody(self) -> None:
        self.enter()
        self.now += 3_600

        self.enter()

    def test_once_they_have_gone_two_pass_until_one_is_through_in_time(self) -> None:
        """Clients come again, all at once."""
        for _ in range(MOST_OVERDUE):
            self.enter()
        self.now += 3_600
        self.inside.close()
        for _ in range(MOST_OVERDUE):
            self.enter()

        with self.assertRaises(Unavailable):
            self.enter()
        self.inside.close()
        self.let_a_class_through()

    def test_a_large_file_may_take_longer(self) -> None:
        for _ in range(MOST_OVERDUE):
            self.enter(size=10 * BYTES_PER_SECOND)
        self.now += PATIENCE_SECONDS + 9

        self.enter()


class StalledBucketTests(TransactionTestCase):
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
