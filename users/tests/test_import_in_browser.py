"""A programme admin imports people on a phone: from the list to the result, and back again."""

from __future__ import annotations

from typing import Final

from django.test import tag
from django.urls import reverse

from core.browser_testing import BrowserTestCase, violations
from users.models import User
from users.tests.factories import make_user
from users.tests.importing import csv_of

PHONE: Final = {"width": 390, "height": 844}
FITS: Final = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@tag("browser")
class ImportOnAPhoneTests(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.tab.set_viewport_size(PHONE)
        self.come_in_as(make_user(role="admin", is_staff=True, first_name="Olive"))

    def press(self, name: str) -> None:
        self.tab.get_by_role("button", name=name).click()

    def sees(self, text: str) -> None:
        """Wait for a page that says so; it has no grave fault, and nothing of it is wider than a phone."""
        self.tab.get_by_text(text).first.wait_for()
        self.assertEqual(violations(self.tab, "#content"), [])
        self.assertTrue(self.tab.evaluate(FITS), text)

    def test_the_whole_way(self) -> None:
        rows = [["email", "firstName"], ["ada@example.org", "Ada"], ["nobody", "No"]]
        self.open(reverse("admin:users_user_changelist"))
        self.tab.get_by_role("link", name="Import people").click()
        self.sees("The file is checked first")

        file = {"name": "people.csv", "mimeType": "text/csv", "buffer": csv_of(*rows)}
        self.tab.locator("input[type=file]").set_input_files(file)
        self.press("Check the file")
        self.sees("Nothing has been written yet.")
        self.tab.get_by_role("link", name="Rejected 1").click()
        self.sees("Enter a valid email address.")

        self.press("Import 1 person")
        self.sees("1 person was added")
        self.assertTrue(User.objects.filter(email="ada@example.org").exists())

        self.tab.get_by_role("link", name="Undo").click()
        self.sees("They are erased")
        self.press("Undo 1 row")
        self.sees("1 row was taken back")
        self.assertFalse(User.objects.filter(email="ada@example.org").exists())
