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
from users.services.import_rows import content_of
from users.services.import_undoing import undo_next_rows
from users.services.imports import start_undo
from users.tasks import undo_import
from users.tests.factories import make_link, make_user
from users.tests.importing import ImportTestCase, url

HEADER = ["email", "firstName", "role", "track"]
ADA = ["ada@example.org", "Ada", "mentor", "Brazil"]
three_at_once = patch("users.services.import_undoing.ROWS_AT_ONCE", 3)


def ada() -> User:
    person: User = User.objects.get(email="ada@example.org")
    return person


@three_at_once
class UndoOfNewPeopleTests(ImportTestCase):
    def test_whom_nobody_has_used_is_erased_with_their_row(self) -> None:
        body = self.imported(HEADER, ADA)
        with patch("users.services.import_undoing.erase_person", wraps=erase_person) as erase:
            after = self.step("undo", body["id"])

        self.assertEqual((after["state"], after["progress"]["undone"]), ("undone", 1))
        self.assertFalse(User.objects.filter(email="ada@example.org").exists())
        erase.assert_called_once()
        row = ImportRow.objects.get()
        self.assertEqual((row.person_id, row.before), (None, ""))
        self.assertEqual(content_of(row), ([], [], []))
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
        addresses = {name: f"{name.replace(' ', '')}@example.org" for name in uses}
        body = self.imported(HEADER, *([address, *ADA[1:]] for address in addresses.values()), ADA)
        for name, use in uses.items():
            use(User.objects.get(email=addresses[name]))

        after = self.step("undo", body["id"])

        for name, address in addresses.items():
            with self.subTest(name):
                self.assertTrue(User.objects.filter(email=address).exists())
        self.assertFalse(User.objects.filter(email=ADA[0]).exists())
        self.assertEqual((after["state"], after["progress"]["kept"]), ("undone", len(uses)))
        self.assertEqual([remark["line"] for remark in after["remarks"]], [2, 3, 4, 5, 6, 7, 8, 9])

    def test_a_guardian_goes_with_their_students_whatever_the_order(self) -> None:
        rows = [
            ["guardian@example.org", ""],
            *([f"n{n}@example.org", "Guardian@example.org"] for n in range(4)),
        ]
        for order in (rows, rows[::-1]):
            body = self.imported(["email", "guardianEmail"], *order)

            after = self.step("undo", body["id"])

            self.assertEqual((after["progress"]["undone"], after["progress"]["kept"]), (5, 0))
            self.assertEqual(User.objects.count(), 1)

    def test_people_who_name_each_other_go_in_whatever_order_and_ring(self) -> None:
        def chain(step: int) -> list[list[str]]:
            return [[f"n{n}@example.org", f"n{(n + step) % 4}@example.org"] for n in range(4)]

        for step in (1, -1):
            body = self.imported(["email", "guardianEmail"], *chain(step))

            after = self.step("undo", body["id"])

            self.assertEqual((after["progress"]["undone"], after["remarksTotal"]), (4, 0))
            self.assertEqual(User.objects.count(), 1)

    def test_each_step_of_a_chain_takes_as_many_people_as_it_may(self) -> None:
        rows = [[f"n{n}@example.org", f"n{n + 1}@example.org"] for n in range(6)]
        body = self.imported(["email", "guardianEmail"], *rows)
        start_undo(body["id"], by=self.admin)

        undo_next_rows(body["id"])

        self.assertEqual(User.objects.count(), 4)

    def test_whoever_somebody_names_who_stays_stays_with_their_address(self) -> None:
        rows = [[f"n{n}@example.org", f"n{n + 1}@example.org"] for n in range(3)]
        body = self.imported(["email", "guardianEmail"], *rows)
        User.objects.filter(email="n1@example.org").update(track="Peru")

        after = self.step("undo", body["id"])

        self.assertEqual((after["progress"]["undone"], after["progress"]["kept"]), (1, 2))
        guardians = UserProfile.objects.filter(user__email__startswith="n").order_by("user__email")
        self.assertEqual([each.guardian_email for each in guardians], ["n2@example.org", "n3@example.org"])

    def test_whom_another_import_is_about_stays_and_so_do_its_rows(self) -> None:
        first = self.imported(["email", "track"], *([f"n{n}@example.org", "x"] for n in range(4)))
        waiting = self.checked(["email", "bio"], ["n0@example.org", "Bees"])
        written = self.imported(["email", "track"], ["n1@example.org", "x"], ["n2@example.org", "y"])
        User.objects.filter(email="n2@example.org").update(track="x")

        after = self.step("undo", first["id"])

        self.assertEqual((after["progress"]["undone"], after["progress"]["kept"]), (2, 2))
        self.assertEqual([remark["line"] for remark in after["remarks"]], [2, 4])
        self.assertIn("Another import", after["remarks"][0]["reason"])
        self.assertEqual(self.step("commit", waiting["id"])["progress"]["written"], 1)
        self.assertEqual(ImportRow.objects.filter(batch=written["id"]).count(), 2)

    def test_an_earlier_check_of_the_same_people_neither_keeps_them_nor_loses_rows(self) -> None:
        earlier = self.checked(HEADER, ADA)
        later = self.imported(HEADER, ADA)

        after = self.step("undo", later["id"])

        self.assertEqual(after["progress"]["undone"], 1)
        self.assertEqual(self.counts(self.step("commit", earlier["id"])), (1, 0, 0, 0))
        self.assertTrue(User.objects.filter(email=ADA[0]).exists())

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
        row = ["ada@example.org", "new@example.org", "Ada", "Peru"]
        body = self.imported(["email", "newEmail", "firstName", "track"], row, changeAddress=True)
        make_user(email="ada@example.org")

        after = self.step("undo", body["id"])

        person = User.objects.get(pk=self.ada.pk)
        self.assertEqual(
            (person.email, person.first_name, person.track), ("new@example.org", "Augusta", "AUS-NSW")
        )
        self.assertEqual(after["progress"]["kept"], 1)
        self.assertEqual([remark["field"] for remark in after["remarks"]], ["email"])

    def test_a_supervisor_profile_that_the_import_made_goes_while_nothing_stands_in_it(self) -> None:
        other = make_user(email="other@example.org")
        SupervisorProfile.objects.create(user=other)
        third = make_user(email="third@example.org")
        rows = [[each, "Lab"] for each in ("ada@example.org", "other@example.org", "third@example.org")]
        body = self.imported(["email", "organization"], *rows)
        SupervisorProfile.objects.filter(user=third).update(phone_number="1")

        self.step("undo", body["id"])

        left = SupervisorProfile.objects.order_by("user").values_list("user", "organization")
        self.assertEqual(list(left), [(other.pk, ""), (third.pk, "")])


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

    @three_at_once
    def test_a_killed_worker_goes_on_where_it_stopped(self) -> None:
        body = self.imported(["email"], *([f"n{number}@example.org"] for number in range(5)))
        self.client.post(url("undo", body["id"]))
        erased = 0

        def killed(person: User, *, by: User) -> None:
            nonlocal erased
            erased += 1
            if erased > 4:
                raise KeyboardInterrupt
            erase_person(person, by=by)

        with (
            patch("users.services.import_undoing.erase_person", killed),
            self.assertRaises(KeyboardInterrupt),
        ):
            undo_import.func(import_id=body["id"])
        self.assertEqual(User.objects.count(), 3)

        after = self.step("undo", body["id"])

        self.assertEqual(
            (after["state"], after["progress"]["undone"], User.objects.count()), ("undone", 5, 1)
        )
