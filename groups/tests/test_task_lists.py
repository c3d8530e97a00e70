"""``GET /api/groups/{gid}/tasks/`` and ``GET /api/tasks/mine/`` (additions, CONTRACT D14)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from groups.models import Group, GroupMember, Milestone, Task
from groups.tests.cases import GroupCase, call, url
from groups.tests.factories import make_group, make_milestone, make_task
from users.tests.factories import make_link, make_user

MINE = "/api/tasks/mine/"


class GroupTasksTests(GroupCase):
    def setUp(self) -> None:
        super().setUp()
        today = timezone.localdate()
        first, second = make_milestone(self.group), make_milestone(self.group)
        yesterday = today - timedelta(days=1)
        make_task(second, name="late", assigned_to=self.student, due_date=yesterday)
        make_task(first, name="today", assigned_to=self.friend, due_date=today)
        make_task(first, name="done", assigned_to=self.student, due_date=yesterday, completed=True)
        make_task(first, name="free")
        make_task(make_milestone(make_group(members=[self.student])), name="other", assigned_to=self.student)

    def names(self, **query: Any) -> list[str]:
        response = call(self.student, "get", url("tasks", self.group.pk), **query)
        self.assertEqual(response.status_code, 200, response.content)
        return [row["name"] for row in response.json()["results"]]

    def test_it_is_in_pages_and_says_where_each_task_stands(self) -> None:
        body = call(self.student, "get", url("tasks", self.group.pk), page_size=1).json()

        task = Task.objects.get(name="today")
        self.assertEqual((body["count"], body["previous"], "page=2" in body["next"]), (4, None, True))
        self.assertEqual(
            body["results"],
            [
                {
                    "id": task.pk,
                    "name": "today",
                    "completed": False,
                    "assignedTo": {"id": self.friend.pk, "name": f"Student {self.friend.pk}"},
                    "dueDate": timezone.localdate().isoformat(),
                    "milestone": {
                        "id": task.milestone_id,
                        "title": "Grow",
                        "groupId": "BTF046",
                        "groupName": "Biofilm Busters",
                    },
                }
            ],
        )

    def test_tasks_come_in_the_order_of_the_plan(self) -> None:
        self.assertEqual(self.names(), ["today", "done", "free", "late"])
        Milestone.objects.filter(tasks__name="free").update(order_index=9)

        self.assertEqual(self.names(), ["late", "today", "done", "free"])

    def test_they_are_narrowed_by_assignee(self) -> None:
        for assignee, names in (
            *(("me", ["done", "late"]), ("none", ["free"]), (self.friend.pk, ["today"])),
            *((self.outsider.pk, []), (2**62, []), ("", ["today", "done", "free", "late"])),
        ):
            with self.subTest(assignee):
                self.assertEqual(self.names(assignee=assignee), names)

    def test_an_assignee_that_is_none_is_400(self) -> None:
        for assignee in ("you", "ME", "0", "-1", "1.5", str(2**63), "9" * 5_000, "a\0", "\u0661"):
            with self.subTest(assignee[:10]):
                response = call(self.student, "get", url("tasks", self.group.pk), assignee=assignee)
                self.assert_refused(response, 400, "assignee")

    def test_overdue_is_open_and_past_its_day_and_today_is_not_over(self) -> None:
        self.assertEqual(self.names(overdue="true"), ["late"])
        self.assertEqual(self.names(overdue="false"), ["today", "done", "free"])

    def test_done_and_open(self) -> None:
        self.assertEqual(self.names(completed="true"), ["done"])
        self.assertEqual(self.names(completed="false"), ["today", "free", "late"])

    def test_all_narrow_together(self) -> None:
        self.assertEqual(self.names(assignee="me", overdue="true", completed="false"), ["late"])
        self.assertEqual(self.names(assignee="none", overdue="true"), [])

    def test_a_query_widens_nothing_on_one_task(self) -> None:
        """B83: parameters of lists leave actions on one object alone."""
        task = Task.objects.get(name="free")
        path = f"{url('update-task', self.group.pk, task.pk)}?assignee=you&overdue=true"

        self.assertEqual(call(self.student, "put", path, {"completed": True}).status_code, 200)


class OwnTasksTests(GroupCase):
    def names(self, **query: Any) -> list[str]:
        response = call(self.student, "get", MINE, **query)
        self.assertEqual(response.status_code, 200, response.content)
        return [row["name"] for row in response.json()["results"]]

    def mine(self, group: Group, name: str, **fields: Any) -> Task:
        return make_task(make_milestone(group), name=name, assigned_to=self.student, **fields)

    def test_it_is_over_all_groups_and_says_in_which_each_stands(self) -> None:
        other = make_group(name="Other", members=[self.student])
        self.mine(self.group, "a")
        self.mine(other, "b")
        make_task(make_milestone(self.group), name="the friend's", assigned_to=self.friend)
        make_task(make_milestone(self.group), name="nobody's")

        rows = call(self.student, "get", MINE).json()["results"]

        self.assertEqual(
            [(row["name"], row["milestone"]["groupName"]) for row in rows],
            [("a", "Biofilm Busters"), ("b", "Other")],
        )

    def test_the_most_urgent_comes_first(self) -> None:
        today = timezone.localdate()
        self.mine(self.group, "whenever")
        self.mine(self.group, "done", completed=True, due_date=today - timedelta(days=9))
        self.mine(self.group, "tomorrow", due_date=today + timedelta(days=1))
        self.mine(self.group, "late", due_date=today - timedelta(days=1))
        self.mine(self.group, "whenever too")

        self.assertEqual(self.names(), ["late", "tomorrow", "whenever", "whenever too", "done"])
        self.assertEqual(self.names(overdue="true"), ["late"])
        self.assertEqual(self.names(completed="true"), ["done"])

    def test_groups_that_one_has_left_are_not_in_it(self) -> None:
        self.mine(self.group, "done there", completed=True)
        self.assertEqual(self.names(), ["done there"])

        GroupMember.objects.filter(user=self.student).delete()

        self.assertEqual(self.names(), [])

    def test_admins_and_supervisors_have_their_own_alone(self) -> None:
        supervisor = make_user(role="supervisor")
        make_link(self.student, supervisor)
        self.mine(self.group, "a")

        for who in (self.admin, supervisor, self.mentor):
            with self.subTest(who.role):
                self.assertEqual(call(who, "get", MINE).json()["count"], 0)

    def test_what_is_removed_is_not_in_it(self) -> None:
        self.mine(self.group, "x", removed_at=timezone.now())

        self.assertEqual(self.names(), [])
