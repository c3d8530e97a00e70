"""Five thousand people at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.test import tag

from users.models import User
from users.tests.importing import ImportTestCase

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE = 5_000


def people() -> Iterator[list[Any]]:
    yield ["email", "firstName", "lastName", "track", "yearLevel", "areasOfInterest", "bio"]
    for number in range(PEOPLE):
        cells = [f"scale{number}@example.org", "Ada", f"Number {number}", "AUS-NSW", number % 13]
        yield [*cells, "genetics;enzymes", "Keeps bees, and counts them."]


def chain() -> Iterator[list[Any]]:
    """Each names the next one as guardian, and the last one the first."""
    yield ["email", "firstName", "guardianEmail"]
    for number in range(PEOPLE):
        yield [f"link{number}@example.org", "Ada", f"link{(number + 1) % PEOPLE}@example.org"]


@tag("scale")
class ImportScaleTests(ImportTestCase):
    def test_five_thousand_people_are_made_once_and_taken_back(self) -> None:
        body = self.checked(*people())
        self.assertEqual(self.counts(body), (PEOPLE, 0, 0, 0))

        written = self.step("commit", body["id"])

        self.assertEqual((written["state"], written["progress"]["written"]), ("committed", PEOPLE))
        self.assertEqual(self.counts(self.checked(*people())), (0, 0, PEOPLE, 0))

        undone = self.step("undo", body["id"])

        self.assertEqual((undone["state"], undone["progress"]["undone"]), ("undone", PEOPLE))
        self.assertEqual(User.objects.count(), 1)

    def test_five_thousand_people_who_name_each_other_are_taken_back(self) -> None:
        body = self.step("commit", self.checked(*chain())["id"])
        self.assertEqual(body["progress"]["written"], PEOPLE)

        undone = self.step("undo", body["id"])

        self.assertEqual((undone["state"], undone["progress"]["undone"]), ("undone", PEOPLE))
        self.assertEqual(User.objects.count(), 1)
