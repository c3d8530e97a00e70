"""What reading resources costs: the same number of queries however many there are, each by an index."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import skipUnless

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authentication.tests.signing_in import signed_in_client
from core.models import Upload
from core.roles import Audience
from core.testing import count_rows_anew, plan_of, without_counts
from resources.access import may_open_cover, may_open_file
from resources.models import Resource
from resources.tests.cases import ResourceCase, url
from resources.tests.factories import published
from users.tests.factories import make_user

if TYPE_CHECKING:
    from users.models import User

AUTHENTICATION = 1
MANY = 4_000


class CostTests(ResourceCase):
    def have(self, count: int) -> None:
        """Publish so many more, each with a file of its own that nobody opens."""
        keys = [f"resources/files/{count:016x}{n:016x}.txt" for n in range(count)]
        Upload.objects.bulk_create(Upload(key=key, filename="guide.txt", size=10) for key in keys)
        Resource.objects.bulk_create(
            Resource(title="Guide", type="guide", role="all", file_url=key) for key in keys
        )

    def test_a_page_costs_the_same_for_1_and_for_100(self) -> None:
        client = signed_in_client(self.student)
        for rows, more in ((1, 1), (100, 99)):
            self.have(more)
            for query in ({}, {"type": "guide", "role": "all", "search": "gui"}):
                with self.subTest(rows=rows, query=query), self.assertNumQueries(AUTHENTICATION + 1):
                    body: Any = client.get(url(), query).json()
                self.assertEqual(len(body["results"]), rows)
                self.assertEqual({row["fileName"] for row in body["results"]}, {"guide.txt"})

    def test_one_page_of_several_is_counted_too(self) -> None:
        client = signed_in_client(self.student)
        for _ in range(3):
            published(self.admin)
        for page, queries in ((1, 1), (2, 2), ("last", 2)):
            with self.subTest(page), self.assertNumQueries(AUTHENTICATION + queries):
                self.assertEqual(client.get(url(), {"page": page, "page_size": 2}).json()["count"], 3)

    def test_one_costs_one(self) -> None:
        client, resource = signed_in_client(self.student), published(self.admin)
        with self.assertNumQueries(AUTHENTICATION + 1):
            client.get(url("detail", resource.pk))


@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class PlanTests(TestCase):
    student: User
    mentor: User

    @classmethod
    def setUpTestData(cls) -> None:
        now, audiences, kinds = timezone.now(), Audience.values, Resource.Type.values
        Resource.objects.bulk_create(
            Resource(
                title=f"Plate {n}" if n % 1_000 else "The quokka",
                description="How to pour it, and what grows there",
                type=kinds[0] if n % 500 else kinds[1],
                role=audiences[0] if n % 400 else audiences[2],
                file_url=f"resources/files/{n:032x}.pdf",
                cover_image=f"resources/covers/{n:032x}.png",
                created_at=now - timedelta(minutes=n % 977),
            )
            for n in range(MANY)
        )
        Upload.objects.bulk_create(
            Upload(key=f"resources/files/{n:032x}.pdf", filename="a.pdf", size=1) for n in range(MANY)
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT gin_clean_pending_list('resource_by_search')")
        count_rows_anew(Resource, Upload)
        cls.student = make_user()
        cls.mentor = make_user(role="mentor")

    def plans(self, ask: Any) -> str:
        with CaptureQueriesContext(connection) as captured:
            ask()
        asked = [
            query["sql"] for query in captured if "SELECT" in query["sql"] and "resources_" in query["sql"]
        ]
        return "\n".join(without_counts(plan_of(query)) for query in asked)

    def test_pages_and_filters_read_their_indexes(self) -> None:
        client = signed_in_client(self.mentor)
        expected = {
            (): "resource_newest_first",
            (("type", "video"),): "resource_by_type",
            (("role", "mentor"),): "resource_by_role",
            (("search", "QUOKKA"),): "resource_by_search",
        }
        for query, index in expected.items():
            plan = self.plans(lambda query=query: client.get(url(), dict(query)))
            with self.subTest(query):
                self.assertIn(index, plan)
                self.assertNotIn("Seq Scan", plan)

    def test_a_click_reads_the_index_of_its_column(self) -> None:
        for may_open, folder, index in (
            (may_open_file, "files", "resource_by_file"),
            (may_open_cover, "covers", "resource_by_cover"),
        ):
            plan = self.plans(lambda ask=may_open, folder=folder: ask(self.student, f"resources/{folder}/x"))
            with self.subTest(index):
                self.assertIn(index, plan)
                self.assertNotIn("Seq Scan", plan)
