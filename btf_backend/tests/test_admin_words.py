"""The admin site speaks to people: the sidebar's names above each page, and no words of databases."""

from __future__ import annotations

from html import unescape

from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.urls import reverse

from btf_backend.tests.test_admin_site import MAKERS, heading, page
from events.models import Event, EventRegistration
from groups.models import Group
from groups.tests.factories import make_group
from users.tests.factories import make_superuser, make_user

IMPORT = reverse("admin:events_event_import")


class WordTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(make_superuser())

    def shown(self, url: str) -> str:
        page = self.client.get(url)
        self.assertEqual(page.status_code, 200, url)
        return unescape(page.content.decode())

    def test_above_a_row_stands_its_list_and_what_it_is_called(self) -> None:
        group = make_group(name="Kelp")

        self.assertEqual(heading(self.shown(page(Group, "change", group.pk))), f"Groups > {group}")

    def test_each_row_opens_and_none_says_null(self) -> None:
        """Nor does a list, which ``test_admin_site`` draws."""
        for model in admin.site._registry:
            with self.subTest(model=model._meta.label):
                row = MAKERS[model](0)
                self.assertNotRegex(self.shown(page(model, "change", row.pk)), r"\bNull\b")

    def test_members_are_people_and_no_pair_of_ids_stands_above_them(self) -> None:
        person = make_user(first_name="Ada", last_name="Byron")
        group = make_group(members=[person])

        shown = self.shown(page(Group, "change", group.pk))

        self.assertNotIn(f"{person.pk} in {group.pk}", shown)
        self.assertIn('data-label="person"', shown)
        self.assertNotIn('data-label="user"', shown)

    def test_rows_of_a_person_say_so_in_their_list_and_on_their_page(self) -> None:
        row = MAKERS[EventRegistration](0)

        self.assertIn('data-label="person"', self.shown(page(EventRegistration, "changelist")))
        detail = self.shown(page(EventRegistration, "change", row.pk))
        self.assertRegex(detail, r">\s*Person\s*</label>")
        self.assertIn(f'href="{reverse("admin:users_user_change", args=[row.user_id])}"', detail)  # type: ignore[attr-defined]

    def test_imports_and_exports_name_columns_and_say_what_their_button_does(self) -> None:
        MAKERS[Event](0)
        for url, words, button in (
            (IMPORT, "Columns that the first row of the file may name:", "Show the preview"),
            (reverse("admin:events_event_export"), "The file has these columns:", "Download"),
        ):
            with self.subTest(url):
                shown = self.shown(url)
                self.assertIn(words, shown)
                self.assertRegex(shown, rf">\s*{button}\s*</button>")
                self.assertNotRegex(shown, r"importer|exporter|>\s*Submit\s*<")

    def test_a_file_that_cannot_be_imported_is_given_the_true_reason(self) -> None:
        for content, reason in (
            (b"", "The submitted file is empty."),
            (b"\n\n", "The file is empty."),
            (b"id,title\n", "The file has no row below the one that names the columns."),
            (b"title\n" + b"a" * 140_000, "a cell has more than 128 kB, or a quotation mark is not closed"),
            (b'title\n"A\n', "look for a lone quotation mark"),
        ):
            with self.subTest(reason):
                file = SimpleUploadedFile("events.csv", content, "text/csv")
                answer = self.client.post(IMPORT, {"import_file": file, "format": "0", "resource": "0"})
                self.assertIn(reason, unescape(answer.content.decode()))

    def test_a_choice_of_nothing_is_called_that(self) -> None:
        group = make_group()
        sent = {"action": "give_template", "_selected_action": [group.pk]}
        Group.objects.filter(pk=group.pk).delete()

        answer = self.client.post(page(Group, "changelist"), sent, follow=True)

        self.assertContains(answer, "Nothing is chosen.")
