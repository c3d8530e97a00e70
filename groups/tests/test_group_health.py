"""``GET /api/admin/groups/health/``: which active groups need attention, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from chat.tests.factories import make_message
from core.roles import Role
from core.testing import count_rows_anew
from groups.access import may_mentor
from groups.models import Group, GroupMember, Milestone, Task
from groups.models.members import MAY_MENTOR
from groups.services import plan
from groups.services.teams import archive_group
from groups.tests.factories import make_group, make_milestone, make_task
from users.models import User
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

URL: Final = reverse("admin_panel:group-health")
ACTIVE: Final = User.Status.ACTIVE
PROBLEMS: Final = {"silent": "silent", "no_mentor": "withoutMentor", "overdue": "overdue"}
AUTHENTICATION, SURVEY, PAGE = 1, 1, 1


def days_ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def let_days_pass(group: Group, days: float) -> None:
    """Move all that happened in the group back in time."""
    at = days_ago(days)
    Group.objects.filter(pk=group.pk).update(created_at=at)
    Milestone.objects.filter(group=group).update(updated_at=at)
    Task.objects.filter(milestone__group=group).update(updated_at=at)


class HealthCase(TestCase):
    client: APIClient
    admin: User
    mentor: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin()
        cls.mentor = make_user(role="mentor", status=ACTIVE, first_name="Max", last_name="Planck")

    def setUp(self) -> None:
        self.client = signed_in_client(self.admin)

    def group(self, *, age: float = 0, **fields: Any) -> Group:
        """Return a group that has a mentor and was made so many days ago."""
        return make_group(**{"mentor": self.mentor, "created_at": days_ago(age), **fields})

    def late(self, group: Group, **fields: Any) -> Task:
        due = timezone.localdate() - timedelta(days=1)
        return make_task(make_milestone(group), **{"due_date": due, **fields})

    def answer(self, **params: Any) -> Any:
        response = self.client.get(URL, params)
        self.assertEqual(response.status_code, 200, response.content)
        return response.json()

    def ids(self, **params: Any) -> list[str]:
        return [row["id"] for row in self.answer(**params)["results"]]


class FindingTests(HealthCase):
    def test_a_row_says_what_is_wrong_and_how_far_the_group_has_come(self) -> None:
        group = self.group(age=20, name="Biofilm", track="AUS-NSW", members=[make_user(), make_user()])
        self.late(group)
        let_days_pass(group, 15)

        page = self.answer()

        (row,) = page.pop("results")
        group.refresh_from_db()
        last = datetime.fromisoformat(row["progress"].pop("lastActivityAt"))
        self.assertEqual(last, group.created_at)
        self.assertEqual(
            row,
            {
                "id": group.pk,
                "name": "Biofilm",
                "track": "AUS-NSW",
                "status": "active",
                "members": 2,
                "mentor": {"id": self.mentor.pk, "name": "Max Planck"},
                "progress": {"tasksTotal": 1, "tasksDone": 0, "tasksOverdue": 1},
                "isSilent": True,
                "withoutMentor": False,
                "hasOverdue": True,
            },
        )
        numbers = {"active": 1, "silent": 1, "withoutMentor": 0, "overdue": 1}
        self.assertEqual(page, {"count": 1, "next": None, "previous": None, "numbers": numbers})

    def test_a_group_that_is_well_is_counted_and_not_listed(self) -> None:
        make_task(make_milestone(self.group()), due_date=timezone.localdate())

        page = self.answer()

        self.assertEqual((page["count"], page["results"]), (0, []))
        self.assertEqual(page["numbers"], {"active": 1, "silent": 0, "withoutMentor": 0, "overdue": 0})

    def test_only_active_groups_are_looked_at(self) -> None:
        self.group(age=99, status="closed")
        archive_group(self.group(age=99), by=self.admin)
        shouting = self.group(age=99, status="ACTIVE")

        self.assertEqual(self.ids(), [shouting.pk])

    def test_done_removed_and_future_tasks_are_not_overdue(self) -> None:
        group = self.group()
        self.late(group, completed=True)
        self.late(group, due_date=timezone.localdate())
        self.late(group, due_date=None)
        plan.remove_task(self.late(group), by=self.admin)
        plan.remove_milestone(self.late(group).milestone, by=self.admin)

        self.assertEqual(self.ids(), [])

    def test_a_mentor_who_may_not_mentor_any_more_is_none(self) -> None:
        suspended = make_user(role="mentor", status=User.Status.INACTIVE)
        lacking = {self.group(mentor=None).pk, self.group(mentor=suspended).pk}
        self.group()

        self.assertEqual(set(self.ids(problem="no_mentor")), lacking)

    def test_the_rule_of_who_may_mentor_is_the_same_on_rows_and_on_a_person(self) -> None:
        flags = product(Role, User.Status, (True, False), (True, False))
        people = [
            make_user(role=role, status=status, is_active=active, is_superuser=superuser)
            for role, status, active, superuser in flags
        ]

        found = User.objects.filter(MAY_MENTOR, pk__in=[person.pk for person in people])

        self.assertEqual(set(found), {person for person in people if may_mentor(person)})


class SilenceTests(HealthCase):
    def test_whatever_happens_in_a_group_ends_its_silence(self) -> None:
        doings: dict[str, Callable[[Group, Task], object]] = {
            "a message": lambda group, _: make_message(group=group, author=self.mentor),
            "a task is ticked": lambda _, task: plan.change_task(
                task, by=self.admin, values={"completed": True}
            ),
            "a milestone is changed": lambda _, task: plan.change_milestone(
                task.milestone, by=self.admin, values={"title": "Sow"}
            ),
            "a milestone is added": lambda group, _: plan.add_milestone(group, by=self.admin, title="Reap"),
        }
        for name, happens in doings.items():
            group = self.group()
            task = make_task(make_milestone(group))
            let_days_pass(group, 15)
            with self.subTest(name):
                self.assertIn(group.pk, self.ids(problem="silent"))
                happens(group, task)
                self.assertNotIn(group.pk, self.ids(problem="silent"))

    def test_an_old_message_keeps_nobody_awake(self) -> None:
        group = self.group(age=30)
        make_message(group=group, created_at=days_ago(15))

        self.assertEqual(self.ids(problem="silent"), [group.pk])

    def test_after_how_many_days_is_for_the_admin_to_say(self) -> None:
        group = self.group(age=10)

        for params, expected in (({}, []), ({"silentDays": 9}, [group.pk]), ({"silentDays": 11}, [])):
            with self.subTest(params=params):
                self.assertEqual(self.ids(**params), expected)


class AskingTests(HealthCase):
    def test_the_longest_silent_comes_first_then_by_id_as_people_count(self) -> None:
        moment = days_ago(20)
        for pk in ("BTF10", "BTF9"):
            self.group(id=pk, created_at=moment)
        self.group(id="BTF99", age=40)
        self.group(id="BTF1", mentor=None)

        self.assertEqual(self.ids(), ["BTF99", "BTF9", "BTF10", "BTF1"])

    def test_the_numbers_are_what_the_lists_count_whichever_list_is_shown(self) -> None:
        for track, silent, mentored, overdue in product(("AUS-NSW", "Brazil"), *[(True, False)] * 3):
            mentor = self.mentor if mentored else None
            group = self.group(track=track, age=20 if silent else 0, mentor=mentor)
            if overdue:
                self.late(group)
                let_days_pass(group, 20 if silent else 0)

        for track, size in (("", 16), ("global", 16), (" aus-nsw ", 8), ("nowhere", 0)):
            pages = {name: self.answer(track=track, problem=problem) for problem, name in PROBLEMS.items()}
            with self.subTest(track=track):
                counts = {name: page["count"] for name, page in pages.items()}
                numbers = {"active": size, **counts}
                self.assertEqual([page["numbers"] for page in pages.values()], [numbers] * 3)
                self.assertEqual(set(counts.values()), {size // 2})
                self.assertEqual(self.answer(track=track)["count"], size * 7 // 8)

    def test_pages_hold_each_group_once(self) -> None:
        groups = [self.group(mentor=None).pk for _ in range(5)]

        shown = [self.answer(page=page, page_size=2)["results"] for page in (1, 2, 3)]

        self.assertCountEqual([row["id"] for rows in shown for row in rows], groups)
        self.assertEqual(self.client.get(URL, {"page": 4, "page_size": 2}).status_code, 404)

    def test_what_cannot_be_asked_is_refused_by_name(self) -> None:
        for name, values in {
            "silentDays": ("0", "366", "-1", "two", "1.5", "9" * 2_000, "\0"),
            "problem": ("lazy", "SILENT", "all", "silent,overdue", "\0"),
            "track": ("a\0",),
        }.items():
            for value in values:
                with self.subTest(name=name, value=value[:20]):
                    response = self.client.get(URL, {name: value})
                    self.assertEqual((response.status_code, list(response.json())[:1]), (400, [name]))

    def test_blank_is_as_if_nothing_was_said(self) -> None:
        group = self.group(mentor=None)

        self.assertEqual(self.ids(track="", silentDays="", problem=""), [group.pk])

    def test_it_is_for_platform_admins(self) -> None:
        clients = {401: APIClient(), 403: signed_in_client(make_user(is_staff=True))}
        for status, client in clients.items():
            with self.subTest(status):
                self.assertEqual(client.get(URL).status_code, status)


class CostTests(HealthCase):
    def grow(self, size: int) -> None:
        """Make groups that lack everything, with members and tasks."""
        number = Group.objects.count()
        groups = Group.objects.bulk_create(
            Group(id=f"MANY{n}", name="x", mentor=make_user()) for n in range(number, number + size)
        )
        GroupMember.objects.bulk_create(GroupMember(group=group, user=self.admin) for group in groups)
        steps = Milestone.objects.bulk_create(Milestone(group=group, title="x") for group in groups)
        due = timezone.localdate() - timedelta(days=1)
        Task.objects.bulk_create(Task(milestone=step, name="x", due_date=due) for step in steps)

    def test_three_queries_for_1_and_for_300_groups(self) -> None:
        for size, shown in ((1, 1), (299, 100)):
            self.grow(size)
            count_rows_anew(Group, GroupMember, Milestone, Task)
            for params in ({}, {"problem": "overdue"}, {"track": "global", "silentDays": 1}):
                with (
                    self.subTest(size=size, params=params),
                    self.assertNumQueries(AUTHENTICATION + SURVEY + PAGE),
                ):
                    self.assertEqual(len(self.answer(page_size=100, **params)["results"]), shown)
