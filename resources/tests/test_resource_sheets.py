"""Resources by spreadsheet at the admin site (D34): a table changes what is told of files, and adds links."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from core.models import AuditEvent
from resources.models import Resource
from resources.tests.cases import ResourceCase
from resources.tests.factories import published
from users.tests.factories import make_admin

HEADER = "id,title,description,type,role,file_url"


def page(name: str) -> str:
    return reverse(f"admin:resources_resource_{name}")


class ResourceSheetTests(ResourceCase):
    def setUp(self) -> None:
        super().setUp()
        self.boss = make_admin(is_staff=True)
        self.client.force_login(self.boss)

    def preview(self, *rows: str) -> Any:
        file = SimpleUploadedFile("resources.csv", "\n".join([HEADER, *rows]).encode())
        return self.client.post(page("import"), {"import_file": file, "format": "0", "resource": "0"})

    def imported(self, *rows: str) -> Any:
        sent = self.preview(*rows).context["confirm_form"].initial
        return self.client.post(page("process_import"), sent, follow=True)

    def reasons(self, *rows: str) -> list[list[str]]:
        return [sorted(row.error_dict) for row in self.preview(*rows).context["result"].invalid_rows]

    def recorded(self) -> list[str]:
        return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))

    def test_a_new_row_publishes_what_lies_elsewhere(self) -> None:
        self.imported(",Safety,Read it,guide,student,https://example.org/safety.pdf")

        made = Resource.objects.get()
        self.assertEqual(
            (made.title, made.role, made.file_url), ("Safety", "student", "https://example.org/safety.pdf")
        )
        self.assertEqual(self.recorded(), ["resource_created"])

    def test_a_row_that_is_there_is_told_anew_and_keeps_its_file(self) -> None:
        resource = published(by=self.boss)
        key = resource.file_url

        self.imported(f"{resource.pk},New title,,guide,mentor,")

        resource.refresh_from_db()
        self.assertEqual((resource.title, resource.role, resource.file_url), ("New title", "mentor", key))
        self.assertEqual(self.recorded()[-1], "resource_changed")

    def test_a_table_replaces_no_file_and_leads_nowhere_but_to_the_web(self) -> None:
        resource = published(by=self.boss)
        told = "Safety,,guide,student"

        for row, columns in (
            (f"{resource.pk},{told},https://example.org/other.pdf", ["file_url"]),
            (f",{told},", ["file_url"]),
            (f",{told},javascript:alert(1)", ["file_url"]),
            (f",{told},uploads/somebodys.pdf", ["file_url"]),
            (",Safety,,poster,student,https://example.org", ["type"]),
            (",Safety,,guide,,https://example.org", ["role"]),
        ):
            with self.subTest(row):
                self.assertEqual(self.reasons(row), [columns])
        self.assertEqual(Resource.objects.count(), 1)

    def test_an_export_names_no_key_and_comes_back(self) -> None:
        published(by=self.boss)
        self.imported(",Elsewhere,,guide,student,https://example.org")

        sent = self.client.post(page("export"), {"format": "0", "resource": "0"}).content.decode("utf-8-sig")
        rows = {row["title"]: row["file_url"] for row in csv.DictReader(io.StringIO(sent))}

        self.assertEqual(sorted(rows.values()), ["", "https://example.org"])
        self.assertEqual(self.recorded()[-1], "resources_exported")
        self.assertContains(self.imported(*sent.splitlines()[1:]), "2 skipped")
