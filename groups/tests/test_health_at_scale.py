"""Three thousand groups with twenty tasks each: finding out which need attention reads no table per group."""

from __future__ import annotations

import re
from datetime import timedelta
from random import Random
from typing import Any, Final
from unittest import skipUnless

from django.db import connection
from django.test import TestCase, tag
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authentication.tests.signing_in import signed_in_client
from core.testing import count_rows_anew, plan_of
from groups.models import Group, GroupMember, Milestone, Task
from users.models import User
from users.tests.factories import make_admin

URL: Final = reverse("admin_panel:group-health")
GROUPS, STEPS, TASKS, MEMBERS = 3_000, 4, 5, 4
ASKED: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"problem": "silent", "silentDays": 30},
    {"problem": "no_mentor", "track": "aus-nsw"},
    {"problem": "overdue", "page_size": 100},
)


def people(role: str, size: int) -> list[User]:
    rows = (
        User(username=f"{role}{n}", email=f"{role}{n}@example.org", role=role, status="active")
        for n in range(size)
    )
    stored: list[User] = User.objects.bulk_create(rows, batch_size=5_000)
    return stored


def teams() -> None:
    """Store groups of any age, some without a mentor, some with tasks that are overdue."""
    dice, now = Random(1), timezone.now()
    mentors = [*people("mentor", 60), None, None]
    groups = Group.objects.bulk_create(
        Group(
            id=f"BTF{n:03}",
            name="x",
            mentor=dice.choice(mentors),
            track=dice.choice(["AUS-NSW", "aus-nsw", "Brazil", ""]),
            created_at=now - timedelta(days=dice.randrange(400)),
        )
        for n in range(GROUPS)
    )
    steps = Milestone.objects.bulk_create(
        (Milestone(group=group, title="x") for group in groups for _ in range(STEPS)), batch_size=5_000
    )
    tasks = (
        Task(milestone=step, name="x", due_date=now.date() + timedelta(days=dice.randint(-5, 200)))
        for step in steps
        for _ in range(TASKS)
    )
    Task.objects.bulk_create(tasks, batch_size=5_000)
    for model in (Milestone, Task):
        model.objects.update(updated_at=now - timedelta(days=400))
    students = iter(people("student", GROUPS * MEMBERS))
    rows = (GroupMember(group=group, user=next(students)) for group in groups for _ in range(MEMBERS))
    GroupMember.objects.bulk_create(rows, batch_size=5_000)


@tag("scale")
@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class HealthAtScaleTests(TestCase):
    admin: User

    @classmethod
    def setUpTestData(cls) -> None:
        teams()
        cls.admin = make_admin()
        count_rows_anew(User, Group, GroupMember, Milestone, Task)

    def plans(self, params: dict[str, Any]) -> list[str]:
        """Return how the database answers the queries of a page."""
        client = signed_in_client(self.admin)
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(client.get(URL, params).status_code, 200)
        queries = [query["sql"] for query in captured.captured_queries if "groups_task" in query["sql"]]
        self.assertEqual(len(queries), 2)
        return [plan_of(query, run=True) for query in queries]

    def test_no_table_is_read_once_for_each_group(self) -> None:
        for params in ASKED:
            for plan in self.plans(params):
                with self.subTest(params=params):
                    scans = re.findall(r"Seq Scan on .* loops=(\d+)", plan)
                    self.assertLessEqual({int(loops) for loops in scans}, {1}, plan)
