"""What is forgotten of what people were told: in time, in bounds, and beside those who read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import skipUnless

from django.db import connection
from django.test import TestCase, TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import Delivery, Notice
from core.notifications.inbox import mark_read
from core.notifications.retention import prune_notices
from core.testing import in_parallel
from users.tests.factories import make_user

if TYPE_CHECKING:
    from users.models import User


def make_notices(number: int, people: list[User], *, days: float) -> None:
    at = timezone.now() - timedelta(days=days)
    for n in range(number):
        notice = Notice.objects.create(kind="news", subject=f"{days} {n}", created_at=at, fanned_out_at=at)
        Delivery.objects.bulk_create(Delivery(notice=notice, person=one) for one in people)


class PruneTests(TestCase):
    def test_what_is_older_than_180_days_goes_with_its_deliveries(self) -> None:
        people = [make_user(), make_user()]
        make_notices(2, people, days=181)
        make_notices(1, people, days=179)

        self.assertEqual(prune_notices(), {"deleted": 2})
        self.assertEqual((Notice.objects.count(), Delivery.objects.count()), (1, 2))

    def test_to_delete_a_notice_costs_the_same_however_many_were_told(self) -> None:
        counts = []
        for number in (1, 300):
            make_notices(1, [make_user() for _ in range(number)], days=number)
            with CaptureQueriesContext(connection) as queries:
                Notice.objects.get(subject=f"{number} 0").delete()
            counts.append(len(queries))

        self.assertEqual(counts[0], counts[1])


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class RaceTests(TransactionTestCase):
    def test_whoever_marks_all_as_read_meanwhile_is_not_disturbed(self) -> None:
        people = [make_user() for _ in range(30)]
        make_notices(150, people, days=181)

        def act(number: int) -> Any:
            return mark_read(people[number]) if number else prune_notices()

        results = in_parallel(act, 8)

        self.assertEqual([result for result in results[1:] if isinstance(result, Exception)], [])
        self.assertEqual(set(results[0]), {"deleted"})
