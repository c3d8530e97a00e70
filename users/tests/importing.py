"""Importing people in tests, as an admin does it over the API."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from rest_framework.test import APIClient, APITestCase

from users.tests.factories import make_admin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from users.models import User

LIST = reverse("admin_panel:user-import-list")


def csv_of(*rows: Iterable[Any], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def check(client: APIClient, content: bytes, **flags: Any) -> Any:
    """Send a file for checking."""
    file = SimpleUploadedFile("people.csv", content, content_type="text/csv")
    return client.post(LIST, {"file": file, **flags}, format="multipart")


def url(action: str, import_id: int) -> str:
    return reverse(f"admin_panel:user-import-{action}", args=[import_id])


class ImportTestCase(APITestCase):
    """An admin at the API. ``step`` runs the task that a request enqueues, as a worker would."""

    admin: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin(email="admin@example.org")

    def setUp(self) -> None:
        self.client.force_authenticate(self.admin)

    def checked(self, *rows: Iterable[Any], **flags: Any) -> dict[str, Any]:
        response = check(self.client, csv_of(*rows), **flags)
        self.assertEqual(response.status_code, 201, response.content)
        body: dict[str, Any] = response.json()
        return body

    def step(self, action: str, import_id: int) -> dict[str, Any]:
        """Ask for commit or undo, let the task run, and return the document after it."""
        with self.captureOnCommitCallbacks(execute=True):
            response = self.client.post(url(action, import_id))
        self.assertEqual(response.status_code, 202, response.content)
        body: dict[str, Any] = self.client.get(url("detail", import_id)).json()
        return body

    def imported(self, *rows: Iterable[Any], **flags: Any) -> dict[str, Any]:
        return self.step("commit", self.checked(*rows, **flags)["id"])

    def counts(self, body: dict[str, Any]) -> tuple[int, ...]:
        return tuple(body["counts"][name] for name in ("create", "update", "unchanged", "rejected"))
