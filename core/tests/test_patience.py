"""A deadline that is set only where something waits."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

from django.test import SimpleTestCase

from core.patience import within


class PatienceTests(SimpleTestCase):
    """What is awaited within a deadline fares as it would without one."""

    def setUp(self) -> None:
        self.ended: list[str] = []

    async def say(self, word: str, *waits: float) -> str:
        try:
            for seconds in waits:
                await asyncio.sleep(seconds)
        finally:
            self.ended.append(word)
        return word

    async def test_what_need_not_wait_has_no_deadline(self) -> None:
        with patch("core.patience.asyncio.timeout", side_effect=AssertionError):
            self.assertEqual(await within(0, self.say("hi")), "hi")

    async def test_what_waits_for_less_is_heard_out(self) -> None:
        self.assertEqual(await within(5, self.say("hi", 0, 0.001, 0)), "hi")

    async def test_what_waits_for_longer_is_cancelled(self) -> None:
        with self.assertRaises(TimeoutError):
            await within(0.01, self.say("hi", 0, 60))

        self.assertEqual(self.ended, ["hi"])

    async def test_its_faults_are_told_before_and_after_it_has_waited(self) -> None:
        async def fail(*waits: float) -> None:
            await self.say("failing", *waits)
            raise KeyError("fault")

        for waits in ((), (0.001,)):
            with self.subTest(waits), self.assertRaises(KeyError):
                await within(5, fail(*waits))

    async def test_who_gives_up_on_it_ends_it(self) -> None:
        task = asyncio.create_task(within(5, self.say("hi", 60)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

        self.assertTrue(task.cancelled())
        self.assertEqual(self.ended, ["hi"])

    async def test_what_goes_on_waiting_though_it_was_cancelled_is_waited_for(self) -> None:
        async def clean_up() -> str:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await self.say("cleaned up", 0.001)
                raise
            return "never"

        with self.assertRaises(TimeoutError):
            await within(0.01, clean_up())

        self.assertEqual(self.ended, ["cleaned up"])
