"""How somebody wants to be told: their clock, their quiet hours, their choices."""

from __future__ import annotations

from datetime import datetime, time

from django.test import SimpleTestCase, TestCase, override_settings

from core.models import NotificationChoice, NotificationSettings
from core.notifications.kinds import Kind, Pace
from core.notifications.wishes import Wishes, is_between, wishes_of
from core.tests.telling import words
from users.tests.factories import make_user


class QuietHoursTests(SimpleTestCase):
    def test_hours_may_go_past_midnight(self) -> None:
        cases = {
            (9, 17): {8: False, 9: True, 16: True, 17: False, 23: False},
            (21, 7): {20: False, 21: True, 23: True, 0: True, 6: True, 7: False},
        }
        for (begin, end), hours in cases.items():
            for hour, expected in hours.items():
                with self.subTest(begin=begin, hour=hour):
                    self.assertEqual(is_between(time(hour), time(begin), time(end)), expected)

    def end_of_quiet(self, moment: str, *, zone: str, until: time = time(7)) -> str:
        wishes = Wishes(time_zone=zone, quiet_from=time(21), quiet_until=until)
        return wishes.after_quiet(datetime.fromisoformat(moment)).isoformat()

    def test_they_end_in_the_morning_of_the_person(self) -> None:
        cases = {
            ("2026-11-26T11:00:00+00:00", "Australia/Sydney"): "2026-11-26T20:00:00+00:00",
            ("2026-11-26T19:00:00+00:00", "Australia/Sydney"): "2026-11-26T20:00:00+00:00",
            ("2026-11-26T20:00:00+00:00", "Australia/Sydney"): "2026-11-26T20:00:00+00:00",
            ("2026-11-26T09:59:00+00:00", "Pacific/Kiritimati"): "2026-11-26T17:00:00+00:00",
            ("2026-11-26T10:30:00+00:00", "Pacific/Pago_Pago"): "2026-11-26T18:00:00+00:00",
        }
        for (moment, zone), end in cases.items():
            with self.subTest(zone, moment=moment):
                self.assertEqual(self.end_of_quiet(moment, zone=zone), end)

    def test_a_night_in_which_clocks_change_ends_by_the_clock(self) -> None:
        """Sydney: an hour less in the night to 4 October 2026, an hour more in that to 5 April 2026."""
        self.assertEqual(
            self.end_of_quiet("2026-10-03T12:00:00+00:00", zone="Australia/Sydney"),
            "2026-10-03T20:00:00+00:00",
        )
        self.assertEqual(
            self.end_of_quiet("2026-04-04T12:00:00+00:00", zone="Australia/Sydney"),
            "2026-04-04T21:00:00+00:00",
        )

    def test_an_hour_that_comes_twice_ends_no_earlier_than_it_began(self) -> None:
        moment = "2026-04-04T16:15:00+00:00"  # 02:15 for the second time
        self.assertGreaterEqual(self.end_of_quiet(moment, zone="Australia/Sydney", until=time(2, 30)), moment)

    def test_without_hours_nothing_waits(self) -> None:
        moment = datetime.fromisoformat("2026-11-26T03:00:00+00:00")

        self.assertEqual(Wishes().after_quiet(moment), moment)


class PaceTests(SimpleTestCase):
    def test_a_choice_counts_where_the_kind_has_it(self) -> None:
        reminder = Kind(name="reminder", label="", write=words, paces=(Pace.NOW, Pace.OFF))
        must = Kind(name="must", label="", write=words, is_mandatory=True)
        for kind, chosen, pace in (
            (reminder, "off", "off"),
            (reminder, "daily", "now"),
            (must, "off", "now"),
            (must, "daily", "now"),
        ):
            with self.subTest(kind.name, chosen=chosen):
                self.assertEqual(Wishes(choices={kind.name: chosen}).pace(kind), pace)


class ReadingTests(TestCase):
    def test_the_wishes_of_many_cost_two_queries(self) -> None:
        people = [make_user() for _ in range(10)]
        NotificationSettings.objects.create(person=people[0], language="pt-br", time_zone="America/Sao_Paulo")
        NotificationChoice.objects.create(person=people[1], kind="news", pace=Pace.OFF)
        for number in (1, 10):
            with self.assertNumQueries(2):
                wishes = wishes_of([one.pk for one in people[:number]])

        self.assertEqual(
            (wishes[people[0].pk].reader.language, wishes[people[0].pk].zone.key),
            ("pt-br", "America/Sao_Paulo"),
        )
        self.assertEqual(wishes[people[1].pk].choices, {"news": "off"})

    @override_settings(PROGRAMME_LANGUAGE="pt-br", PROGRAMME_TIME_ZONE="America/Bahia")
    def test_who_said_nothing_reads_as_the_programme_does(self) -> None:
        ada = make_user()
        reader = wishes_of([ada.pk])[ada.pk].reader

        self.assertEqual((reader.language, reader.zone.key), ("pt-br", "America/Bahia"))
