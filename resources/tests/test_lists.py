"""``GET /api/resources/`` and one of them: who reads what, narrowed how (CONTRACT 11)."""

from __future__ import annotations

from datetime import timedelta

from django.test import override_settings
from django.utils import timezone

from core.roles import Audience, Role
from resources.models import Resource
from resources.tests.cases import ResourceCase, call, url
from resources.tests.factories import TEXT, make_resource, published
from users.tests.factories import make_superuser, make_user


class ShapeTests(ResourceCase):
    def test_a_list_holds_whole_documents(self) -> None:
        resource = published(self.admin, title="Safety", description="Read it", role="student")

        body = call(self.student, "get", url()).json()

        row = body["results"][0]
        link = row.pop("url")
        self.assertTrue(link.endswith(resource.file_url))
        self.assertEqual({**body, "results": []}, {"count": 1, "next": None, "previous": None, "results": []})
        self.assertEqual(
            row,
            {
                "id": resource.pk,
                "title": "Safety",
                "type": "guide",
                "role": "student",
                "coverImage": None,
                "description": "Read it",
                "download_count": 0,
                "created_at": resource.created_at.isoformat().replace("+00:00", "Z"),
                "updated_at": resource.updated_at.isoformat().replace("+00:00", "Z"),
                "fileName": "guide.txt",
                "fileSize": len(TEXT),
                "mimeType": "text/plain",
            },
        )
        self.assertEqual({**self.document(self.student, resource), "url": 0}, {**row, "url": 0})

    def test_a_link_to_elsewhere_is_told_as_it_is(self) -> None:
        """D28: rows made by hand."""
        resource = Resource.objects.create(
            title="x", type="video", role="all", file_url="http://films.example/a.mp4"
        )

        document = self.document(self.student, resource)

        self.assertEqual(document["url"], "http://films.example/a.mp4")
        self.assertEqual({document[name] for name in ("fileName", "fileSize", "mimeType")}, {None})


class SightTests(ResourceCase):
    def test_each_role_reads_what_is_for_everyone_and_for_itself(self) -> None:
        rows = {audience: make_resource(title=audience, role=audience) for audience in Audience}
        people = {role: make_user(role=role) for role in Role}
        for role, person in people.items():
            seen = set(Audience) if role == Role.ADMIN else {Audience.ALL, role}
            with self.subTest(role=role):
                self.assertEqual(set(self.listed(person)), seen)
                for audience, row in rows.items():
                    status = call(person, "get", url("detail", row.pk)).status_code
                    self.assertEqual(status, 200 if audience in seen else 404)
        self.assertEqual(len(self.listed(make_superuser())), len(Audience))
        self.assertEqual(set(self.listed(make_user(is_staff=True))), {Audience.ALL, "student"})

    def test_nobody_reads_without_signing_in(self) -> None:
        for path in (url(), url("detail", 1), url("download", 1)):
            with self.subTest(path):
                self.assertEqual(call(None, "get", path).status_code, 401)

    def test_the_newest_comes_first_and_then_the_larger_id(self) -> None:
        now = timezone.now()
        for title, age in (("b", 1), ("c", 2), ("a", 1)):
            make_resource(title=title, created_at=now - timedelta(days=age))

        self.assertEqual(self.listed(self.student), ["a", "b", "c"])


class FilterTests(ResourceCase):
    def setUp(self) -> None:
        super().setUp()
        make_resource(title="Safety at Work", type="document", role="all", description="Gloves first")
        make_resource(title="Mentoring", type="guide", role="mentor")
        make_resource(title="Poster", type="template", role="student", description="50 % white. ÄRGER")

    def test_type_and_role_are_exact(self) -> None:
        self.assertEqual(self.listed(self.admin, type="guide"), ["Mentoring"])
        self.assertEqual(self.listed(self.admin, role="student"), ["Poster"])
        self.assertEqual(self.listed(self.admin, type="guide", role="student"), [])
        self.assertEqual(len(self.listed(self.admin, type="", role="", search="")), 3)

    def test_a_filter_shows_nothing_that_one_does_not_see(self) -> None:
        self.assertEqual(self.listed(self.student, role="mentor"), [])
        self.assertEqual(self.listed(self.student, search="mentoring"), [])

    def test_what_is_no_type_or_role_is_refused_by_name(self) -> None:
        for query in ({"type": "book"}, {"role": "teacher"}, {"type": "GUIDE"}, {"search": "a\0"}):
            with self.subTest(query):
                self.assert_refused(call(self.student, "get", url(), query), 400, *query)

    def test_search_looks_into_title_and_description(self) -> None:
        for text, titles in (
            ("SAFETY", ["Safety at Work"]),
            ("gloves", ["Safety at Work"]),
            ("50 % w", ["Poster"]),
            ("er", ["Poster"]),
            ("_", []),
        ):
            with self.subTest(text):
                self.assertEqual(self.listed(self.student, search=text), titles)

    def test_filters_narrow_the_list_alone(self) -> None:
        """B83, here as well."""
        resource = Resource.objects.get(title="Poster")

        response = call(self.student, "get", url("detail", resource.pk), {"type": "guide", "search": "x"})

        self.assertEqual(response.status_code, 200)


class PageTests(ResourceCase):
    def setUp(self) -> None:
        super().setUp()
        Resource.objects.bulk_create(Resource(title=str(n), type="guide", file_url="a") for n in range(101))

    def test_a_page_holds_100(self) -> None:
        """D9: the web client never asks for a second one."""
        body = call(self.student, "get", url()).json()

        self.assertEqual((body["count"], len(body["results"])), (101, 100))
        self.assertIn("page=2", body["next"])

    @override_settings(CONTENT_PAGE_SIZE=3)
    def test_pages_have_the_size_that_is_asked_for(self) -> None:
        sizes = {"": 3, "7": 7, "101": 100, "0": 1, "x": 3}
        for asked, size in sizes.items():
            with self.subTest(asked):
                self.assertEqual(len(self.listed(self.student, page_size=asked)), size)
        self.assertEqual(call(self.student, "get", url(), {"page": "99"}).status_code, 404)
        self.assertEqual(len(self.listed(self.student, page="last")), 2)
