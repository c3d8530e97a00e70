"""What counts as a download: a person, once an hour (CONTRACT 11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from django.db import IntegrityError, transaction
from django.test import TransactionTestCase

from core.periodic import jobs
from resources.models import Resource, ResourceDownload
from resources.retention import prune_resource_downloads
from resources.services.downloads import count_download
from resources.tests.cases import ResourceCase, call, client_of, url
from resources.tests.factories import make_resource, published
from users.models import User
from users.tests.factories import make_user

NOON = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


class DownloadCase(ResourceCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock = self.enterContext(time_machine.travel(NOON, tick=False))
        self.resource = published(self.admin)
        self.link = self.document(self.student, self.resource)["url"]

    @property
    def count(self) -> int:
        return self.document(self.student, self.resource)["download_count"]  # type: ignore[no-any-return]


class ClickTests(DownloadCase):
    def test_a_person_counts_once_an_hour(self) -> None:
        for minutes, count in ((0, 1), (59, 1), (60, 2), (61, 2)):
            self.clock.move_to(NOON + timedelta(minutes=minutes))
            self.open(self.link)
            with self.subTest(minutes=minutes):
                self.assertEqual(self.count, count)

    def test_each_person_counts(self) -> None:
        for who in (self.student, self.mentor, self.admin, make_user()):
            self.open(self.document(who, self.resource)["url"])

        self.assertEqual(self.count, 4)

    def test_who_looks_or_goes_on_reading_does_not_count(self) -> None:
        self.assertEqual(self.look(self.link).status_code, 200)
        for span, status in (("bytes=5-", 206), ("bytes=5-7", 206), ("bytes=100-", 416)):
            self.assertEqual(self.open(self.link, range=span).status_code, status)

        self.assertEqual(self.count, 0)

    def test_who_begins_to_read_in_parts_counts(self) -> None:
        self.assertEqual(self.open(self.link, range="bytes=0-3").status_code, 206)
        self.assertEqual(self.count, 1)

    def test_a_cover_is_no_download(self) -> None:
        self.put_cover(self.resource)

        self.open(self.document(self.student, self.resource)["coverImage"])

        self.assertEqual(self.count, 0)

    def test_a_refused_click_does_not_count(self) -> None:
        self.open(self.link, self.mentor)
        User.objects.filter(pk=self.student.pk).update(status="inactive")
        self.open(self.link)

        self.assertEqual(self.document(self.admin, self.resource)["download_count"], 0)

    def test_counting_is_no_change(self) -> None:
        self.open(self.link)

        self.assertEqual(Resource.objects.get().updated_at, self.resource.updated_at)


class EndpointTests(DownloadCase):
    def download(self, who: User | None = None, method: str = "get", **headers: str) -> Any:
        client = client_of(who or self.student)
        return getattr(client, method)(url("download", self.resource.pk), headers=headers)

    def test_it_leads_to_the_file_and_counts_once(self) -> None:
        response = self.download()

        self.assertEqual(
            (response.status_code, response.headers["Location"], response.content), (302, self.link, b"")
        )
        self.assertEqual(self.open(response.headers["Location"]).status_code, 200)
        self.assertEqual(self.download().status_code, 302)
        self.assertEqual(self.count, 1)

    def test_looking_does_not_count(self) -> None:
        self.assertEqual(self.download(method="head").status_code, 302)
        self.assertEqual(self.count, 0)

    def test_it_leads_elsewhere_where_the_file_is(self) -> None:
        self.resource = make_resource(file_url="https://films.example/a.mp4")

        self.assertEqual(self.download().headers["Location"], "https://films.example/a.mp4")
        self.assertEqual(self.count, 1)

    def test_what_one_does_not_see_is_not_there(self) -> None:
        Resource.objects.update(role="mentor")

        self.assert_refused(self.download(), 404)
        self.assertEqual(self.download(self.mentor).status_code, 302)
        self.assertEqual(Resource.objects.get().download_count, 1)


class RowTests(DownloadCase):
    def test_a_person_and_hour_stand_there_once(self) -> None:
        row = {"resource": self.resource, "user": self.student, "hour": NOON}
        ResourceDownload.objects.create(**row)

        with self.assertRaises(IntegrityError), transaction.atomic():
            ResourceDownload.objects.create(**row)

    def test_they_are_forgotten_after_two_days_and_the_count_stays(self) -> None:
        self.open(self.link)
        self.clock.move_to(NOON + timedelta(days=2))
        self.assertEqual(prune_resource_downloads(), {"deleted": 0})
        self.clock.move_to(NOON + timedelta(days=2, seconds=1))

        self.assertEqual(prune_resource_downloads(), {"deleted": 1})

        self.assertEqual(self.count, 1)
        self.assertEqual(jobs["prune_resource_downloads"][0], timedelta(hours=1))

    def test_a_person_who_goes_takes_their_rows_along_and_the_count_stays(self) -> None:
        self.open(self.link)
        call(self.admin, "delete", f"/api/admin/users/{self.student.pk}/")

        self.assertFalse(ResourceDownload.objects.exists())
        self.assertEqual(Resource.objects.get().download_count, 1)


class GoneTests(TransactionTestCase):
    def test_what_goes_at_this_moment_is_not_counted(self) -> None:
        resource, person = make_resource(), make_user()
        Resource.objects.filter(pk=resource.pk).delete()

        count_download(resource, by=person)

        self.assertFalse(ResourceDownload.objects.exists())
