"""What health tells of channels that have a Redis of their own."""

from __future__ import annotations

import socket
import time
from types import SimpleNamespace
from unittest.mock import patch

from django.conf import settings
from django.test import override_settings

from core.health import parts
from core.tests.test_health_parts import PATIENCE_SECONDS, PartsCase


class ChannelsTests(PartsCase):
    def test_they_are_apart_where_their_redis_is_another_server(self) -> None:
        for cache, events, are_apart in (
            ("redis://h:6379/1", "redis://h:6379/1", False),
            ("redis://h:6379/1", "redis://h:6379/2", False),
            ("redis://h:6379/1", "redis://h:6380/1", True),
            ("unix:///run/a?db=1", "unix:///run/a?db=2", False),
            ("unix:///run/a", "unix:///run/b", True),
            ("default", "redis://h:6379/1", True),
            ("default", "", False),
            ("redis://h:6379/1", "", False),
        ):
            told = SimpleNamespace(CACHES={"default": {"LOCATION": cache}}, CHANNEL_REDIS_URL=events)
            with self.subTest(cache=cache, events=events), patch("core.health.parts.settings", told):
                self.assertEqual(parts.are_channels_apart(), are_apart)

    def test_without_a_redis_of_their_own_there_is_no_such_part(self) -> None:
        with override_settings(CHANNEL_REDIS_URL=""):
            self.assertNotIn("channels", self.health()[2])

    def test_their_redis_that_is_away_is_degraded(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with override_settings(CHANNEL_REDIS_URL=f"redis://127.0.0.1:{port}/0"):
            self.assert_degraded("channels", "error")

    def test_their_redis_that_answers_is_connected(self) -> None:
        if not settings.CHANNEL_REDIS_URL:
            self.skipTest("The embedded profile has no Redis.")
        other_name = settings.CHANNEL_REDIS_URL.replace("127.0.0.1", "localhost")
        with override_settings(CHANNEL_REDIS_URL=other_name):
            self.assertEqual(self.health()[1:], ("healthy", {**self.health()[2], "channels": "connected"}))

    def test_their_redis_that_says_nothing_is_unknown_in_time_and_then_an_error(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as silent,
            override_settings(CHANNEL_REDIS_URL=f"redis://127.0.0.1:{silent.getsockname()[1]}/0"),
            patch("core.health.report.PATIENCE_SECONDS", 0.3),
        ):
            _, verdict, services = self.health()
            self.assertEqual((verdict, services["channels"]), ("healthy", "unknown"))
            self.assertEqual(parts.channels.word(time.monotonic() + PATIENCE_SECONDS), "error")
