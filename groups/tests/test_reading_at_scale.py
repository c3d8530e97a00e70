"""Fifteen hundred groups: what is asked all day finds its rows by an index, and meets few others.

Each question is looked at twice: planned for these values, and once for all, as PostgreSQL does with what was
prepared.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final
from unittest import skipUnless

from django.db import connection
from django.test import TestCase, tag
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.prepared import Slot
from core.testing import count_rows_anew, plan_of
from groups import access, reading
from groups.models import Group, GroupMember, Milestone, Task
from users.models import StudentSupervisor, User
from users.tests.factories import make_admin, make_link, make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.prepared import Prepared

GROUPS, STEPS, TASKS, MEMBERS = 1_500, 2, 3, 2
OWN_ROWS: Final = 2 * STEPS * TASKS  # of two groups, where somebody has a second one
MET: Final = re.compile(r"rows=(\d+) loops=(\d+)\)$", re.MULTILINE)


def make_people() -> list[User]:
    stored: list[User] = User.objects.bulk_create(
        User(username=f"u{n}", email=f"u{n}@example.org", status="active") for n in range(GROUPS * MEMBERS)
    )
    return stored


def make_teams() -> None:
    """Store groups whose tasks are overdue, every other one."""
    people, today = make_people(), timezone.now().date()
    groups = Group.objects.bulk_create(Group(id=f"BTF{n}", name="x") for n in range(GROUPS))
    GroupMember.objects.bulk_create(
        GroupMember(group=group, user=user)
        for n, group in enumerate(groups)
        for user in people[n * MEMBERS : (n + 1) * MEMBERS]
    )
    steps = Milestone.objects.bulk_create(
        Milestone(group=group, title="x", order_index=n) for group in groups for n in range(STEPS)
    )
    Task.objects.bulk_create(
        Task(milestone=step, name="x", due_date=today + timedelta(days=7 * (-1) ** n))
        for step in steps
        for n in range(TASKS)
    )


def plans(prepared: Prepared, **values: Any) -> Iterator[str]:
    """Return how a question is answered: planned for these values, and planned for any."""
    with CaptureQueriesContext(connection) as asked:
        prepared.rows(**values)
    (query,) = asked.captured_queries
    yield plan_of(query["sql"], run=True)
    words = prepared.words
    filled = {"now": timezone.now(), **values}
    parameters = [part.fill(filled) if isinstance(part, Slot) else part for part in words.parameters]
    statement = words.sql % tuple(f"${n}" for n in range(1, len(parameters) + 1))
    with connection.cursor() as cursor:
        cursor.execute(f"PREPARE looked_at AS {statement}")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        places = f"({', '.join(['%s'] * len(parameters))})" if parameters else ""
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) EXECUTE looked_at {places}", parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("DEALLOCATE looked_at")
        cursor.execute("RESET plan_cache_mode")
    yield plan


@tag("scale")
@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class ReadingAtScaleTests(TestCase):
    people: ClassVar[dict[str, User]]

    @classmethod
    def setUpTestData(cls) -> None:
        make_teams()
        mentor, supervisor = make_user(role="mentor", status="active"), make_user(role="supervisor")
        Group.objects.filter(pk="BTF7").update(mentor=mentor)
        student = GroupMember.objects.filter(group="BTF7")[0].user
        make_link(student, supervisor)
        cls.people = {"student": student, "mentor": mentor, "supervisor": supervisor, "admin": make_admin()}
        count_rows_anew(User, StudentSupervisor, Group, GroupMember, Milestone, Task)

    def assert_few_rows_are_met(self, plan: str, most: int) -> None:
        self.assertNotIn("Seq Scan on groups_", plan)
        self.assertNotIn("Seq Scan on users", plan)
        met = [int(rows) * int(loops) for rows, loops in MET.findall(plan)]
        self.assertTrue(met, plan)
        self.assertLessEqual(max(met), most, plan)

    def test_a_group_is_found_by_its_id_whoever_asks(self) -> None:
        for name, user in self.people.items():
            for question in (access.SEEN.of(user), access.SEEN_IDS.of(user)):
                for plan in plans(question, viewer=user.pk, group="BTF7"):
                    with self.subTest(name):
                        self.assertIn("rows=1 loops=1", plan.splitlines()[0])
                        self.assert_few_rows_are_met(plan, MEMBERS)

    def test_a_document_meets_what_stands_in_it(self) -> None:
        for name, user in self.people.items():
            for plan in plans(reading.DOCUMENT.of(user), viewer=user.pk, group="BTF7"):
                with self.subTest(name):
                    self.assertIn("rows=1 loops=1", plan.splitlines()[0])
                    self.assert_few_rows_are_met(plan, STEPS * TASKS)

    def test_lists_of_whoever_is_no_admin_meet_their_groups_alone(self) -> None:
        for name, user in self.people.items():
            for plan in plans(reading.OWN, viewer=user.pk):
                with self.subTest(name):
                    self.assert_few_rows_are_met(plan, OWN_ROWS)
            if not user.is_platform_admin:
                for plan in plans(reading.ALL.of(user), viewer=user.pk):
                    with self.subTest(name, listed="all"):
                        self.assert_few_rows_are_met(plan, OWN_ROWS)

    def test_the_list_of_an_admin_reads_each_row_once(self) -> None:
        admin = self.people["admin"]
        for plan in plans(reading.ALL.of(admin), viewer=admin.pk):
            self.assertEqual(set(re.findall(r"Seq Scan on .* loops=(\d+)\)", plan)), {"1"}, plan)
            met = [int(rows) * int(loops) for rows, loops in MET.findall(plan)]
            self.assertLessEqual(max(met), User.objects.count(), plan)
