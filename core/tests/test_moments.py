"""Moments in whatever form a column is given them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.test import SimpleTestCase, override_settings

from core.moments import moment_of, zone_of


class MomentTests(SimpleTestCase):
    def test_what_says_no_zone_is_in_utc(self) -> None:
        given: tuple[tuple[Any, Any], ...] = (
            ("2031-05-06T18:00:00+10:00", datetime(2031, 5, 6, 8, tzinfo=UTC)),
            ("2031-05-06 08:00", datetime(2031, 5, 6, 8, tzinfo=UTC)),
            ("2031-05-06", datetime(2031, 5, 6, tzinfo=UTC)),
            (date(2031, 5, 6), datetime(2031, 5, 6, tzinfo=UTC)),
            (datetime(2031, 5, 6, 8), datetime(2031, 5, 6, 8, tzinfo=UTC)),  # noqa: DTZ001 - the point
            (None, None),
        )
        for value, expected in given:
            with self.subTest(value):
                self.assertEqual(moment_of(value), expected)

    def test_what_is_none_is_refused_as_django_does(self) -> None:
        self.assertRaises(ValidationError, moment_of, "soon")

    @override_settings(PROGRAMME_TIME_ZONE="America/Bahia")
    def test_a_zone_that_nobody_knows_is_the_programmes(self) -> None:
        for name, zone in {
            "Asia/Tokyo": "Asia/Tokyo",
            "": "America/Bahia",
            "Mars/Olympus": "America/Bahia",
            "../x": "America/Bahia",
        }.items():
            with self.subTest(name):
                self.assertEqual(zone_of(name).key, zone)
