"""Messages of one moment: none is lost between two pages (CONTRACT 8.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import time_machine

from chat.models import Message
from chat.tests.cases import ChatCase

LIMITS: Final = (7, 50, 99, 100)  # of 200: some pages come out even, and some do not
NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


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
            posted = [self.posted()["id"] for _ in range(3)]
            rows = Message.objects.bulk_create(Message(group=self.group, text="x") for _ in range(197))
            posted += [row.pk for row in rows]

        for limit in LIMITS:
            with self.subTest(limit):
                self.assertEqual(self.pages(limit), posted[::-1])
