"""Every limit of CONTRACT 5.2: a 400 that names the field, and nothing written (B28, B29)."""

from __future__ import annotations

from typing import Any

from users.models import SupervisorProfile, UserProfile
from users.tests.test_change_me import ChangeTestCase

# Section, field, what is refused.
REFUSED: list[tuple[str, str, list[Any]]] = [
    ("", "track", ["x" * 51, 5, True, ["a"], {"a": 1}, "a\x00b"]),
    ("profile", "firstName", ["x" * 101, None, 5, ["a"], "\x00"]),
    ("profile", "lastName", ["x" * 101, None, {}, False]),
    ("profile", "schoolName", ["x" * 256, None, 1.5]),
    ("profile", "country", ["x" * 101, None, []]),
    ("profile", "region", ["x" * 101, None, 0]),
    ("profile", "availability", ["x" * 5_001, None, 5]),
    ("profile", "bio", ["x" * 5_001, None, 5, "a\x00b"]),
    ("profile", "yearLevel", [-1, -5, 21, 99_999_999_999, 10**30, 1.5, "x", "", [], {}]),
    ("profile", "guardianEmail", ["x", f"{'a' * 250}@example.org", None, 5, "a b@example.org"]),
    ("profile", "supervisorEmail", ["@", f"{'a' * 250}@example.org", None, []]),
    ("profile", "areasOfInterest", [None, "x", 5, {}, ["x"] * 101, [1], [None], [["x"]], ["x" * 256]]),
    ("profile", "controlledInterests", [None, "x", False, [True], ["\x00"], ["x", ""]]),
    ("profile", "joinPermissionGranted", [None, "maybe", 2, []]),
    ("supervisorProfile", "organization", ["x" * 256, None, 5]),
    ("supervisorProfile", "phoneNumber", ["x" * 51, None, 400]),
    ("supervisorProfile", "wwccNumber", ["x" * 101, None, []]),
    ("supervisorProfile", "wwccExpiry", ["x", "2031-02-30", "05/04/2031", 5, True, "2031-04-05T00:00:00Z"]),
]
TAKEN: list[tuple[str, str, list[Any]]] = [
    ("", "track", ["x" * 50, "", "Global"]),
    ("profile", "firstName", ["x" * 100, "", "👩‍🔬" * 20]),
    ("profile", "schoolName", ["é" * 255]),
    ("profile", "yearLevel", [0, 20, None]),
    ("profile", "bio", ["🧬" * 5_000]),
    ("profile", "guardianEmail", ["", "Guardian@Example.org"]),
    ("profile", "areasOfInterest", [[], ["x" * 255] * 100, ["Genetics & more", "生物学"]]),
    ("supervisorProfile", "organization", ["é" * 255]),
    ("supervisorProfile", "wwccExpiry", [None, "2031-04-05", "0001-01-01", "9999-12-31"]),
]


def cases(table: list[tuple[str, str, list[Any]]]) -> list[tuple[dict[str, Any], str, str]]:
    return [
        ({section: {name: value}} if section else {name: value}, section, name)
        for section, name, values in table
        for value in values
    ]


class LimitTests(ChangeTestCase):
    def test_a_value_beyond_its_limit_is_400_under_its_own_name(self) -> None:
        """B28."""
        for body, _, name in cases(REFUSED):
            with self.subTest(str(body)[:80]):
                response = self.send(body)

                self.assertEqual(response.status_code, 400)
                self.assertTrue(all(isinstance(text, str) for text in response.json()[name]))
                self.assertTrue(response.json()["error"])
        self.assertFalse(UserProfile.objects.exists() or SupervisorProfile.objects.exists())

    def test_a_value_at_its_limit_is_taken_and_comes_back(self) -> None:
        for body, section, name in cases(TAKEN):
            with self.subTest(str(body)[:80]):
                response = self.send(body)
                document = response.json()

                self.assertEqual(response.status_code, 200, str(document)[:200])
                sent = body[section][name] if section else body[name]
                self.assertEqual((document[section] if section else document)[name], sent)

    def test_a_section_that_is_no_object_is_400_with_a_sentence(self) -> None:
        """B29."""
        for section in ("profile", "supervisorProfile"):
            values: list[Any] = [[], [{}], "x", 5, True, 1.5]
            for value in values:
                with self.subTest(section=section, value=value):
                    response = self.send({section: value})

                    self.assertEqual(response.status_code, 400)
                    self.assertTrue(response.json()["error"])
                    self.assertIsInstance(response.json()[section], list)

    def test_one_bad_field_and_nothing_is_written(self) -> None:
        self.user.track = "before"
        self.user.save()
        UserProfile.objects.create(user=self.user, bio="before")
        bad = [
            {"track": "after", "profile": {"bio": "after", "yearLevel": -5}},
            {"track": "x" * 51, "profile": {"bio": "after"}},
            {"track": "after", "profile": {"bio": "after"}, "supervisorProfile": {"wwccExpiry": "x"}},
            {"track": "after", "profile": {"bio": "after", "firstName": "Eve"}, "supervisorProfile": []},
        ]
        for body in bad:
            with self.subTest(body):
                self.assertEqual(self.send(body).status_code, 400)

                stored = self.stored()
                self.assertEqual((stored.track, stored.first_name), ("before", ""))
                self.assertEqual(stored.profile.bio, "before")
        self.assertFalse(SupervisorProfile.objects.exists())

    def test_every_bad_field_is_named_at_once(self) -> None:
        body = self.send({"track": 5, "profile": {"yearLevel": 21, "bio": None}}).json()

        self.assertLessEqual({"track", "yearLevel", "bio", "error", "detail", "code"}, set(body))
