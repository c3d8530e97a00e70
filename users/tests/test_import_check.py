"""A check says what a file would do, and does nothing of it."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import AuditEvent
from users.models import ImportRow, PeopleImport, User, UserProfile
from users.tests.factories import make_admin, make_superuser, make_user
from users.tests.importing import LIST, ImportTestCase, check, csv_of, url


class RepeatTests(ImportTestCase):
    def send(self, content: bytes, **flags: Any) -> Any:
        file = SimpleUploadedFile("people.csv", content, content_type="text/csv")
        body = {"file": file, **flags}
        return self.client.post(LIST, body, format="multipart", headers={"Idempotency-Key": "k-1"})

    def test_a_file_that_is_sent_again_is_one_check(self) -> None:
        """B34."""
        file = csv_of(["email"], ["new@example.org"])

        first, again = self.send(file), self.send(file)

        self.assertEqual((first.status_code, again.status_code), (201, 201))
        self.assertEqual(again.json(), first.json())
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.assertEqual((PeopleImport.objects.count(), ImportRow.objects.count()), (1, 1))
        self.assertEqual(AuditEvent.objects.filter(action="people_import_checked").count(), 1)

    def test_another_file_or_flag_by_the_same_key_is_refused(self) -> None:
        file = csv_of(["email"], ["new@example.org"])
        self.send(file)

        self.assertEqual(self.send(csv_of(["email"], ["other@example.org"])).status_code, 422)
        self.assertEqual(self.send(file, changeRole=True).status_code, 422)

    def test_a_file_that_was_refused_is_mended_with_the_same_key(self) -> None:
        self.assertEqual(self.send(csv_of(["name"], ["x"])).status_code, 400)

        self.assertEqual(self.send(csv_of(["email"], ["new@example.org"])).status_code, 201)


class CheckTests(ImportTestCase):
    def test_no_account_is_written(self) -> None:
        ada = make_user(email="ada@example.org")

        self.checked(["email", "firstName"], ["ada@example.org", "Ada"], ["new@example.org", "New"])

        self.assertEqual(User.objects.count(), 2)
        self.assertFalse(UserProfile.objects.filter(user=ada).exists())
        self.assertEqual(AuditEvent.objects.get().action, "people_import_checked")

    def test_the_report_counts_rows_and_names_line_field_and_reason(self) -> None:
        make_user(email="ada@example.org")
        make_user(email="same@example.org", track="AUS-NSW")

        body = self.checked(
            ["email", "track", "yearLevel", "shoe size"],
            ["new@example.org", "Brazil", "3", "40"],
            ["ADA@example.org ", "Brazil", "", ""],
            ["same@example.org", "AUS-NSW", "", ""],
            ["nobody", "", "21", ""],
            ["new@example.org", "", "", ""],
        )

        self.assertEqual(self.counts(body), (1, 1, 1, 2))
        self.assertEqual(body["counts"]["total"], 5)
        self.assertEqual(body["progress"], {"waiting": 2, "written": 0, "undone": 0, "kept": 0})
        self.assertEqual((body["state"], body["ignoredColumns"]), ("checked", ["shoe size"]))
        self.assertEqual(
            [(fault["line"], fault["field"]) for fault in body["faults"]],
            [(5, "email"), (5, "yearLevel"), (6, "email")],
        )
        self.assertEqual(body["faults"][2]["reason"], "The same address as line 2.")
        self.assertEqual((body["faultsTotal"], body["remarks"], body["remarksTotal"]), (3, [], 0))

    def test_at_most_500_faults_are_told_and_all_are_counted(self) -> None:
        body = self.checked(["email", "yearLevel"], *[["nobody", "99"]] * 300)

        self.assertEqual((len(body["faults"]), body["faultsTotal"]), (500, 600))
        self.assertEqual(body["faults"][-1]["line"], 251)

    def test_what_our_own_export_says_is_unchanged(self) -> None:
        ada = make_user(email="ada@example.org", first_name="Ada", role="mentor")
        interests = ["bees, wasps", "genes"]
        UserProfile.objects.create(
            user=ada, first_name="Ada", areas_of_interest=interests, bio="=1", year_level=3
        )
        export: Any = self.client.get(reverse("admin_panel:user-export"))

        body = check(self.client, b"".join(export.streaming_content)).json()

        self.assertEqual(self.counts(body), (0, 0, 2, 0))
        self.assertEqual((body["ignoredColumns"], body["remarks"]), ([], []))

    def test_role_status_and_address_of_people_who_exist_stay_without_their_flags(self) -> None:
        make_user(email="ada@example.org", role="student", status="active")

        body = self.checked(
            ["email", "newEmail", "role", "status"],
            ["ada@example.org", "countess@example.org", "mentor", "pending"],
        )

        self.assertEqual(self.counts(body), (0, 0, 1, 0))
        self.assertEqual(
            [remark["reason"] for remark in body["remarks"]],
            [
                "Role stays student: send changeRole to change it.",
                "Status stays active: send changeStatus to change it.",
                "The address stays: send changeAddress to change it.",
            ],
        )

    def test_what_the_rules_of_access_forbid_is_rejected(self) -> None:
        make_superuser(email="root@example.org")
        make_admin(email="other@example.org")

        body = self.checked(
            ["email", "role", "track"],
            ["root@example.org", "", "x"],
            ["admin@example.org", "student", ""],
            ["other@example.org", "student", ""],
            changeRole=True,
        )

        self.assertEqual(self.counts(body), (0, 1, 0, 2))
        self.assertEqual([fault["line"] for fault in body["faults"]], [2, 3])

    def test_a_new_admin_is_remarked(self) -> None:
        make_user(email="ada@example.org")

        body = self.checked(
            ["email", "role"], ["new@example.org", "admin"], ["ada@example.org", "Admin"], changeRole=True
        )

        self.assertEqual(self.counts(body), (1, 1, 0, 0))
        self.assertEqual([remark["line"] for remark in body["remarks"]], [2, 3])

    def test_a_new_address_is_nobodys_yet_and_its_old_one_somebodys(self) -> None:
        make_user(email="ada@example.org")
        make_user(email="bob@example.org")

        body = self.checked(
            ["email", "newEmail"],
            ["ada@example.org", "bob@example.org"],
            ["nobody@example.org", "free@example.org"],
            ["free@example.org", ""],
            changeAddress=True,
        )

        self.assertEqual(self.counts(body), (0, 0, 0, 3))
        self.assertEqual([fault["field"] for fault in body["faults"]], ["newEmail", "email", "email"])

    def test_an_address_that_somebody_has_does_not_lead_an_unknown_one_to_them(self) -> None:
        ada = make_user(email="ada@example.org", first_name="Ada", track="Peru")
        header, row = ["email", "newEmail", "track"], ["ghost@example.org", "ada@example.org", "Brazil"]
        for flag in (False, True):
            with self.subTest(changeAddress=flag):
                body = self.checked(header, row, changeAddress=flag)

                self.assertEqual(self.counts(body), (0, 0, 0, 1))
                self.assertEqual([fault["field"] for fault in body["faults"]], ["email"])
                self.step("commit", body["id"])
                ada.refresh_from_db()
                self.assertEqual((ada.email, ada.track), ("ada@example.org", "Peru"))

    def test_a_finished_change_of_an_address_is_known_again_only_with_its_flag(self) -> None:
        make_user(email="ada@example.org", track="Peru")
        rows = ["email", "newEmail", "track"], ["old@example.org", "ada@example.org", "Peru"]

        self.assertEqual(self.counts(self.checked(*rows, changeAddress=True)), (0, 0, 1, 0))
        self.assertEqual(self.counts(self.checked(*rows)), (0, 0, 0, 1))


class UploadTests(ImportTestCase):
    def test_a_file_that_cannot_be_taken_is_refused_by_field(self) -> None:
        for content in (b"", b"firstName\nAda", b"email\n", b"\xff\xfee", b"email\n\0"):
            with self.subTest(content):
                response = check(self.client, content)

                self.assertEqual(response.status_code, 400)
                self.assertEqual(next(iter(response.json())), "file")
        self.assertFalse(PeopleImport.objects.exists())

    def test_a_file_above_ten_megabytes_is_refused_unread(self) -> None:
        response = check(self.client, b"x" * (10 * 1024 * 1024 + 1))

        self.assertContains(response, "larger than 10 MB", status_code=400)

    def test_only_a_form_is_taken(self) -> None:
        self.assertEqual(self.client.post(LIST, {"file": "x"}, format="json").status_code, 415)
        self.assertEqual(self.client.post(LIST, {"file": "x"}, format="multipart").status_code, 400)
        self.assertEqual(self.client.post(LIST, {}, format="multipart").status_code, 400)

    def test_a_file_name_is_only_a_name(self) -> None:
        file = SimpleUploadedFile("../../etc/people.csv", csv_of(["email"], ["a@example.org"]))

        body = self.client.post(LIST, {"file": file}, format="multipart").json()

        self.assertEqual(body["filename"], "people.csv")


class ReadingImportsTests(ImportTestCase):
    def queries(self, path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(self.client.get(path).status_code, 200)
        return len(captured)

    def test_the_list_is_newest_first_without_reports_and_costs_the_same_however_long(self) -> None:
        first = self.checked(["email"], ["a@example.org"])
        few = self.queries(LIST)
        last = [self.checked(["email"], *[["nobody"]] * 30) for _ in range(5)][-1]

        self.assertEqual(self.queries(LIST), few)
        results = self.client.get(LIST).json()["results"]
        self.assertEqual((results[0]["id"], results[-1]["id"]), (last["id"], first["id"]))
        self.assertEqual(set(first) - set(results[0]), {"faults", "faultsTotal", "remarks", "remarksTotal"})

    def test_an_import_costs_the_same_however_long_its_report(self) -> None:
        short = self.checked(["email"], ["nobody"])
        long = self.checked(["email", "role"], *[["nobody", "x"]] * 50)

        self.assertEqual(self.queries(url("detail", short["id"])), self.queries(url("detail", long["id"])))

    def test_a_check_asks_the_same_for_five_hundred_people(self) -> None:
        def cost(count: int) -> int:
            rows = [[f"n{number}@example.org"] for number in range(count)]
            with CaptureQueriesContext(connection) as captured:
                self.checked(["email"], *rows)
            return len([query for query in captured if not query["sql"].startswith("INSERT")])

        self.assertEqual(cost(2), cost(500))

    def test_nothing_personal_stands_in_plain_text(self) -> None:
        header = ["email", "firstName", "Parent of Lovelace"]
        content = csv_of(header, ["ada@example.org", "Lovelace", ""], ["nobody-of-note", "=Lovelace", ""])
        file = SimpleUploadedFile("Lovelace.csv", content)
        body = self.client.post(LIST, {"file": file}, format="multipart").json()
        self.assertEqual((body["filename"], body["ignoredColumns"]), ("Lovelace.csv", ["Parent of Lovelace"]))

        stored = [*ImportRow.objects.values(), *PeopleImport.objects.values(), *AuditEvent.objects.values()]
        for word in (
            "ada@",
            "Lovelace",
            "example.org",
            "nobody-of-note",
        ):  # none that sealed text may hold by chance
            self.assertNotIn(word, str(stored))
