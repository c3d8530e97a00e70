"""Messages of one moment: none is lost between two pages (CONTRACT 8.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import time_machine
from django.test import override_settings

from chat.tests.cases import ChatCase

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


@override_settings(CHAT_BURST=1_000)
class TiesTests(ChatCase):
    def pages(self, limit: int) -> list[int]:
        """Return the ids of all messages, as the app asks for them: older than the oldest it has."""
        ids: list[int] = []
        query: dict[str, Any] = {}
        while True:
            page = self.page(limit=limit, **query)
            ids += [message["id"] for message in page["messages"]]
            if not page["hasMore"]:
                return ids
            query = {"before": page["messages"][-1]["timestamp"]}

    def test_each_message_of_one_microsecond_is_read_once_in_pages_of_any_size(self) -> None:
        """B72."""
        with time_machine.travel(NOON, tick=False):
            posted = [self.posted(text=str(n))["id"] for n in range(200)]

        for limit in range(1, 8):
            with self.subTest(limit):
                self.assertEqual(self.pages(limit), posted[::-1])
