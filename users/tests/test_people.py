"""People over the admin API: found, read, added, changed (CONTRACT 6.2 to 6.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from authentication.models import SignInSession
from authentication.tests.signing_in import (
    SignInTestCase,
    mailed,
    redeem_code,
    redeem_link,
    signed_in_client,
)
from core.models import AuditEvent
from users.models import User, UserProfile
from users.tests.factories import make_admin, make_link, make_user

if TYPE_CHECKING:
    from rest_framework.test import APIClient

LIST = reverse("admin_panel:user-list")
PROFILE = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "areasOfInterest": ["genetics", "robots"],
    "controlledInterests": ["lab work"],
    "schoolName": "Riverside High",
    "yearLevel": 10,
    "guardianEmail": "byron@example.org",
    "supervisorEmail": "babbage@example.org",
    "country": "Australia",
    "region": "NSW",
    "availability": "Mondays",
    "bio": "Likes engines.",
    "joinPermissionGranted": True,
}
CHECKED = {
    "organization": "Lab",
    "phoneNumber": "0400 000 000",
    "wwccNumber": "WWC-1",
    "wwccExpiry": "2031-04-05",
    "wwccVerified": True,
}


def page_of(person: User) -> str:
    return reverse("admin_panel:user-detail", args=[person.pk])


def status_of(person: User) -> str:
    return reverse("admin_panel:user-update-status", args=[person.pk])


class DeskTestCase(SignInTestCase):
    """An admin sits at the desk."""

    admin: User
    desk: APIClient

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin(email="desk@example.org")
        cls.desk = signed_in_client(cls.admin)

    def setUp(self) -> None:
        super().setUp()
        self.client = self.desk

    def found(self, **query: Any) -> list[str]:
        body = self.client.get(LIST, query).json()
        return [row["email"] for row in body["results"] if row["email"] != "desk@example.org"]

    def send(self, method: str, url: str, body: Any) -> Any:
        return getattr(self.client, method)(url, body, format="json")


class ListTests(DeskTestCase):
    def test_a_row_is_what_the_table_shows(self) -> None:
        ada = make_user(email="ada@example.org", first_name="Ada", last_name="Lovelace", track="AUS-NSW")

        rows = self.client.get(LIST, {"search": "ada"}).json()["results"]

        self.assertEqual(
            rows,
            [
                {
                    "id": ada.pk,
                    "name": "Ada Lovelace",
                    "email": "ada@example.org",
                    "role": "student",
                    "track": "AUS-NSW",
                    "status": "pending",
                }
            ],
        )

    def test_people_stand_in_the_order_of_their_names(self) -> None:
        for address, first, last in (("c", "Ada", "Z"), ("b", "Ada", "A"), ("a", "", ""), ("d", "Ada", "A")):
            make_user(email=f"{address}@example.org", first_name=first, last_name=last)

        self.assertEqual([address[0] for address in self.found()], ["a", "b", "d", "c"])

    def test_role_and_status_are_told_apart_whatever_the_case_and_nonsense_finds_nobody(self) -> None:
        make_user(email="mina@example.org", role="mentor", status="active")
        make_user(email="ada@example.org")

        for query, expected in (
            ({"role": "Mentor"}, ["mina@example.org"]),
            ({"status": "PENDING"}, ["ada@example.org"]),
            ({"role": "student", "status": "active"}, []),
            ({"role": "wizard"}, []),
            ({"status": "asleep"}, []),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.found(**query), expected)

    def test_a_track_is_the_same_in_any_case_and_global_is_every_one(self) -> None:
        make_user(email="a@example.org", track="AUS-NSW")
        make_user(email="b@example.org", track="aus-nsw")
        make_user(email="c@example.org")

        self.assertEqual(self.found(track=" Aus-NSW "), ["a@example.org", "b@example.org"])
        for everyone in ("", "global", "GLOBAL "):
            with self.subTest(track=everyone):
                self.assertEqual(len(self.found(track=everyone)), 3)

    def test_search_finds_names_addresses_and_first_and_last_name_together(self) -> None:
        """B31."""
        make_user(email="engine@example.org", first_name="Ada Augusta", last_name="King-Noël")
        make_user(email="other@example.com", first_name="Noor", last_name="Aziz")

        for text in ("ada", "KING", "ada augusta king", " Augusta  King-Noël ", "engine@", "a k"):
            with self.subTest(search=text):
                self.assertEqual(self.found(search=text), ["engine@example.org"])
        for text in ("king ada", "%", "_", "noël engine", "ada\\"):
            with self.subTest(search=text):
                self.assertEqual(self.found(search=text), [])
        self.assertEqual(len(self.found(search="  ")), 2)

    def test_whatever_stands_around_an_at_sign_is_found_as_it_is(self) -> None:
        everybody = [
            ("Ada", "@home", "ada@example.org"),
            ("Adá", "Lovelace", "ada.b@school.example"),
            ("Ada@b", "", "b@b.example"),
            ("Pek", "a_b%c", "xada@example.org"),
            ("", "", "50%@example.org"),
            ("a\\b", "@c", "z@example.org"),
        ]
        for first, last, email in everybody:
            make_user(first_name=first, last_name=last, email=email)
        asked = [
            "ada@",
            "ADA@EXAMPLE.ORG",
            "da@e",
            "a@e",
            "@e",
            "@",
            "b@b",
            "ada @h",
            "@home",
            "b@school.",
            "a@b",
        ]
        asked += [
            "50%@",
            "_@",
            "%@",
            "a\\b @c",
            "b@@",
            "ada@@example",
            "x@y@z",
            "ada@example.org x",
            "pek a_b",
        ]
        for text in asked:
            with self.subTest(text):
                expected = {
                    email
                    for first, last, email in everybody
                    if text.lower() in f"{first} {last}\n{email}".lower()
                }
                found = {email for email in self.found(search=text) if email in {one[2] for one in everybody}}
                self.assertEqual(found, expected)

    def test_a_search_with_a_nul_is_refused(self) -> None:
        """B29."""
        response = self.client.get(LIST, {"search": "a\0b"})

        self.assertEqual(response.status_code, 400)
        self.assertIn("search", response.json())

    def test_pages_hold_up_to_500(self) -> None:
        User.objects.bulk_create(User(email=f"{n}@example.org", username=f"{n}") for n in range(505))

        for size, expected in ((None, 20), (200, 200), (500, 500), (9_999, 500), (0, 1), ("x", 20)):
            with self.subTest(page_size=size):
                query = {} if size is None else {"page_size": size}
                body = self.client.get(LIST, query).json()
                self.assertEqual((len(body["results"]), body["count"]), (expected, 506))

    def test_a_query_narrows_the_list_and_hides_no_single_person(self) -> None:
        ada = make_user()

        self.assertEqual(self.client.get(page_of(ada), {"search": "nobody"}).status_code, 200)


class CreateTests(DeskTestCase):
    def test_everything_that_is_sent_is_stored_and_read_back(self) -> None:
        """B20."""
        response = self.send(
            "post",
            LIST,
            {
                "email": " Ada@Example.ORG ",
                "role": "supervisor",
                "status": "active",
                "track": "AUS-NSW",
                "profile": PROFILE,
                "supervisorProfile": CHECKED,
            },
        )

        self.assertEqual(response.status_code, 201)
        ada = User.objects.get(email="ada@example.org")
        self.assertEqual(
            response.json(),
            {
                "id": ada.pk,
                "name": "Ada Lovelace",
                "email": "ada@example.org",
                "role": "supervisor",
                "track": "AUS-NSW",
                "status": "active",
            },
        )
        document = self.client.get(page_of(ada)).json()
        self.assertEqual(document["profile"], PROFILE)
        self.assertLessEqual(CHECKED.items(), document["supervisorProfile"].items())
        self.assertFalse(ada.has_usable_password())
        self.assertEqual((ada.first_name, ada.username), ("Ada", "ada@example.org"))

    def test_an_address_alone_makes_a_pending_student_with_an_empty_profile(self) -> None:
        response = self.send("post", LIST, {"email": "ada@example.org", "password": "x", "is_staff": True})

        self.assertEqual(response.status_code, 201)
        ada = User.objects.get(email="ada@example.org")
        self.assertEqual((ada.role, ada.status, ada.track, ada.is_staff), ("student", "pending", "", False))
        self.assertTrue(UserProfile.objects.filter(user=ada).exists())

    def test_an_address_is_taken_once_whatever_its_case(self) -> None:
        make_user(email="Ada@Example.org")

        response = self.send("post", LIST, {"email": "ada@example.org"})

        self.assertEqual(response.status_code, 400)
        self.assertIn("exists", response.json()["email"][0])

    def test_what_does_not_fit_is_named_where_it_was_sent(self) -> None:
        for body, path in (
            ({}, ["email"]),
            ({"email": "nonsense"}, ["email"]),
            ({"email": 5}, ["email"]),
            ({"email": "a@example.org", "role": "wizard"}, ["role"]),
            ({"email": "a@example.org", "status": []}, ["status"]),
            ({"email": "a@example.org", "track": "x" * 51}, ["track"]),
            ({"email": "a@example.org", "profile": {"yearLevel": "ten"}}, ["profile", "yearLevel"]),
            ({"email": "a@example.org", "profile": {"firstName": "x" * 101}}, ["profile", "firstName"]),
            (
                {"email": "a@example.org", "supervisorProfile": {"wwccExpiry": "soon"}},
                ["supervisorProfile", "wwccExpiry"],
            ),
        ):
            with self.subTest(body=body):
                response = self.send("post", LIST, body)

                self.assertEqual(response.status_code, 400)
                place = response.json()
                for name in path:
                    place = place[name]
                self.assertIsInstance(place[0], str)
        self.assertEqual(User.objects.count(), 1)

    def test_it_is_recorded_without_the_address(self) -> None:
        self.send("post", LIST, {"email": "ada@example.org", "role": "mentor"})

        event = AuditEvent.objects.get(action="user_created")
        self.assertEqual((event.actor_id, event.changes["email"]), (self.admin.pk, True))
        self.assertEqual(event.changes["role"], [None, "mentor"])
        self.assertEqual(event.address, "127.0.0.1")


class ReadTests(DeskTestCase):
    def test_an_admin_reads_the_whole_document_with_what_others_may_not_know(self) -> None:
        ada, alex = make_user(email="ada@example.org"), make_user(email="alex@example.org", role="supervisor")
        make_link(ada, alex, notes="cousin")

        body = self.client.get(page_of(ada)).json()

        self.assertEqual(body["supervisors"][0]["supervisor"]["email"], "alex@example.org")
        self.assertEqual(body["supervisors"][0]["notes"], "cousin")

    def test_it_costs_the_same_for_1_and_for_20_links(self) -> None:
        """B26."""
        ada = make_user()

        def cost() -> int:
            with CaptureQueriesContext(connection) as captured:
                self.assertEqual(self.client.get(page_of(ada)).status_code, 200)
            return len(captured)

        make_link(ada, make_user(role="supervisor"))
        few = cost()
        for _ in range(19):
            make_link(ada, make_user(role="supervisor"))
        self.assertEqual(cost(), few)

    def test_reading_writes_nothing(self) -> None:
        """B27."""
        ada = make_user()

        self.client.get(page_of(ada))

        self.assertFalse(UserProfile.objects.filter(user=ada).exists())

    def test_who_does_not_exist_is_not_found(self) -> None:
        for path in (f"{LIST}999999/", f"{LIST}x/", f"{LIST}0/", f"{LIST}{2**63}/"):
            with self.subTest(path=path):
                self.assertEqual(self.client.get(path).status_code, 404)


class UpdateTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ada = make_user(email="ada@example.org", first_name="Ada")
        self.hers = signed_in_client(self.ada)

    def enters(self) -> bool:
        return int(self.hers.get(reverse("users:me")).status_code) == 200

    def test_the_form_of_the_admin_page_is_stored_and_answered_in_full(self) -> None:
        """B20."""
        form = {
            "email": "ada@example.org",
            "role": "student",
            "status": "active",
            "track": "",
            "profile": {name: PROFILE[name] for name in ("firstName", "yearLevel", "areasOfInterest")},
        }

        response = self.send("put", page_of(self.ada), form)

        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json()["profile"]["yearLevel"], 10)
        self.assertEqual(response.json(), self.client.get(page_of(self.ada)).json())
        self.assertTrue(self.enters())

    def test_an_admin_verifies_a_check(self) -> None:
        response = self.send("patch", page_of(self.ada), {"supervisorProfile": CHECKED})

        self.assertTrue(response.json()["supervisorProfile"]["wwccVerified"])
        self.assertTrue(self.ada.supervisor_profile.wwcc_verified)

    def test_put_needs_an_address_and_patch_does_not(self) -> None:
        self.assertIn("email", self.send("put", page_of(self.ada), {"track": "x"}).json())
        self.assertEqual(self.send("patch", page_of(self.ada), {"track": "x"}).json()["track"], "x")
        self.assertEqual(self.send("patch", page_of(self.ada), {}).status_code, 200)

    def test_a_section_that_is_null_or_left_out_stays_as_it_is(self) -> None:
        self.send("patch", page_of(self.ada), {"profile": PROFILE})

        self.send("patch", page_of(self.ada), {"profile": None, "supervisorProfile": None})
        response = self.send("patch", page_of(self.ada), {"profile": {"bio": "New."}})

        self.assertEqual(response.json()["profile"], {**PROFILE, "bio": "New."})

    def test_nothing_is_written_where_one_field_is_wrong(self) -> None:
        response = self.send("patch", page_of(self.ada), {"track": "x", "profile": {"yearLevel": -1}})

        self.assertEqual(response.status_code, 400)
        self.ada.refresh_from_db()
        self.assertEqual(self.ada.track, "")

    def test_a_new_role_ends_what_the_person_holds(self) -> None:
        self.assertTrue(self.enters())

        self.send("patch", page_of(self.ada), {"role": "mentor"})

        self.assertFalse(self.enters())

    def test_the_same_values_again_change_and_record_nothing(self) -> None:
        self.send("put", page_of(self.ada), {"email": "ADA@example.org", "role": "student"})

        self.assertTrue(self.enters())
        self.assertFalse(AuditEvent.objects.filter(action="user_changed").exists())

    def test_an_address_of_somebody_else_is_refused(self) -> None:
        make_user(email="taken@example.org")

        response = self.send("patch", page_of(self.ada), {"email": "Taken@example.org", "track": "x"})

        self.assertEqual((response.status_code, "email" in response.json()), (400, True))
        self.assertEqual(User.objects.get(pk=self.ada.pk).track, "")

    def test_fields_are_recorded_by_name_and_values_only_where_they_are_not_personal(self) -> None:
        self.send(
            "patch", page_of(self.ada), {"role": "mentor", "track": "QLD", "profile": {"bio": "Secret."}}
        )

        event = AuditEvent.objects.get(action="user_changed")
        self.assertEqual(event.changes, {"role": ["student", "mentor"], "track": True, "bio": True})


class AddressTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ada = make_user(email="ada@example.org")
        self.hers = signed_in_client(self.ada)

    def move(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            response = self.send("put", page_of(self.ada), {"email": "New@Example.org"})
        self.assertEqual((response.status_code, response.json()["email"]), (200, "new@example.org"))
        self.assertEqual(response.json()["username"], "new@example.org")

    def test_a_new_address_ends_sessions(self) -> None:
        self.move()

        self.assertFalse(SignInSession.objects.live().filter(user=self.ada).exists())
        self.assertEqual(self.hers.get(reverse("users:me")).status_code, 401)

    def test_codes_and_links_of_the_old_address_are_void(self) -> None:
        letter = mailed(self.client, "ada@example.org")
        self.move()

        self.assertEqual(redeem_code(self.client, letter.code, "ada@example.org").status_code, 400)
        self.assertEqual(redeem_link(self.client, letter.token).status_code, 400)
        self.assertFalse(User.objects.filter(email="ada@example.org").exists())

    def test_codes_that_waited_at_the_new_address_are_void_too(self) -> None:
        letter = mailed(self.client, "new@example.org")
        self.move()

        self.assertEqual(redeem_code(self.client, letter.code, "new@example.org").status_code, 400)

    def test_the_person_signs_in_by_the_new_address(self) -> None:
        self.move()
        letter = mailed(self.client, "new@example.org")

        response = redeem_code(self.client, letter.code, "new@example.org")

        self.assertEqual(response.json()["user"]["id"], self.ada.pk)


class SpellingTests(DeskTestCase):
    """An address that was stored before addresses were normalised."""

    def setUp(self) -> None:
        super().setUp()
        self.mixed = make_user(email="Mix@example.org")
        self.hers = signed_in_client(self.mixed)

    def test_saving_the_form_again_signs_nobody_out(self) -> None:
        """B13."""
        response = self.send("put", page_of(self.mixed), {"email": "Mix@example.org", "track": "QLD"})

        self.assertEqual((response.status_code, response.json()["email"]), (200, "mix@example.org"))
        self.assertEqual(self.hers.get(reverse("users:me")).status_code, 200)

    def test_what_was_mailed_to_it_stays_good(self) -> None:
        letter = mailed(self.client, "mix@example.org")

        with self.captureOnCommitCallbacks(execute=True):
            self.send("patch", page_of(self.mixed), {"email": "mix@example.org"})

        self.assertEqual(redeem_code(self.client, letter.code, "mix@example.org").status_code, 200)

    def test_ones_own_username_is_free_to_oneself(self) -> None:
        ada = make_user(username="want@example.org", email="have@example.org")

        response = self.send("patch", page_of(ada), {"email": "want@example.org"})

        self.assertEqual(response.json()["username"], "want@example.org")

    def test_a_username_of_somebody_else_is_not(self) -> None:
        make_user(username="want@example.org", email="other@example.org")
        ada = make_user()

        response = self.send("patch", page_of(ada), {"email": "want@example.org"})

        self.assertEqual(response.status_code, 200)
        self.assertNotEqual(response.json()["username"], "want@example.org")

    def test_a_very_long_address_gets_a_shorter_username(self) -> None:
        """B14."""
        address = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.example.org"

        response = self.send("patch", page_of(self.mixed), {"email": address})

        self.assertEqual((response.status_code, response.json()["email"]), (200, address))
        self.assertLessEqual(len(response.json()["username"]), 150)


class StatusTests(DeskTestCase):
    def test_a_suspended_person_is_out_at_once_and_back_when_activated(self) -> None:
        """B8, B10."""
        ada = make_user(status="active")
        hers = signed_in_client(ada)

        response = self.send("put", status_of(ada), {"status": "inactive"})

        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json()["success"], True)
        self.assertEqual(response.json()["user"]["status"], "inactive")
        self.assertEqual(hers.get(reverse("users:me")).status_code, 401)
        self.assertEqual(self.send("patch", status_of(ada), {"status": "active"}).status_code, 200)

    def test_what_is_no_status_is_refused(self) -> None:
        """B29."""
        ada = make_user()
        for value in (None, "", "ACTIVE", "asleep", ["active"], {"a": 1}, 5, True):
            with self.subTest(status=value):
                response = self.send("put", status_of(ada), {"status": value})
                self.assertEqual((response.status_code, "error" in response.json()), (400, True))
        self.assertEqual(self.send("put", status_of(ada), {}).status_code, 400)
        self.assertEqual(self.send("put", f"{LIST}999999/status/", {"status": "active"}).status_code, 404)


class FilterChoicesTests(DeskTestCase):
    def test_tracks_are_there_once_in_order_without_blank_and_global(self) -> None:
        """B32."""
        for track in ("Brazil", "AUS-NSW", "aus-nsw", "", "Global", "Brazil"):
            make_user(track=track)

        body = self.client.get(reverse("admin_panel:user-filters")).json()

        self.assertEqual([track.upper() for track in body["tracks"]], ["AUS-NSW", "BRAZIL"])
        self.assertEqual(body["roles"], ["student", "mentor", "supervisor", "admin"])
        self.assertEqual(body["statuses"], ["active", "inactive", "pending"])

    def test_without_people_on_a_track_there_is_none(self) -> None:
        self.assertEqual(self.client.get(reverse("admin_panel:user-filters")).json()["tracks"], [])


class AuthorityTests(TestCase):
    def test_an_admin_who_is_suspended_or_demoted_is_out(self) -> None:
        """B8."""
        for change in ({"status": "inactive"}, {"is_active": False}, {"role": "mentor"}):
            admin = make_admin()
            client = signed_in_client(admin)
            User.objects.filter(pk=admin.pk).update(**change)
            with self.subTest(change=change):
                self.assertIn(client.get(LIST).status_code, (401, 403))
