"""An undo takes back what the import did, and nothing that others have done since."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import Group as Desk
from django.utils import timezone

from core.models import AuditEvent
from users.models import ImportRow, SupervisorProfile, User, UserProfile
from users.services.erasure import erase_person
from users.tasks import undo_import
from users.tests.factories import make_link, make_user
from users.tests.importing import ImportTestCase, url

HEADER = ["email", "firstName", "role", "track"]
ADA = ["ada@example.org", "Ada", "mentor", "Brazil"]


def ada() -> User:
    person: User = User.objects.get(email="ada@example.org")
    return person


class UndoOfNewPeopleTests(ImportTestCase):
    def test_whom_nobody_has_used_is_erased_with_their_row(self) -> None:
        body = self.imported(HEADER, ADA)
        with patch("users.services.import_undoing.erase_person", wraps=erase_person) as erase:
            after = self.step("undo", body["id"])

        self.assertEqual((after["state"], after["progress"]["undone"]), ("undone", 1))
        self.assertFalse(User.objects.filter(email="ada@example.org").exists())
        erase.assert_called_once()
        row = ImportRow.objects.get()
        self.assertEqual((row.person_id, row.address_key, row.before), (None, "", ""))
        self.assertEqual(AuditEvent.objects.filter(action="people_import_undone").count(), 1)

    def test_whom_somebody_has_used_stays(self) -> None:
        def sign_in(person: User) -> None:
            person.sessions.create(expires_at=timezone.now() + timedelta(days=1))

        uses: dict[str, Any] = {
            "signed in": sign_in,
            "signed in at the admin site": lambda person: User.objects.filter(pk=person.pk).update(
                last_login=timezone.now()
            ),
            "linked": lambda person: make_link(make_user(), person),
            "in a desk": lambda person: person.groups.add(Desk.objects.create(name="x")),
            "renamed": lambda person: User.objects.filter(pk=person.pk).update(track="Peru"),
            "profile changed": lambda person: UserProfile.objects.filter(user=person).update(bio="Hi"),
            "made staff": lambda person: User.objects.filter(pk=person.pk).update(is_staff=True),
            "given an organisation": lambda person: SupervisorProfile.objects.create(
                user=person, organization="Lab"
            ),
        }
        for name, use in uses.items():
            address = f"{name.replace(' ', '')}@example.org"
            with self.subTest(name):
                body = self.imported(HEADER, [address, *ADA[1:]])
                use(User.objects.get(email=address))

                after = self.step("undo", body["id"])

                self.assertTrue(User.objects.filter(email=address).exists())
                self.assertEqual((after["state"], after["progress"]["kept"]), ("undone", 1))
                self.assertEqual([remark["line"] for remark in after["remarks"]], [2])

    def test_a_guardian_goes_with_their_students_whatever_the_order(self) -> None:
        rows = [
            ["guardian@example.org", ""],
            *([f"n{n}@example.org", "Guardian@example.org"] for n in range(60)),
        ]
        for order in (rows, rows[::-1]):
            body = self.imported(["email", "guardianEmail"], *order)

            after = self.step("undo", body["id"])

            self.assertEqual((after["progress"]["undone"], after["progress"]["kept"]), (61, 0))
            self.assertEqual(User.objects.count(), 1)

    def test_a_guardian_of_somebody_who_stays_stays_too(self) -> None:
        student = make_user()
        UserProfile.objects.create(user=student, guardian_email="Guardian@example.org")
        body = self.imported(["email"], ["guardian@example.org"])

        after = self.step("undo", body["id"])

        self.assertEqual(after["progress"]["kept"], 1)
        self.assertEqual(UserProfile.objects.get(user=student).guardian_email, "Guardian@example.org")

    def test_a_guardian_whom_the_import_itself_named_goes(self) -> None:
        student = make_user(email="student@example.org")
        rows = [["guardian@example.org", ""], ["student@example.org", "guardian@example.org"]]
        body = self.imported(["email", "guardianEmail"], *rows)

        after = self.step("undo", body["id"])

        self.assertEqual((after["progress"]["undone"], after["remarksTotal"]), (2, 0))
        self.assertEqual(set(User.objects.all()), {self.admin, student})

    def test_after_an_undo_the_same_file_makes_them_anew(self) -> None:
        self.step("undo", self.imported(HEADER, ADA)["id"])

        self.assertEqual(self.counts(self.imported(HEADER, ADA)), (1, 0, 0, 0))


class UndoOfChangesTests(ImportTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ada = make_user(email="ada@example.org", first_name="Augusta", track="AUS-NSW")

    def test_each_field_goes_back(self) -> None:
        UserProfile.objects.create(
            user=self.ada, first_name="Augusta", areas_of_interest=["a, b"], year_level=3
        )
        SupervisorProfile.objects.create(user=self.ada, wwcc_expiry="2030-01-02")
        before = self.client.get(f"/api/admin/users/{self.ada.pk}/").json()
        header = [*HEADER, "newEmail", "areasOfInterest", "yearLevel", "wwccExpiry", "organization"]
        more = ["new@example.org", "x;y", "4", "2031-01-02", "Lab"]
        body = self.imported(header, [*ADA, *more], changeRole=True, changeAddress=True)
        self.assertEqual(User.objects.get(pk=self.ada.pk).email, "new@example.org")

        after = self.step("undo", body["id"])

        restored = self.client.get(f"/api/admin/users/{self.ada.pk}/").json()
        for document in (before, restored):
            del document["supervisorProfile"]["updatedAt"]
        self.assertEqual(restored, before)
        self.assertEqual((after["progress"]["undone"], after["remarksTotal"]), (1, 0))

    def test_a_name_is_not_lost_where_there_was_no_profile(self) -> None:
        body = self.imported(HEADER, ADA)

        self.step("undo", body["id"])

        self.assertEqual((ada().first_name, ada().track, ada().profile.bio), ("Augusta", "AUS-NSW", ""))

    def test_what_was_changed_since_stays_and_is_told(self) -> None:
        body = self.imported(HEADER, ADA)
        User.objects.filter(pk=self.ada.pk).update(track="Peru")

        after = self.step("undo", body["id"])

        self.assertEqual((ada().first_name, ada().track), ("Augusta", "Peru"))
        self.assertEqual((after["state"], after["progress"]["kept"]), ("undone", 1))
        self.assertEqual(after["remarks"][-1]["field"], "track")

    def test_an_address_that_somebody_has_taken_since_stays_as_it_is(self) -> None:
        body = self.imported(
            ["email", "newEmail"], ["ada@example.org", "new@example.org"], changeAddress=True
        )
        make_user(email="ada@example.org")

        after = self.step("undo", body["id"])

        self.assertEqual(User.objects.get(pk=self.ada.pk).email, "new@example.org")
        self.assertEqual(after["progress"]["kept"], 1)


class UndoStateTests(ImportTestCase):
    def refusal(self, action: str, import_id: int) -> tuple[int, str]:
        response = self.client.post(url(action, import_id))
        return response.status_code, response.json()["code"]

    def test_only_what_is_committed_is_undone_and_only_once(self) -> None:
        body = self.checked(HEADER, ADA)
        self.assertEqual(self.refusal("undo", body["id"]), (409, "import_not_committed"))

        self.step("commit", body["id"])
        self.step("undo", body["id"])

        self.assertEqual(self.refusal("undo", body["id"]), (409, "import_undone"))
        self.assertEqual(self.refusal("commit", body["id"]), (409, "import_undone"))

    def test_a_killed_worker_goes_on_where_it_stopped(self) -> None:
        body = self.imported(["email"], *([f"n{number}@example.org"] for number in range(70)))
        self.client.post(url("undo", body["id"]))
        erased = 0

        def killed(person: User, *, by: User) -> None:
            nonlocal erased
            erased += 1
            if erased > 60:
                raise KeyboardInterrupt
            erase_person(person, by=by)

        with (
            patch("users.services.import_undoing.erase_person", killed),
            self.assertRaises(KeyboardInterrupt),
        ):
            undo_import.func(import_id=body["id"])
        self.assertEqual(User.objects.count(), 21)

        after = self.step("undo", body["id"])

        self.assertEqual(
            (after["state"], after["progress"]["undone"], User.objects.count()), ("undone", 70, 1)
        )
