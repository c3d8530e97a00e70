"""Storage and scanner leave threads of a process to everybody else, whatever they do: SAFETY R7, R8."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event
from typing import TYPE_CHECKING
from unittest.mock import patch

from django.test import SimpleTestCase, override_settings

from core.refusals import Unavailable
from core.uploads import store as uploads
from core.uploads.overdue import (
    BYTES_PER_SECOND,
    LINE_SECONDS,
    MOST_INSIDE,
    MOST_OVERDUE,
    PATIENCE_SECONDS,
    Bulkhead,
    Full,
    Places,
)

if TYPE_CHECKING:
    from concurrent.futures import Future

THREADS = MOST_INSIDE + 2  # of a process: WEB_THREADS
SOON = 10  # seconds after which a test gives up


class FrozenClock(SimpleTestCase):
    """Time passes when a test says so."""

    def setUp(self) -> None:
        self.now = 100.0
        self.enterContext(patch("core.uploads.overdue.time.monotonic", lambda: self.now))
        self.places = Places()
        self.door, self.other = (Bulkhead("Not now.", places=self.places) for _ in range(2))
        self.inside = self.enterContext(ExitStack())

    def enter(self, size: int = 0, *, door: Bulkhead | None = None) -> None:
        self.inside.enter_context((door or self.door).passing(size))

    def pass_through(self, _: int = 0) -> None:
        with self.door.passing():
            time.sleep(0.005)

    def fail_after(self, seconds: float, size: int = 0) -> None:
        with self.assertRaises(TimeoutError), self.door.passing(size):
            self.now += seconds
            raise TimeoutError


class StallTests(FrozenClock):
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

    def test_what_stalls_holds_up_nobody_at_another_thing(self) -> None:
        for _ in range(MOST_OVERDUE):
            self.enter()
        self.now += 3_600

        self.enter(door=self.other)

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
        for _ in range(MOST_INSIDE):
            self.enter()

    def test_a_large_file_may_take_longer(self) -> None:
        for _ in range(MOST_OVERDUE):
            self.enter(size=10 * BYTES_PER_SECOND)
        self.now += PATIENCE_SECONDS + 9

        self.enter()

    def test_who_gives_up_after_its_patience_was_overdue_however_large_the_file(self) -> None:
        """A scanner's or a bucket's own limit comes before what a large file would be allowed."""
        self.fail_after(PATIENCE_SECONDS, size=10 * BYTES_PER_SECOND)
        for _ in range(MOST_OVERDUE):
            self.enter()

        with self.assertRaises(Unavailable):
            self.enter()

    def test_a_fault_at_once_holds_nobody_up_and_is_no_sign_of_mending(self) -> None:
        self.fail_after(0)
        self.assertFalse(self.door.is_stalling)
        self.fail_after(PATIENCE_SECONDS)
        self.fail_after(0)

        self.assertTrue(self.door.is_stalling)

    @override_settings(FILE_UPLOAD_SCAN_SECONDS=30)
    def test_a_scanner_has_the_time_that_the_operator_gives_it(self) -> None:
        for _ in range(MOST_OVERDUE):
            self.enter(door=uploads.scanners)
        self.now += 29
        self.enter(door=uploads.scanners)
        self.now += 1

        with self.assertRaises(Unavailable):
            self.enter(door=uploads.scanners)
        self.inside.close()
        self.enter(door=uploads.scanners)
        self.inside.close()
        self.assertFalse(uploads.scanners.is_stalling)


class LineTests(FrozenClock):
    def setUp(self) -> None:
        super().setUp()
        self.pool = self.enterContext(ThreadPoolExecutor(THREADS))
        self.addCleanup(self.inside.close)  # first, or who waits would do so for ever

    def test_a_class_passes_in_the_threads_of_one_process_while_it_is_quick(self) -> None:
        self.assertEqual(list(self.pool.map(self.pass_through, range(40))), [None] * 40)

    def test_who_waits_for_a_place_is_refused_once_two_are_overdue(self) -> None:
        waiting = self.one_that_waits(door=self.door)
        with patch("core.uploads.overdue.LINE_SECONDS", 3_600):
            self.now += PATIENCE_SECONDS

            refusal = waiting.exception(SOON)
        self.assertEqual(type(refusal), Unavailable)
        self.assertEqual(len(self.door.due), MOST_INSIDE)

    def test_who_waits_is_refused_after_a_second_and_who_comes_at_once(self) -> None:
        waiting = self.one_that_waits(door=self.other)
        self.now += LINE_SECONDS

        self.assertIsInstance(waiting.exception(SOON), Full)
        self.assertIsInstance(self.one_more().exception(SOON), Full)

    def test_a_second_after_the_last_had_to_wait_one_may_wait_again(self) -> None:
        self.test_who_waits_is_refused_after_a_second_and_who_comes_at_once()
        self.now += LINE_SECONDS
        self.assertIsInstance(self.one_more().exception(SOON), Full)
        self.now += LINE_SECONDS + 0.1

        waiting = self.one_more()
        time.sleep(0.3)
        self.assertFalse(waiting.done())
        self.inside.close()
        waiting.result(SOON)

    def test_places_are_those_of_a_process_whatever_one_waits_for(self) -> None:
        waiting = self.one_that_waits(door=self.other)
        self.inside.close()
        waiting.result(SOON)

    def test_who_is_in_the_middle_of_it_counts_and_is_refused_nothing(self) -> None:
        for _ in range(MOST_INSIDE):
            self.enter()
        with self.door.passing(in_turn=False):
            self.assertEqual(self.places.inside, THREADS - 1)
        self.assertEqual(self.places.inside, MOST_INSIDE)

    def test_they_pass_in_the_order_of_coming(self) -> None:
        passed: list[int] = []

        def note(number: int) -> None:
            with self.door.passing():
                passed.append(number)
                time.sleep(0.005)

        waiting = []
        for _ in range(MOST_INSIDE - 1):
            self.enter()
        with self.door.passing():
            for number in range(THREADS):
                waiting.append(self.pool.submit(note, number))
                while len(self.places.line) <= number and not waiting[-1].done():
                    time.sleep(0.001)
        for one in waiting:
            one.result(SOON)
        self.assertEqual(passed, list(range(THREADS)))

    def one_that_waits(self, *, door: Bulkhead) -> Future[None]:
        """Return one that waits at the first door, with all places taken at this one."""
        for _ in range(MOST_INSIDE):
            self.enter(door=door)
        waiting = self.one_more()
        time.sleep(0.3)
        self.assertFalse(waiting.done())
        return waiting

    def one_more(self) -> Future[None]:
        return self.pool.submit(self.pass_through)


class ThreadsOfAProcessTests(SimpleTestCase):
    def test_with_thirty_uploads_at_slow_things_two_threads_serve_the_others(self) -> None:
        """Nothing is overdue: scanner and storage are well, and slow."""
        places, ended = Places(), Event()
        doors = [Bulkhead("Not now.", lambda: 3_600, places) for _ in range(2)]

        def upload(number: int) -> None:
            with doors[number % 2].passing():
                ended.wait(3 * SOON)

        with ThreadPoolExecutor(THREADS) as pool:
            sent = [pool.submit(upload, number) for number in range(30)]
            light = [pool.submit(time.monotonic) for _ in range(4)]
            try:
                for one in light:
                    one.result(SOON)
                self.assertEqual(places.inside, MOST_INSIDE)
            finally:
                ended.set()

        refused = [error for one in sent if (error := one.exception()) is not None]
        self.assertEqual({type(error) for error in refused}, {Full})
        self.assertGreaterEqual(len(refused), 30 - THREADS)
        self.assertEqual(places.inside, 0)
