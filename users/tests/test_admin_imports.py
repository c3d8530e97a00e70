"""Importing people at the admin site: the same services, rules and records as over the API."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import time_machine
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.models import AuditEvent
from core.testing import context_of, undrawn
from core.tests.proving import make_stale
from users.models import ImportRow, PeopleImport, User
from users.services.accounts import change_account
from users.services.imports import start_commit
from users.tests.factories import make_user
from users.tests.importing import csv_of
from users.tests.test_admin_site import LIST as PEOPLE
from users.tests.test_admin_site import DeskTestCase, make_staff

LIST, ADD = (reverse(f"admin:users_peopleimport_{name}") for name in ("changelist", "add"))
TEMPLATE = reverse("admin:users_peopleimport_template")
HEADER = ["email", "firstName", "lastName", "role", "Shoe"]
ROWS = [
    HEADER,
    ["new@example.org", "Ada", "Lovelace", "student"],
    ["known@example.org", "Grace", "Hopper"],
    ["same@example.org"],
    ["nobody", "No", "Body"],
]


def page(name: str, batch: PeopleImport) -> str:
    return reverse(f"admin:users_peopleimport_{name}", args=[batch.pk])


class ImportDeskCase(DeskTestCase):
    known: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.known = make_user(email="known@example.org")
        make_user(email="same@example.org")

    def setUp(self) -> None:
        super().setUp()
        cache.clear()

    def send(self, content: bytes, name: str = "people.csv", **flags: str) -> Any:
        return self.client.post(ADD, {"file": SimpleUploadedFile(name, content), **flags})

    def downloaded(self, url: str) -> bytes:
        response: Any = self.client.get(url)
        return b"".join(response.streaming_content)

    def checked(self, *rows: list[str], **flags: str) -> PeopleImport:
        response = self.send(csv_of(*(rows or ROWS)), **flags)
        batch = PeopleImport.objects.latest("pk")
        with undrawn():
            self.assertRedirects(response, page("change", batch))
        return batch

    def press(self, name: str, batch: PeopleImport, **sent: str) -> Any:
        """Press a button, let the task run, and follow to the page after it."""
        with self.captureOnCommitCallbacks(execute=True):
            response = self.client.post(page(name, batch), sent)
        batch.refresh_from_db()
        return self.client.get(response.headers["Location"])

    def imported(self) -> PeopleImport:
        batch = self.checked()
        with undrawn():
            self.press("commit", batch)
        return batch


class UploadTests(ImportDeskCase):
    def test_a_file_is_checked_and_nobody_is_written(self) -> None:
        batch = self.checked(change_role="on")

        self.assertEqual((batch.filename, batch.created_by), ("people.csv", self.staff))
        self.assertEqual((batch.change_role, batch.change_status, batch.change_address), (True, False, False))
        self.assertFalse(User.objects.filter(email="new@example.org").exists())
        self.assertEqual(AuditEvent.objects.get().action, "people_import_checked")

    def test_a_file_that_cannot_be_read_is_told_beside_the_field(self) -> None:
        header = b"email,firstName\r\n"
        for content, said in (
            (b"", "The file is empty."),
            (b"\r\n\r\n", "The file is empty."),
            (header, "nobody below it"),
            (b"name\r\nAda", "no column &#x27;email&#x27;"),
            (b"PK\x03\x04 a workbook", "Excel workbook"),
            ("email\r\n".encode("utf-16"), "UTF-16"),
            (header + b"a@example.org,\xff", "Line 2 is not UTF-8"),
            (header + b"a@example.org,\0", "NUL"),
            (header + b'a@example.org,"open', "Line 2 cannot be read"),
            (b"email," + b"x" * 101 + b"\r\n", "column 2 is longer than 100"),
        ):
            with self.subTest(said):
                self.assertContains(self.send(content), said)
        self.assertFalse(PeopleImport.objects.exists())

    def test_a_file_above_the_limit_is_refused_unread(self) -> None:
        with patch("users.services.imports.MAX_BYTES", 10):
            self.assertContains(self.send(b"email\r\nada@example.org"), "larger than")

    def test_no_file_is_told_and_a_name_of_any_length_is_taken(self) -> None:
        self.assertContains(self.client.post(ADD, {}), "This field is required.")
        self.assertEqual(self.send(csv_of(*ROWS), name="n" * 300 + ".csv").status_code, 302)

    def test_the_template_names_every_column_and_can_be_sent_back(self) -> None:
        content = self.downloaded(TEMPLATE)

        self.assertContains(self.send(content), "nobody below it")
        batch = self.checked(content.decode("utf-8-sig").strip().split(","), ["ada@example.org"])
        self.assertEqual((batch.ignored_columns, batch.counts["create"]), ([], 1))


class PreviewTests(ImportDeskCase):
    def rows(self, batch: PeopleImport, query: str = "") -> list[tuple[int, str]]:
        shown = context_of(self.client, page("change", batch) + query)["rows"]
        return [(row.line, row.address) for row, _, _ in shown]

    def test_it_counts_and_tells_the_reason_of_each_row(self) -> None:
        shown = self.client.get(page("change", self.checked()))

        for text in (
            "Nothing has been written yet.",
            "1 would be added and 1 changed; 1 say what is stored already, 1 cannot be taken.",
            "Import 2 people",
            "Enter a valid email address.",
            "Shoe",
        ):
            self.assertContains(shown, text)

    def test_rows_are_narrowed_by_what_becomes_of_them(self) -> None:
        batch = self.checked()
        for word, lines in (("create", [2]), ("update", [3]), ("unchanged", [4]), ("rejected", [5])):
            with self.subTest(word):
                self.assertEqual([line for line, _ in self.rows(batch, f"?rows={word}")], lines)
        self.assertEqual(len(self.rows(batch, "?rows=x&page=x")), 4)

    def test_there_are_50_a_page_for_the_same_queries(self) -> None:
        few = self.checked(HEADER, ["a@example.org"])
        many = self.checked(HEADER, *([f"p{n}@example.org", "=evil()"] for n in range(51)))

        def queries(batch: PeopleImport) -> int:
            with CaptureQueriesContext(connection) as captured:
                self.client.get(page("change", batch))
            return len(captured)

        self.assertEqual(queries(many), queries(few))
        self.assertEqual((len(self.rows(many)), len(self.rows(many, "?page=2"))), (50, 1))

    def test_what_a_cell_says_is_never_markup(self) -> None:
        batch = self.checked(HEADER, ["a@example.org", "<script>x</script>"])

        self.assertNotContains(self.client.get(page("change", batch)), "<script>x")

    def test_rows_whose_key_is_lost_say_so(self) -> None:
        batch = self.checked()
        PeopleImport.objects.update(sheet="x")
        ImportRow.objects.update(content="x")

        self.assertContains(self.client.get(page("change", batch)), "can no longer be read")

    def test_rejected_rows_are_downloaded_after_a_fresh_proof_and_recorded(self) -> None:
        batch = self.checked()

        content = self.downloaded(page("rejected", batch))

        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        self.assertEqual(lines[1][:3], ["5", "email: Enter a valid email address.", "nobody"])
        read = AuditEvent.objects.filter(action="people_import_rejected_rows_read")
        self.assertEqual(read.count(), 1)
        make_stale(self.client)
        self.assertIn("/admin/confirm/", self.client.get(page("rejected", batch)).headers["Location"])
        self.assertEqual(read.count(), 1)

    @override_settings(EXPORTS_PER_USER="1/1h")
    def test_they_count_in_the_budget_of_exports(self) -> None:
        batch = self.checked()
        self.client.get(page("rejected", batch))

        again = self.client.get(page("rejected", batch), follow=True)
        self.assertContains(again, "You have exported much lately.")


class WritingTests(ImportDeskCase):
    def test_the_button_writes_in_the_background_and_the_page_tells_the_result(self) -> None:
        batch = self.checked()

        shown = self.press("commit", batch)

        self.assertContains(
            shown, "1 person was added and 1 changed; 1 needed nothing, 1 could not be taken."
        )
        self.assertContains(shown, page("undo", batch))
        self.assertEqual(User.objects.get(email="new@example.org").name, "Ada Lovelace")

    def test_while_it_is_under_way_the_page_looks_again_and_offers_another_start(self) -> None:
        batch = self.checked()
        start_commit(batch.pk, by=self.staff)
        PeopleImport.objects.update(counts={**batch.counts, "waiting": 1, "written": 1})

        shown = self.client.get(page("change", batch))

        self.assertContains(shown, 'data-look-again="5"')
        self.assertContains(shown, 'aria-valuenow="50"')
        self.assertContains(shown, "start it again")
        self.assertContains(self.client.get(LIST), "1 of 2")

    def test_the_page_of_one_that_waits_does_not_look_again(self) -> None:
        self.assertNotContains(self.client.get(page("change", self.checked())), "refresh")

    def test_what_was_not_finished_in_time_says_so_and_stops_looking(self) -> None:
        batch = self.checked()
        start_commit(batch.pk, by=self.staff)
        PeopleImport.objects.update(created_at=timezone.now() - timedelta(hours=26))

        shown = self.client.get(page("change", batch))

        self.assertContains(shown, "It was not finished in time")
        self.assertNotContains(shown, "refresh")

    def test_a_get_writes_nothing(self) -> None:
        self.assertEqual(self.client.get(page("commit", self.checked())).status_code, 405)

    def test_a_refusal_is_a_message_on_the_page(self) -> None:
        batch = self.checked()
        PeopleImport.objects.update(created_at=timezone.now() - timedelta(hours=25))

        self.assertContains(self.press("commit", batch), "more than 24 hours ago")
        self.assertFalse(User.objects.filter(email="new@example.org").exists())


class UndoTests(ImportDeskCase):
    def test_it_asks_with_the_count_and_then_takes_back(self) -> None:
        batch = self.imported()

        asked = self.client.get(page("undo", batch))
        self.assertContains(asked, "Undo 2 rows")
        self.assertContains(asked, "Ada Lovelace (new@example.org)")
        self.assertTrue(User.objects.filter(email="new@example.org").exists())

        shown = self.press("undo", batch, post="yes")
        self.assertContains(shown, "2 rows were taken back")
        self.assertFalse(User.objects.filter(email="new@example.org").exists())
        self.known.refresh_from_db()
        self.assertEqual(self.known.first_name, "")

    def test_what_stays_can_be_looked_at(self) -> None:
        batch = self.imported()
        change_account(self.known, by=self.staff, profile={"first_name": "Changed"})

        self.assertContains(self.press("undo", batch, post="yes"), "1 stay")
        self.assertContains(
            self.client.get(page("change", batch) + "?rows=kept"), "Changed since, and stays."
        )

    def test_it_wants_a_fresh_proof(self) -> None:
        batch = self.imported()
        make_stale(self.client)

        response = self.client.post(page("undo", batch), {"post": "yes"})

        self.assertIn("/admin/confirm/", response.headers["Location"])
        batch.refresh_from_db()
        self.assertEqual(batch.state, PeopleImport.State.COMMITTED)

    def test_a_day_later_it_is_refused_in_words(self) -> None:
        batch = self.imported()
        PeopleImport.objects.update(committed_at=timezone.now() - timedelta(hours=25))

        self.assertNotContains(self.client.get(page("change", batch)), page("undo", batch))
        self.assertContains(self.press("undo", batch, post="yes"), "more than 24 hours ago")


class RoleTests(ImportDeskCase):
    def statuses(self, batch: PeopleImport) -> list[int]:
        urls = [LIST, ADD, TEMPLATE, page("change", batch), page("rejected", batch), page("undo", batch)]
        with undrawn():
            answers = [self.client.get(url) for url in urls]
            answers += [self.send(csv_of(*ROWS)), self.client.post(page("commit", batch))]
        return [answer.status_code for answer in answers]

    def test_platform_admins_import_and_whatever_other_staff_do_not(self) -> None:
        batch = self.imported()
        for staff, expected in (
            (make_staff(role="admin"), [200] * 6 + [302] * 2),
            (make_staff(), [403] * 8),
            (make_user(is_staff=True), [403] * 8),
            (make_user(role="mentor"), [302] * 8),
        ):
            self.sit_down(staff)
            with self.subTest(role=staff.role, is_staff=staff.is_staff):
                self.assertEqual(self.statuses(batch), expected)

    def test_only_who_may_is_led_there_from_the_list_of_people(self) -> None:
        for staff, is_led in ((make_staff(role="admin"), True), (make_staff(), False)):
            self.sit_down(staff)
            self.assertEqual(ADD in self.client.get(PEOPLE).content.decode(), is_led)

    def test_nothing_is_changed_or_deleted_by_hand(self) -> None:
        batch = self.checked()

        self.client.post(page("delete", batch), {"post": "yes"})

        self.assertTrue(PeopleImport.objects.filter(pk=batch.pk).exists())
        missing = reverse("admin:users_peopleimport_change", args=[10**9])
        self.assertEqual(self.client.get(missing).status_code, 404)


class ForgottenTests(ImportDeskCase):
    def test_the_page_of_one_whose_rows_are_gone_says_so(self) -> None:
        batch = self.checked()
        batch.rows.all().delete()
        with time_machine.travel(timezone.now() + timedelta(days=2)):
            self.client.force_login(self.staff)
            self.assertContains(self.client.get(page("change", batch)), "The rows are no longer kept")
