"""``PUT`` and ``PATCH /api/users/me/``: partial, all or nothing, each field by the policy."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.test import TestCase
from django.urls import reverse
from rest_framework.test import APIClient

from users.models import SupervisorProfile, User, UserProfile
from users.policy import FIELD_POLICY, Writer
from users.tests.factories import make_user

FORM = "application/x-www-form-urlencoded"
SAMPLES: dict[str, Any] = {
    "id": 99,
    "email": "new@example.org",
    "username": "new",
    "name": "New Name",
    "role": "admin",
    "status": "active",
    "track": "AUS-NSW",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "areasOfInterest": ["genetics"],
    "controlledInterests": ["pathogens"],
    "schoolName": "School",
    "yearLevel": 10,
    "guardianEmail": "g@example.org",
    "supervisorEmail": "s@example.org",
    "country": "Australia",
    "region": "NSW",
    "availability": "Mondays",
    "bio": "Hi 🧬",
    "joinPermissionGranted": True,
    "organization": "Lab",
    "phoneNumber": "+61 400",
    "wwccNumber": "WWCC-1",
    "wwccExpiry": "2031-04-05",
    "wwccVerified": True,
    "createdAt": "2001-01-01T00:00:00Z",
    "updatedAt": "2001-01-01T00:00:00Z",
}


class ChangeTestCase(TestCase):
    def setUp(self) -> None:
        self.user = make_user()
        self.client: APIClient = APIClient()
        self.client.force_authenticate(self.user)

    def send(self, body: Any, method: str = "patch", **extra: Any) -> Any:
        extra.setdefault("format", "json")
        return getattr(self.client, method)(reverse("users:me"), body, **extra)

    def stored(self) -> User:
        user: User = User.objects.select_related("profile", "supervisor_profile").get(pk=self.user.pk)
        return user


class PartialTests(ChangeTestCase):
    def test_both_verbs_change_what_is_sent_and_answer_the_fresh_document(self) -> None:
        for method, bio in (("put", "one"), ("patch", "two")):
            with self.subTest(method):
                body = self.send({"profile": {"bio": bio}}, method).json()

                self.assertEqual((body["profile"]["bio"], self.stored().profile.bio), (bio, bio))
        self.send({"track": "AUS-NSW"}, "put")
        self.assertEqual((self.stored().profile.bio, self.stored().track), ("two", "AUS-NSW"))

    def test_nothing_sent_is_nothing_changed(self) -> None:
        before = self.client.get(reverse("users:me")).json()
        bodies: list[Any] = [{}, {"profile": None, "supervisorProfile": None, "track": None}, {"unknown": 1}]
        for body in bodies:
            with self.subTest(body):
                response = self.send(body)
                self.assertEqual((response.status_code, response.json()), (200, before))
        self.assertFalse(UserProfile.objects.exists() or SupervisorProfile.objects.exists())

    def test_an_empty_section_keeps_what_is_there(self) -> None:
        UserProfile.objects.create(user=self.user, bio="kept")
        self.send({"profile": {}})

        self.assertEqual(self.stored().profile.bio, "kept")

    def test_what_is_sent_empty_is_emptied(self) -> None:
        UserProfile.objects.create(user=self.user, bio="x", year_level=3, guardian_email="g@example.org")
        self.send({"profile": {"bio": "", "yearLevel": None, "guardianEmail": "", "areasOfInterest": []}})

        profile = self.stored().profile
        self.assertEqual((profile.bio, profile.year_level, profile.guardian_email), ("", None, ""))

    def test_names_drive_the_account(self) -> None:
        body = self.send({"profile": {"firstName": " Zoë ", "lastName": "李小龍 👩‍🔬"}}).json()

        self.assertEqual(body["name"], "Zoë 李小龍 👩‍🔬")
        self.assertEqual((self.stored().first_name, self.stored().last_name), ("Zoë", "李小龍 👩‍🔬"))
        self.send({"profile": {"lastName": ""}})
        self.assertEqual((self.stored().first_name, self.stored().last_name), ("Zoë", ""))

    def test_a_supervisor_profile_is_made_on_first_use(self) -> None:
        self.send({"supervisorProfile": {"organization": "Lab", "wwccExpiry": "2031-04-05"}})
        self.send({"supervisorProfile": {"phoneNumber": "1"}})

        row = SupervisorProfile.objects.get()
        self.assertEqual((row.organization, row.phone_number), ("Lab", "1"))
        self.assertEqual(row.wwcc_expiry, date(2031, 4, 5))

    def test_the_profile_page_saves_all_13_keys(self) -> None:
        profile = {name: SAMPLES[name] for name in FIELD_POLICY["profile"]}
        body = self.send({"track": "", "profile": profile}, "put").json()

        self.assertEqual((len(profile), body["profile"]), (13, profile))

    def test_another_person_is_not_touched(self) -> None:
        other = make_user(first_name="Bob")
        UserProfile.objects.create(user=other, bio="mine")
        self.send({"id": other.pk, "profile": {"bio": "yours", "user": other.pk, "firstName": "Eve"}})

        self.assertEqual(UserProfile.objects.get(user=other).bio, "mine")
        self.assertEqual(User.objects.get(pk=other.pk).first_name, "Bob")


class FormTests(ChangeTestCase):
    def test_forms_are_taken_like_json(self) -> None:
        """CONTRACT 1.2."""
        cases: list[tuple[Any, dict[str, Any]]] = [
            ("track=AUS-NSW&profile.bio=one&profile.yearLevel=3", {"content_type": FORM, "format": None}),
            ({"track": "AUS-NSW", "profile.bio": "one", "profile.yearLevel": "3"}, {"format": "multipart"}),
        ]
        for body, extra in cases:
            with self.subTest(extra):
                response = self.send(body, **extra)

                self.assertEqual(response.status_code, 200, response.content)
                self.assertEqual((self.stored().track, self.stored().profile.bio), ("AUS-NSW", "one"))
                UserProfile.objects.all().delete()

    def test_a_form_that_names_one_field_leaves_the_others(self) -> None:
        profile = {"areas_of_interest": ["kept"], "bio": "kept", "join_permission_granted": True}
        UserProfile.objects.create(user=self.user, **profile)
        for extra in ({"format": "multipart"}, {"content_type": FORM, "format": None}):
            with self.subTest(extra):
                self.send({"track": "X"} if extra["format"] else "track=X", **extra)
                self.send({"profile.bio": "new"} if extra["format"] else "profile.bio=new", **extra)

                row = self.stored().profile
                self.assertEqual((row.areas_of_interest, row.bio), (["kept"], "new"))
                self.assertTrue(row.join_permission_granted)


class PolicyTests(ChangeTestCase):
    def test_each_row_of_the_policy_holds_for_the_owner(self) -> None:
        """B21, B28: what the owner may not write is ignored, without a word."""
        for section, fields in FIELD_POLICY.items():
            for name, writers in fields.items():
                with self.subTest(section=section, field=name):
                    sent = {name: SAMPLES[name]}
                    before = self.send({}).json()
                    response = self.send(sent if section == "account" else {section: sent})
                    after = response.json()
                    value = (after if section == "account" else after[section])[name]

                    self.assertEqual(response.status_code, 200, after)
                    if Writer.OWNER in writers:
                        self.assertEqual(value, SAMPLES[name])
                    else:
                        self.assertNotEqual(value, SAMPLES[name])
                        self.assertEqual(after["role"], before["role"])

    def test_nobody_verifies_their_own_check(self) -> None:
        """B21."""
        for value in (True, "true", 1):
            with self.subTest(value):
                self.send({"supervisorProfile": {"organization": "Lab", "wwccVerified": value}})
                self.assertFalse(self.stored().supervisor_profile.wwcc_verified)

    def test_nobody_promotes_themselves(self) -> None:
        """B21."""
        flags = {
            "is_staff": True,
            "is_superuser": True,
            "isStaff": True,
            "isSuperuser": True,
            "password": "x",
        }
        rights = {"role": "admin", "status": "active", "email": "x@example.org", "is_active": False}
        self.send({**flags, **rights, "profile": {**flags, **rights, "bio": "x"}})

        user = self.stored()
        self.assertEqual((user.is_staff, user.is_superuser, user.is_active), (False, False, True))
        self.assertEqual((user.role, user.status, user.email), ("student", "pending", self.user.email))
