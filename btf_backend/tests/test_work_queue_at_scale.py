"""A hundred thousand people, five thousand groups: the queue is one query, and reads no table per row."""

from __future__ import annotations

import re
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless

from django.db import connection
from django.test import RequestFactory, TestCase, tag
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from btf_backend.console.queue import work_of
from core.models import Delivery, Notice, Upload
from core.testing import count_rows_anew, plan_of
from groups.models import Group, Milestone, Task
from users.models import StudentSupervisor, SupervisorProfile, User
from users.tests.factories import make_superuser

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model

STUDENTS, ADULTS, GROUPS, FILES = 90_000, 10_000, 5_000, 100_000
# What finds the few rows that wait among the many that do not.
INDEXES: Final = (
    *("check_by_expiry", "user_by_status", "delivery_by_state", "upload_quarantined", "report_open"),
)


def store(model: type[Model], rows: Iterable[Model]) -> list[Any]:
    return list(model._default_manager.bulk_create(rows, batch_size=5_000))


def people(role: str, size: int, dice: Random) -> list[User]:
    rows = (
        User(
            username=f"{role}{n}",
            email=f"{role}{n}@example.org",
            role=role,
            status=dice.choice(["active"] * 19 + ["pending"]),
        )
        for n in range(size)
    )
    return store(User, rows)


def programme() -> None:
    """Store a programme in which nearly all is as it should be."""
    dice, now = Random(1), timezone.now()
    students, adults = people("student", STUDENTS, dice), people("mentor", ADULTS, dice)
    expiries = [now.date() + timedelta(days=dice.randint(-30, 1_500)) for _ in adults]
    store(
        SupervisorProfile,
        (SupervisorProfile(user=one, wwcc_expiry=day) for one, day in zip(adults, expiries, strict=True)),
    )
    allowed = {"join_permission_granted": True, "granted_capacity": "adult"}
    links = (StudentSupervisor(student=one, supervisor=dice.choice(adults), **allowed) for one in students)
    store(StudentSupervisor, links)
    groups = store(Group, (Group(id=f"G{n}", name="x", mentor=dice.choice(adults)) for n in range(GROUPS)))
    steps = store(Milestone, (Milestone(group=group, title="x") for group in groups))
    store(Task, (Task(milestone=step, name="x") for step in steps for _ in range(4)))
    notice = Notice.objects.create(kind="daily", subject="x", data={"parts": [], "more": 0})
    states = ["sent"] * 999 + ["failed"]
    store(Delivery, (Delivery(notice=notice, person=one, state=dice.choice(states)) for one in students))
    files = (
        Upload(key=f"a/{n}", filename="a", size=1, state="quarantined" if n % 5_000 == 0 else "stored")
        for n in range(FILES)
    )
    store(Upload, files)


@tag("scale")
@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class QueueAtScaleTests(TestCase):
    boss: User

    @classmethod
    def setUpTestData(cls) -> None:
        programme()
        cls.boss = make_superuser()
        count_rows_anew(
            *(User, SupervisorProfile, StudentSupervisor, Group, Milestone, Task, Delivery, Notice, Upload)
        )

    def test_one_query_finds_what_waits_by_indexes_and_reads_no_table_for_each_row(self) -> None:
        request: Any = RequestFactory().get("/admin/")
        request.user = self.boss
        with CaptureQueriesContext(connection) as captured:
            counts = {each.entry.name: each.count for each in work_of(request)}

        (query,) = captured.captured_queries
        plan = plan_of(query["sql"], run=True)

        self.assertEqual((counts["quarantined"], counts["silent"], counts["permission"]), (20, 0, 0))
        self.assertGreater(counts["mails"], 0)
        for name in INDEXES:
            self.assertIn(name, plan)
        scans = re.findall(r"Seq Scan on .* loops=(\d+)", plan)
        # A parallel scan is begun by each worker, and reads the table once between them.
        self.assertLessEqual(max(map(int, scans)), 3, plan)
