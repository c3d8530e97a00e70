"""How often one person may take whole tables away: one budget for all of them, and none for asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from django.core.cache import cache
from django.test import TestCase, override_settings
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from core.models import AuditEvent
from events.tests.factories import make_event
from users.models import PeopleImport
from users.tests.factories import make_admin, make_user
from users.tests.test_archive import ArchiveCase

if TYPE_CHECKING:
    from rest_framework.test import APIClient

PEOPLE: Final = reverse("admin_panel:user-export")


@override_settings(EXPORTS_PER_USER="2/1h")
class ExportBudgetTests(TestCase):
    client: APIClient

    def setUp(self) -> None:
        cache.clear()
        self.admin = make_admin()
        self.client = signed_in_client(self.admin)

    def statuses(self, *urls: str, client: APIClient | None = None) -> list[int]:
        answers = [(client or self.client).get(url) for url in urls]
        return [answer.status_code for answer in answers]

    def test_the_one_too_many_is_429_and_says_when_to_come_back(self) -> None:
        self.assertEqual(self.statuses(PEOPLE, PEOPLE), [200, 200])

        response: Any = self.client.get(PEOPLE, headers={"Accept": "text/csv"})

        self.assertEqual((response.status_code, response.json()["code"]), (429, "throttled"))
        self.assertIn(int(response.headers["Retry-After"]), range(3_500, 3_601))
        self.assertEqual(AuditEvent.objects.filter(action="people_exported").count(), 2)

    def test_every_table_counts(self) -> None:
        roster = reverse("events:event-roster-export", args=[make_event().pk])
        batch = PeopleImport.objects.create(created_by=self.admin)
        rejected = reverse("admin_panel:user-import-rejected", args=[batch.pk])

        self.assertEqual(self.statuses(roster, PEOPLE, PEOPLE), [200, 200, 429])
        self.assertEqual(self.statuses(roster, rejected), [429, 429])

    def test_each_admin_has_their_own(self) -> None:
        self.statuses(PEOPLE, PEOPLE, PEOPLE)

        self.assertEqual(self.statuses(PEOPLE, client=signed_in_client(make_admin())), [200])

    def test_who_may_not_export_at_all_spends_nothing_and_learns_nothing(self) -> None:
        stranger = signed_in_client(make_user())

        self.assertEqual(self.statuses(*[PEOPLE] * 4, client=stranger), [403] * 4)

    def test_lists_are_not_exports(self) -> None:
        self.statuses(PEOPLE, PEOPLE, PEOPLE)

        self.assertEqual(self.statuses(reverse("admin_panel:user-list")), [200])

    @override_settings(EXPORTS_PER_USER="20/1h")
    def test_an_admins_day_stays_below_it(self) -> None:
        self.assertEqual(self.statuses(*[PEOPLE] * 20), [200] * 20)


@override_settings(EXPORTS_PER_USER="2/1h")
class ArchiveBudgetTests(ArchiveCase):
    def test_asking_whether_the_zip_is_ready_costs_nothing(self) -> None:
        with patch("users.services.archive.build_archive"):
            statuses = [self.get().status_code for _ in range(5)]

        self.assertEqual(statuses, [202] * 5)

    def test_each_download_does(self) -> None:
        self.get()

        statuses = [self.get().status_code for _ in range(3)]

        self.assertEqual(statuses, [200, 200, 429])
