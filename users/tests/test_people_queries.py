"""What the list of people costs: the same number of queries for one row and for 500."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from core.listing import listing_of
from core.testing import before_statement
from users.models import User
from users.pagination import PeopleListing
from users.tests.factories import make_admin, make_user
from users.views.people import PeopleViewSet

if TYPE_CHECKING:
    from rest_framework.test import APIClient

URL = reverse("admin_panel:user-list")
NARROWED: Final[tuple[dict[str, str], ...]] = (
    {},
    {"role": "student"},
    {"status": "pending"},
    {"track": "aus-nsw"},
    {"search": "ada"},
    {"search": "ada lovelace"},
    {"search": "@example"},
    {"role": "student", "status": "pending", "track": "AUS-NSW", "search": "ada"},
)
AUTHENTICATION, COUNT, PAGE = 1, 1, 1


class PeopleQueriesTests(TestCase):
    client: APIClient
    admin: User

    @classmethod
    def setUpTestData(cls) -> None:
        User.objects.bulk_create(
            User(
                username=f"ada{number}",
                email=f"ada{number}@example.org",
                first_name="Ada",
                last_name="Lovelace",
                track="AUS-NSW",
            )
            for number in range(600)
        )
        cls.admin = make_admin()

    def setUp(self) -> None:
        self.client = signed_in_client(self.admin)

    def test_two_queries_whatever_is_asked_and_however_much_is_found(self) -> None:
        """A page brings its count."""
        for params in NARROWED:
            for size in (1, 500):
                with (
                    self.subTest(params=params, size=size),
                    self.assertNumQueries(AUTHENTICATION + PAGE),
                ):
                    body = self.client.get(URL, {**params, "page_size": size}).json()
                    self.assertEqual(len(body["results"]), size)

    def assert_page_is_right(self, number: int, *, queries: int) -> None:
        in_order = [user.email for user in User.objects.by_name()]
        with self.assertNumQueries(AUTHENTICATION + queries):
            body = self.client.get(URL, {"page": number}).json()
        told = [row["email"] for row in body["results"]]
        self.assertEqual((body["count"], told), (len(in_order), in_order[20 * (number - 1) : 20 * number]))

    def test_a_deep_page_is_one_query_where_there_are_as_many_as_the_last_time(self) -> None:
        listing_of.cache_clear()

        self.assert_page_is_right(30, queries=COUNT + PAGE)
        self.assert_page_is_right(30, queries=PAGE)
        self.assert_page_is_right(2, queries=PAGE)
        with self.assertNumQueries(AUTHENTICATION + COUNT + PAGE):
            self.assertEqual(len(self.client.get(URL, {"page": "last"}).json()["results"]), 1)

    def test_a_deep_page_is_right_where_somebody_else_finds_out_meanwhile(self) -> None:
        self.client.get(URL, {"page": 30})
        listing = listing_of(PeopleViewSet, True, ())  # noqa: FBT003 - as an admin
        page = 'SELECT "users"."id", "users"."first_name"'
        for last_total, asked in ((0, "SELECT COALESCE(SUM(people)"), (590, page), (700, page)):
            listing.last_total = last_total
            with before_statement(asked, lambda: setattr(listing, "last_total", 601)):
                self.assert_page_is_right(30, queries=2)

    def test_a_deep_page_is_right_where_there_are_more_or_fewer(self) -> None:
        self.client.get(URL, {"page": 30})
        gone = User.objects.by_name().values_list("pk", flat=True)[300:350]

        User.objects.filter(pk__in=list(gone)).delete()
        self.assert_page_is_right(27, queries=PAGE + PAGE)
        make_user(first_name="Aaron")
        make_user(first_name="Zoë")
        self.assert_page_is_right(27, queries=PAGE + PAGE)
        self.assert_page_is_right(28, queries=PAGE)
        User.objects.filter(first_name="Ada").delete()
        self.assertEqual(self.client.get(URL, {"page": 28}).status_code, 404)
        self.assertEqual(self.client.get(URL, {"page": 1}).json()["count"], User.objects.count())

    def test_pages_join_without_a_gap_and_end_where_the_last_one_ends(self) -> None:
        names = [user.email for user in User.objects.by_name()]
        pages = [self.client.get(URL, {"page": page, "page_size": 250}).json() for page in (1, 2, 3, "last")]

        told = [row["email"] for page in pages[:3] for row in page["results"]]
        self.assertEqual(told, names)
        self.assertEqual(pages[2], pages[3])
        self.assertEqual({page["count"] for page in pages}, {601})
        self.assertEqual([bool(page["next"]) for page in pages], [True, True, False, False])

    def test_a_page_that_cannot_be_is_404_and_costs_no_more(self) -> None:
        for page in ("0", "-1", "32", "x", "1.5", "9" * 18, "9" * 30, "9" * 5_000):
            with self.subTest(page[:20]):
                with CaptureQueriesContext(connection) as queries:
                    response = self.client.get(URL, {"page": page})
                self.assertEqual((response.status_code, response.json()["code"]), (404, "not_found"))
                self.assertLessEqual(len(queries), AUTHENTICATION + COUNT + PAGE)

    def test_a_search_has_one_order_however_its_page_is_fetched(self) -> None:
        for first, last in (("ada", "a"), ("Ada", "Á"), ("ÉVE", "Ada"), ("", "ada"), ("Ada", "lovelace")):
            make_user(first_name=first, last_name=last)

        found: dict[int, list[Any]] = {}
        for few in (0, 604, 605, PeopleListing.FEW):
            with patch.object(PeopleListing, "FEW", few):
                asked = ({"search": "ada", "page_size": "250", "page": page} for page in (1, 2, 3))
                found[few] = [self.client.get(URL, params).json() for params in asked]

        for pages in found.values():
            self.assertEqual(pages, found[0])
        self.assertEqual([page["count"] for page in found[0]], [605] * 3)
        in_order = [user.email for user in User.objects.matching("ada").by_name()]
        self.assertEqual([row["email"] for page in found[0] for row in page["results"]], in_order)

    def test_a_search_that_finds_a_great_deal_is_three_queries_too(self) -> None:
        for few, page, queries in ((0, 1, 2), (0, 2, 2), (0, 4, 1), (605, 1, 1), (605, 2, 2), (605, 4, 2)):
            with (
                self.subTest(few=few, page=page),
                patch.object(PeopleListing, "FEW", few),
                self.assertNumQueries(AUTHENTICATION + queries),
            ):
                self.client.get(URL, {"search": "ada", "page_size": "250", "page": str(page)})

    def test_choices_of_filters_are_one_query(self) -> None:
        with self.assertNumQueries(AUTHENTICATION + 1):
            self.client.get(reverse("admin_panel:user-filters"))
