"""The line before scanner and bucket: it moves and all get in, or stands still and holds no threads."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING
from unittest.mock import patch

from django.test import SimpleTestCase

from core.refusals import Unavailable
from core.tests.test_overdue import FrozenClock
from core.uploads.overdue import LINE_SECONDS, MOST_INSIDE, PATIENCE_SECONDS, Bulkhead, Full, Places

if TYPE_CHECKING:
    from concurrent.futures import Future

THREADS = MOST_INSIDE + 2  # of a process: WEB_THREADS
SOON = 10  # seconds after which a test gives up


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

    def test_nobody_waits_again_before_somebody_has_got_in(self) -> None:
        self.test_who_waits_is_refused_after_a_second_and_who_comes_at_once()
        self.now += 3_600
        self.assertIsInstance(self.one_more().exception(SOON), Full)
        self.let_one_in()

        self.assert_one_may_wait()

    def test_nor_before_a_second_is_over(self) -> None:
        self.test_who_waits_is_refused_after_a_second_and_who_comes_at_once()
        self.now += LINE_SECONDS / 2
        self.let_one_in()
        self.assertIsInstance(self.one_more().exception(SOON), Full)
        self.now += LINE_SECONDS / 2

        self.assert_one_may_wait()

    def test_a_line_that_moves_refuses_nobody_however_long_all_places_are_taken(self) -> None:
        self.door = Bulkhead("Not now.", lambda: 3_600, self.places)
        for _ in range(MOST_INSIDE - 1):
            self.enter()
        for _ in range(5):
            with self.door.passing():
                waiting = self.one_more()
                self.await_line(1)
                self.now += LINE_SECONDS - 0.1
            waiting.result(SOON)

    def test_each_has_a_second_of_their_own_after_the_line_moved(self) -> None:
        for _ in range(MOST_INSIDE):
            self.enter()
        self.pool.submit(self.stay)
        self.await_line(1)
        waiting = self.one_more()
        self.await_line(2)
        self.now += LINE_SECONDS - 0.1
        self.tickets[0].close()
        self.await_line(1)
        self.now += LINE_SECONDS - 0.1
        time.sleep(0.3)
        self.assertFalse(waiting.done())
        self.now += 0.1

        self.assertIsInstance(waiting.exception(SOON), Full)

    def await_line(self, length: int) -> None:
        deadline = time.perf_counter() + SOON
        while len(self.places.line) != length and time.perf_counter() < deadline:
            time.sleep(0.001)
        self.assertEqual(len(self.places.line), length)

    def stay(self) -> None:
        """Take a place until the test is over."""
        left = Event()
        self.addCleanup(left.set)
        with self.other.passing():
            left.wait(SOON)

    def let_one_in(self) -> None:
        """Let one out, and another one in."""
        self.tickets[0].close()
        self.enter()

    def assert_one_may_wait(self) -> None:
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
    def test_the_pictures_of_five_pages_at_once_are_all_sent(self) -> None:
        """A browser does not ask again for a picture. Each takes little, all of them longer than a second."""
        door = Bulkhead("Not now.", places=Places())

        def read(_: int) -> None:
            with door.passing():
                time.sleep(0.06)

        with ThreadPoolExecutor(THREADS) as pool:
            sent = [pool.submit(read, number) for number in range(150)]

        self.assertEqual({one.exception() for one in sent}, {None})

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
