"""Fifty clicks at the same moment (issue 6, point 4)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from urllib.parse import urlsplit

from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from rest_framework.test import APIClient

from core.models import Upload
from core.testing import in_parallel
from core.tests.files import use_own_storage
from core.uploads.links import Links
from resources.models import Resource, ResourceDownload
from resources.services.publishing import change_resource, delete_resource
from resources.tests.cases import pdf
from resources.tests.factories import published
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from users.models import User

CLICKS = 50


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class DownloadRaces(TransactionTestCase):
    def setUp(self) -> None:
        cache.clear()
        use_own_storage(self)
        self.admin = make_admin()
        self.resource = published(self.admin)

    def click(self, person: User) -> int:
        """Open the file by the person's link, to its end."""
        link = Links(person.pk, "http://testserver").to(self.resource.file_url)
        response: Any = APIClient().get(urlsplit(link).path)
        if response.status_code == 200:
            b"".join(response)
        return int(response.status_code)

    def counted(self) -> tuple[int, int]:
        self.resource.refresh_from_db()
        return self.resource.download_count, ResourceDownload.objects.count()

    def test_twenty_people_are_twenty_downloads(self) -> None:
        people = [make_user() for _ in range(20)]

        statuses = in_parallel(lambda n: self.click(people[n]), len(people))

        self.assertEqual(Counter(statuses), {200: 20})
        self.assertEqual(self.counted(), (20, 20))

    def test_fifty_clicks_of_one_person_are_one_download(self) -> None:
        person = make_user()

        statuses = in_parallel(lambda _: self.click(person), CLICKS)

        self.assertEqual(Counter(statuses), {200: CLICKS})
        self.assertEqual(self.counted(), (1, 1))

    def test_clicks_while_it_is_deleted_are_answered_or_not_found(self) -> None:
        people = [make_user() for _ in range(10)]

        def click_or_delete(number: int) -> int:
            if number == len(people):
                delete_resource(self.resource, by=self.admin)
                return 204
            return self.click(people[number])

        statuses = in_parallel(click_or_delete, len(people) + 1)

        self.assertLessEqual(set(statuses), {200, 404, 204})
        self.assertEqual((Resource.objects.count(), ResourceDownload.objects.count()), (0, 0))

    def test_two_new_files_at_once_leave_one_of_them(self) -> None:
        in_parallel(
            lambda n: change_resource(self.resource, by=self.admin, values={}, file=pdf(f"{n}.pdf")), 4
        )

        self.resource.refresh_from_db()
        self.assertEqual([row.key for row in Upload.objects.all()], [self.resource.file_url])
