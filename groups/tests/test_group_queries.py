"""What lists and documents of groups cost: the same number of queries however much there is (B50)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.cache import cache
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from authentication.tests.signing_in import signed_in_client
from core.testing import count_rows_anew
from groups.models import Group, GroupMember, Milestone, PastMember, Task
from groups.tests.cases import url
from groups.tests.factories import make_group, make_milestone, make_task
from users.models import User
from users.tests.factories import make_admin, make_link, make_user

if TYPE_CHECKING:
    from rest_framework.test import APIClient

AUTHENTICATION: Final = 1
LIST: Final = AUTHENTICATION + 1
OWN: Final = LIST + 2  # and what is new in their conversations
DETAIL: Final = AUTHENTICATION + 1


class QueryCase(TestCase):
    def setUp(self) -> None:
        cache.clear()
        self.people = {
            "admin": make_admin(),
            "mentor": make_user(role="mentor", status="active"),
            "supervisor": make_user(role="supervisor"),
            "student": make_user(),
        }
        make_link(self.people["student"], self.people["supervisor"])
        self.group = make_group(mentor=self.people["mentor"], members=[self.people["student"]])
        self.clients = {name: signed_in_client(user) for name, user in self.people.items()}

    def ask(self, client: APIClient, path: str, **query: Any) -> tuple[int, Any]:
        """Return how many queries an answer took, and the answer."""
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path, query)
        self.assertEqual(response.status_code, 200)
        return len(queries), response.json()


class ListQueriesTests(QueryCase):
    def grow(self) -> None:
        """999 more groups, each with the same people, a milestone and a task."""
        groups = [Group(id=f"BTF{n}", name="x", mentor=self.people["mentor"]) for n in range(999)]
        Group.objects.bulk_create(groups)
        GroupMember.objects.bulk_create(GroupMember(group=g, user=self.people["student"]) for g in groups)
        milestones = Milestone.objects.bulk_create(Milestone(group=group, title="x") for group in groups)
        Task.objects.bulk_create(Task(milestone=milestone, name="x") for milestone in milestones)
        count_rows_anew(Group, GroupMember, Milestone, Task, User)

    def test_they_cost_the_same_for_1_and_for_1000_groups(self) -> None:
        for size in (1, 1000):
            for name, client in self.clients.items():
                with self.subTest(name, size=size):
                    count, body = self.ask(client, url("list"))
                    self.assertEqual((count, len(body["groups"])), (LIST, size))
                    count, body = self.ask(client, url("my-groups"))
                    own = size if name in {"mentor", "student"} else 0
                    self.assertEqual((count, len(body["groups"])), (OWN if own else LIST, own))
            if size == 1:
                self.grow()

    def test_filters_cost_no_more(self) -> None:
        for query in ({"track": "x"}, {"status": "active"}, {"archived": "true"}):
            for name, client in self.clients.items():
                with self.subTest(name, query=query):
                    self.assertLessEqual(self.ask(client, url("list"), **query)[0], LIST)


class DetailQueriesTests(QueryCase):
    def grow(self) -> None:
        """30 members; 50 milestones of 20 tasks, each somebody's."""
        people = User.objects.bulk_create(
            User(username=f"u{n}", email=f"u{n}@example.org") for n in range(30 - 1)
        )
        GroupMember.objects.bulk_create(GroupMember(group=self.group, user=user) for user in people)
        milestones = Milestone.objects.bulk_create(
            Milestone(group=self.group, title="x", order_index=n) for n in range(50 - 1)
        )
        Task.objects.bulk_create(
            Task(milestone=milestone, name="x", assigned_to=people[n])
            for milestone in milestones
            for n in range(20)
        )
        PastMember.objects.bulk_create(PastMember(group=self.group, user=user, role="x") for user in people)

    def setUp(self) -> None:
        super().setUp()
        make_task(make_milestone(self.group), assigned_to=self.people["student"])

    def test_the_document_costs_the_same_however_large_the_group(self) -> None:
        for members, milestones in ((1, 1), (30, 50)):
            for name, client in self.clients.items():
                with self.subTest(name, members=members):
                    count, body = self.ask(client, url("detail", self.group.pk))
                    self.assertEqual(
                        (count, len(body["members"]), len(body["milestones"])), (DETAIL, members, milestones)
                    )
            if members == 1:
                self.grow()

    def test_lists_of_tasks_and_past_members_do_too(self) -> None:
        paths = [url("tasks", self.group.pk), url("history", self.group.pk), "/api/tasks/mine/"]
        PastMember.objects.create(group=self.group, user=self.people["mentor"], role="x")
        client = self.clients["student"]
        few = [self.ask(client, path, page_size="100")[0] for path in paths]
        self.grow()
        Task.objects.filter(milestone__order_index=7).update(assigned_to=self.people["student"])

        answers = [self.ask(client, path, page_size="100") for path in paths]

        self.assertEqual([count for count, _ in answers], few)
        self.assertEqual([len(body["results"]) for _, body in answers], [100, 30, 21])
        self.assertLessEqual(max(few), 4)

    def test_writing_the_plan_costs_the_same_however_large_it_is(self) -> None:
        client: Any = self.clients["student"]
        milestone, task = Milestone.objects.get(), Task.objects.get()
        calls: list[tuple[str, str, Any]] = [
            ("put", url("update-task", self.group.pk, task.pk), {"completed": True}),
            ("patch", url("delete-milestone", self.group.pk, milestone.pk), {"title": "New"}),
            ("post", url("create-milestone", self.group.pk), {"title": "New"}),
            ("post", url("add-task", self.group.pk, milestone.pk), {"name": "New"}),
        ]

        few = [self.queries_of(client, *call) for call in calls]
        Task.objects.update(completed=False)
        Milestone.objects.update(title="x")
        self.grow()

        self.assertEqual([self.queries_of(client, *call) for call in calls], few)

    def queries_of(self, client: Any, method: str, path: str, body: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            response = getattr(client, method)(path, body, format="json")
        self.assertLess(response.status_code, 300)
        return len(queries)
