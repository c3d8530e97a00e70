"""Whatever happens in a round, the next one comes."""

from __future__ import annotations

import asyncio

from django.db import OperationalError
from django.test import SimpleTestCase

from core.sweep import Sweeper, side_by_side

PATIENCE = 5


class Troubled(Sweeper[str]):
    """Fails in its first rounds, then finds its sockets."""

    every_seconds = 0.001

    def __init__(self, *faults: Exception) -> None:
        super().__init__()
        self.faults = list(faults)
        self.found: asyncio.Event = asyncio.Event()

    async def look_after(self, sockets: set[str]) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.found.set()


class SweeperTests(SimpleTestCase):
    async def test_it_goes_on_after_whatever_happened(self) -> None:
        sweeper = Troubled(OperationalError(), KeyError("revision"), OSError())
        with self.assertLogs("core.sweep", "WARNING") as logs:
            sweeper.watch("socket")
            await asyncio.wait_for(sweeper.found.wait(), PATIENCE)

        lines = [(record.message, record.levelname) for record in logs.records]
        self.assertEqual(
            lines, [("sweep_failed", "WARNING"), ("sweep_broke", "ERROR"), ("sweep_broke", "ERROR")]
        )
        self.assertIsNotNone(logs.records[1].exc_info)
        sweeper.unwatch("socket")

    async def test_it_ends_with_its_last_socket_and_begins_with_the_next(self) -> None:
        sweeper = Troubled()
        for _ in range(2):
            sweeper.watch("socket")
            (task,) = sweeper.rounds.values()
            sweeper.unwatch("socket")
            await asyncio.wait_for(task, PATIENCE)
            self.assertEqual(sweeper.rounds, {})

    async def test_one_that_fails_or_takes_long_keeps_no_other_from_its_turn(self) -> None:
        done = []

        async def care(number: int) -> None:
            if number == 0:
                raise OSError
            done.append(number)

        with self.assertLogs("core.sweep", "INFO") as logs:
            await side_by_side(care(number) for number in range(3))

        self.assertEqual((done, logs.records[0].message), ([1, 2], "socket_went_away"))
