"""A hundred thousand people: no page of the list reads the whole table.

Text of one or two letters is left out: it has no trigram, so that no index can answer it.
"""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING, Final
from unittest import skipUnless
from unittest.mock import patch

from django.db import connection
from django.test import TestCase, tag
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from core.testing import count_rows_anew, plan_of, without_counts
from users.models import User
from users.pagination import PeopleListing
from users.tests.factories import make_admin

if TYPE_CHECKING:
    from collections.abc import Iterator

URL: Final = reverse("admin_panel:user-list")
PEOPLE: Final = 100_000
FIRST: Final = ["Ada", "Amir", "Ben", "Chloe", "Emma", "Grace", "Hana", "Jack", "Mia", "Priya", "Ravi", "Tom"]
LAST: Final = ["Adams", "Brown", "Chen", "Garcia", "Hopper", "Jones", "Kim", "Nguyen", "Patel", "Wang"]
TRACKS: Final = [
    "AUS-NSW",
    "aus-nsw",
    "Aus-Qld",
    "AUS-QLD",
    "AUS-VIC",
    "AUS-WA",
    "Brazil",
    "brazil",
    "Global",
    "",
]
ROLES: Final = ["student"] * 90 + ["mentor"] * 6 + ["supervisor"] * 4
STATUSES: Final = ["active"] * 93 + ["pending"] * 4 + ["inactive"] * 3
IN_ORDER: Final = re.compile(r'ORDER BY ("users"\.)?"first_name"')
ASKED: Final[dict[str, dict[str, str]]] = {
    "no filter": {},
    "most people's role": {"role": "student"},
    "a rare role": {"role": "admin"},
    "a status": {"status": "pending"},
    "a track": {"track": "aus-NSW"},
    "a rare name": {"search": "Quasimodo"},
    "first and last name": {"search": "grace hopper"},
    "part of an address": {"search": "77777@"},
    "what every address holds": {"search": "@example.org"},
    "a first name, half-way down the order": {"search": "jack w"},
    "role and search": {"role": "mentor", "search": "hopper"},
    "everything": {"role": "student", "status": "pending", "track": "brazil", "search": "chen"},
}


def people() -> Iterator[User]:
    dice = Random(1)
    for number in range(PEOPLE):
        first, last = dice.choice(FIRST), dice.choice(LAST)
        yield User(
            username=f"{first}.{last}.{number}".lower(),
            email=f"{first}.{last}.{number}@example.org".lower(),
            first_name=first if number % 30_000 else "Quasimodo",
            last_name=last,
            role=dice.choice(ROLES),
            status=dice.choice(STATUSES),
            track=dice.choice(TRACKS),
        )


@tag("scale")
@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class PeopleAtScaleTests(TestCase):
    admin: User

    @classmethod
    def setUpTestData(cls) -> None:
        User.objects.bulk_create(people(), batch_size=5_000)
        cls.admin = make_admin()
        with connection.cursor() as cursor:
            cursor.execute("SELECT gin_clean_pending_list('user_by_search')")
        count_rows_anew(User)

    def page_queries(self, params: dict[str, str]) -> list[str]:
        """Return the SQL of a page as the endpoint sends it; two, where a search finds a great deal."""
        client = signed_in_client(self.admin)
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(client.get(URL, params).status_code, 200)
        return [query["sql"] for query in captured.captured_queries if IN_ORDER.search(query["sql"])]

    def test_no_page_reads_the_whole_table(self) -> None:
        for name, params in ASKED.items():
            with self.subTest(name):
                plan = plan_of(self.page_queries(params)[-1], run=True)
                if "search" in params:  # what is searched for is counted by finding it
                    plan = without_counts(plan)
                self.assertNotRegex(plan, r"Seq Scan on users\b")
                in_vain = [int(rows) for rows in re.findall(r"Rows Removed by Filter: (\d+)", plan)]
                self.assertLess(sum(in_vain), PEOPLE / 10, plan)

    def test_a_search_is_planned_as_if_all_were_wanted(self) -> None:
        """Else the table is read from its beginning where PostgreSQL guesses that so many are soon met."""
        with patch.object(PeopleListing, "FEW", 100):
            few, _ = self.page_queries({"search": "a chen"})

        plan = plan_of(few, run=True)
        self.assertNotIn("Seq Scan", plan)
        self.assertIn("user_by_search", plan)
