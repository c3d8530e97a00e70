"""How people want to be told: what they may choose, what is refused, and that nothing is half done."""

from __future__ import annotations

from datetime import time
from typing import Any, ClassVar
from unittest import skipUnless
from unittest.mock import patch

from django.db import connection
from django.test import TransactionTestCase, override_settings
from django.urls import reverse
from django.utils.translation import gettext_lazy

from authentication.tests.signing_in import signed_in_client
from core.models import NotificationChoice, NotificationSettings
from core.notifications.kinds import Kind, Pace
from core.notifications.preferences import change_preferences
from core.notifications.wishes import wishes_of
from core.refusals import SignedOut
from core.registry import notification_kinds
from core.testing import in_parallel
from core.tests.telling import KINDS, TellingCase, words
from users.models import User
from users.tests.factories import make_user

URL = reverse("notifications:preferences")
ALL = {
    "language": "pt-br",
    "timeZone": "America/Sao_Paulo",
    "quietFrom": "21:00",
    "quietUntil": "07:00",
    "kinds": {"news": "daily"},
}


class PreferencesTests(TellingCase):
    user: ClassVar[User]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = make_user()

    def setUp(self) -> None:
        super().setUp()
        self.client: Any = signed_in_client(self.user)

    def patch(self, **body: Any) -> Any:
        return self.client.patch(URL, body, format="json")

    def stored(self) -> tuple[int, int]:
        return NotificationSettings.objects.count(), NotificationChoice.objects.count()

    @override_settings(PROGRAMME_LANGUAGE="en", PROGRAMME_TIME_ZONE="Australia/Sydney")
    def test_who_has_chosen_nothing_is_told_as_is_usual_and_nothing_is_written(self) -> None:
        with patch.dict(notification_kinds.entries, KINDS, clear=True):
            body = self.client.get(URL).json()

        every = ["now", "daily", "off"]
        usual = {"pace": "now", "usual": "now"}
        self.assertEqual(
            body,
            {
                "language": "en",
                "timeZone": "Australia/Sydney",
                "quietFrom": None,
                "quietUntil": None,
                "languages": [
                    {"code": "en", "label": "English"},
                    {"code": "pt-br", "label": "Português (Brasil)"},
                ],
                "kinds": [
                    {"kind": "news", "label": "News", "paces": every, "isMandatory": False, **usual},
                    {"kind": "urgent", "label": "Urgent", "paces": every, "isMandatory": False, **usual},
                    {"kind": "must", "label": "Must", "paces": ["now"], "isMandatory": True, **usual},
                ],
            },
        )
        self.assertEqual(self.stored(), (0, 0))

    def test_it_costs_the_same_however_many_kinds_there_are(self) -> None:
        for kinds in (dict(list(KINDS.items())[:1]), KINDS):
            with (
                patch.dict(notification_kinds.entries, kinds, clear=True),
                self.subTest(len(kinds)),
                self.assertNumQueries(3),
            ):
                self.client.get(URL)

    def test_all_of_it_is_chosen_and_counts(self) -> None:
        body = self.patch(**ALL).json()

        self.assertEqual({**body, "kinds": 0, "languages": 0}, {**ALL, "kinds": 0, "languages": 0})
        self.assertEqual(self.client.get(URL).json(), body)
        self.assertEqual({one["kind"]: one["pace"] for one in body["kinds"]}["news"], "daily")
        wishes = wishes_of([self.user.pk])[self.user.pk]
        self.assertEqual((wishes.reader.language, wishes.zone.key), ("pt-br", "America/Sao_Paulo"))
        self.assertEqual((wishes.quiet_from, wishes.quiet_until), (time(21), time(7)))
        self.assertEqual(wishes.pace(KINDS["news"]), Pace.DAILY)

    def test_a_part_leaves_the_rest_alone(self) -> None:
        self.patch(**ALL)

        body = self.patch(timeZone="Australia/Sydney", kinds={"urgent": "off"}).json()

        self.assertEqual((body["language"], body["quietFrom"]), ("pt-br", "21:00"))
        paces = {one["kind"]: one["pace"] for one in body["kinds"]}
        self.assertEqual((paces["news"], paces["urgent"]), ("daily", "off"))
        self.assertEqual(self.patch(quietUntil="06:30").json()["quietUntil"], "06:30")

    def test_null_is_as_the_programme_has_it(self) -> None:
        self.patch(**ALL)

        body = self.patch(language=None, timeZone=None, quietFrom=None, quietUntil=None).json()

        self.assertEqual((body["language"], body["timeZone"], body["quietFrom"]), ("en", "UTC", None))

    def test_labels_are_in_the_readers_language(self) -> None:
        kind = Kind(name="spoken", label=gettext_lazy("Daily mail"), write=words)
        with patch.dict(notification_kinds.entries, spoken=kind):
            labels = [
                {one["kind"]: one["label"] for one in self.patch(language=language).json()["kinds"]}["spoken"]
                for language in ("en", "pt-br")
            ]

        self.assertEqual(labels[0], "Daily mail")
        self.assertNotEqual(labels[1], labels[0])

    def test_what_cannot_be_chosen_is_refused_by_its_field_and_nothing_is_changed(self) -> None:
        narrow = Kind(name="narrow", label="x", write=words, paces=(Pace.DAILY, Pace.OFF), usual=Pace.DAILY)
        cases: list[tuple[str, dict[str, Any]]] = [
            ("language", {"language": "de"}),
            ("language", {"language": 5}),
            ("timeZone", {"timeZone": "Mars/Olympus"}),
            ("timeZone", {"timeZone": "../../etc/passwd"}),
            ("timeZone", {"timeZone": "australia/sydney"}),
            ("timeZone", {"timeZone": "localtime"}),
            ("timeZone", {"timeZone": "Factory"}),
            ("quietUntil", {"quietFrom": "21:00"}),
            ("quietFrom", {"quietUntil": "07:00"}),
            ("quietUntil", {"quietFrom": "21:00", "quietUntil": None}),
            ("quietUntil", {"quietFrom": "21:00", "quietUntil": "21:00"}),
            ("quietFrom", {"quietFrom": "25:00", "quietUntil": "07:00"}),
            ("quietFrom", {"quietFrom": "21:00:30", "quietUntil": "07:00"}),
            ("kinds", {"kinds": {"nothing": "off"}}),
            ("kinds", {"kinds": {"must": "off"}}),
            ("kinds", {"kinds": {"must": "now"}}),
            ("kinds", {"kinds": {"quiet": "off"}}),
            ("kinds", {"kinds": {"narrow": "now"}}),
            ("kinds", {"kinds": {"news": "weekly"}}),
            ("kinds", {"kinds": {"news": "off", "nothing": "off"}}),
            ("kinds", {"kinds": ["news"]}),
            ("language", {"language": "de", "kinds": {"news": "off"}}),
        ]
        for field, body in cases:
            with self.subTest(str(body)), patch.dict(notification_kinds.entries, narrow=narrow):
                response = self.patch(**body)
                self.assertEqual((response.status_code, response.json()["code"]), (400, "validation_error"))
                self.assertIn(field, response.json())
        self.assertEqual(self.stored(), (0, 0))

    def test_more_kinds_than_there_are_are_not_looked_at(self) -> None:
        response = self.patch(kinds={str(number): "weekly" for number in range(20_000)})

        self.assertEqual((response.status_code, response.json()["code"]), (400, "validation_error"))
        self.assertLess(len(response.content), 500)

    def test_a_language_is_known_in_any_case(self) -> None:
        self.assertEqual(self.patch(language="pt-BR").json()["language"], "pt-br")
        self.assertEqual(NotificationSettings.objects.get().language, "pt-br")

    def test_a_form_chooses_as_well(self) -> None:
        for form in ({"kinds[news]": "off"}, {"kinds[news]": "daily", "kinds[urgent]": "off"}):
            with self.subTest(str(form)):
                response = self.client.patch(URL, form, format="multipart")
                self.assertEqual(response.status_code, 200)
                paces = {one["kind"]: one["pace"] for one in response.json()["kinds"]}
                self.assertEqual({name: paces[name[6:-1]] for name in form}, form)
        for form in ({"kinds": "off"}, {"kinds[nothing]": "off"}, {"kinds[news]": "weekly"}):
            with self.subTest(str(form)):
                response = self.client.patch(URL, form, format="multipart")
                self.assertEqual(response.status_code, 400)
                self.assertIn("kinds", response.json())

    def test_who_is_erased_meanwhile_is_signed_out(self) -> None:
        gone = make_user()
        User.objects.filter(pk=gone.pk).delete()

        with self.assertRaises(SignedOut):
            change_preferences(gone, values={"language": "en"}, kinds={})

    def test_nothing_sent_is_nothing_changed(self) -> None:
        self.assertEqual(self.patch().status_code, 200)
        self.assertEqual(self.stored(), (0, 0))


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class RaceTests(TransactionTestCase):
    def test_two_devices_at_once_lose_nothing(self) -> None:
        person = make_user()
        half: list[dict[str, Any]] = [{"language": "pt-br"}, {"time_zone": "America/Sao_Paulo"}]

        with patch.dict(notification_kinds.entries, KINDS):
            in_parallel(lambda n: change_preferences(person, values=half[n % 2], kinds={"news": "off"}), 6)

        row = NotificationSettings.objects.get()
        self.assertEqual((row.language, row.time_zone), ("pt-br", "America/Sao_Paulo"))
        self.assertEqual(NotificationChoice.objects.get().pace, "off")

    def test_no_half_of_quiet_hours_comes_of_two_requests(self) -> None:
        person = make_user()
        change_preferences(person, values={"quiet_from": time(21), "quiet_until": time(7)}, kinds={})
        off: list[dict[str, Any]] = [{"quiet_from": None, "quiet_until": None}, {"quiet_from": time(22)}]

        in_parallel(lambda n: change_preferences(person, values=off[n % 2], kinds={}), 2)

        row = NotificationSettings.objects.get()
        self.assertEqual(row.quiet_from is None, row.quiet_until is None)
