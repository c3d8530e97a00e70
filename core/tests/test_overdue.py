"""Storage and scanner leave threads of a process to everybody else, whatever they do: SAFETY R7, R8."""

from __future__ import annotations

import time
from contextlib import ExitStack
from unittest.mock import patch

from django.test import SimpleTestCase, override_settings

from core.refusals import Unavailable
from core.uploads import store as uploads
from core.uploads.overdue import (
    BYTES_PER_SECOND,
    MOST_INSIDE,
    MOST_OVERDUE,
    PATIENCE_SECONDS,
    Bulkhead,
    Places,
)


class FrozenClock(SimpleTestCase):
    """Time passes when a test says so."""

    def setUp(self) -> None:
        self.now = 100.0
        self.enterContext(patch("core.uploads.overdue.time.monotonic", lambda: self.now))
        self.places = Places()
        self.door, self.other = (Bulkhead("Not now.", places=self.places) for _ in range(2))
        self.inside = self.enterContext(ExitStack())
        self.tickets: list[ExitStack] = []

    def enter(self, size: int = 0, *, door: Bulkhead | None = None) -> None:
        self.tickets.append(self.inside.enter_context(ExitStack()))
        self.tickets[-1].enter_context((door or self.door).passing(size))

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
