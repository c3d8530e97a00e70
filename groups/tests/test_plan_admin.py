"""Milestones and tasks at the admin site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.testing import context_of
from groups.models import Milestone, Task
from groups.services import plan
from groups.services.members import remove_member
from groups.services.teams import archive_group
from groups.tests.desk import DeskCase, make_staff, page
from groups.tests.factories import make_group, make_milestone, make_task
from users.tests.factories import make_user

if TYPE_CHECKING:
    from groups.models import Group
    from users.models import User


class PlanDeskCase(DeskCase):
    student: User
    group: Group
    step: Milestone
    task: Task

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.student = make_user()
        cls.group = make_group(id="TEAM", members=[cls.student])
        cls.step = make_milestone(cls.group, title="Sow")
        cls.task = make_task(cls.step, name="Dig")


class MilestonePageTests(PlanDeskCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = page(Milestone, "change", self.step.pk)

    def test_a_new_one_is_the_last_of_its_group(self) -> None:
        self.fill_in(page(Milestone, "add"), group="TEAM", title="Reap", tasks__0__name="Cut")

        milestone = Milestone.objects.get(title="Reap")
        self.assertEqual((milestone.group, milestone.order_index), (self.group, 2))
        self.assertEqual([task.name for task in milestone.tasks.all()], ["Cut"])

    def test_one_too_many_is_told_on_the_page(self) -> None:
        rows = (Milestone(group=self.group, title="x") for _ in range(Milestone.PER_GROUP - 1))
        Milestone.objects.bulk_create(rows)

        response = self.fill_in(page(Milestone, "add"), group="TEAM", title="Reap")

        self.assertContains(self.client.get(response.url), "at most 200 milestones")
        self.assertFalse(Milestone.objects.filter(title="Reap").exists())

    def test_its_text_and_its_tasks_are_changed(self) -> None:
        gone = make_task(self.step)

        self.fill_in(
            self.url,
            title="Plough",
            description="Deep.",
            due_date="2027-01-31",
            tasks__0__completed="on",
            tasks__1__DELETE="on",
            tasks__2__name="Water",
        )

        self.step.refresh_from_db()
        self.assertEqual((self.step.title, self.step.description), ("Plough", "Deep."))
        self.assertEqual(str(self.step.due_date), "2027-01-31")
        tasks = list(self.step.tasks.values_list("name", "completed"))
        self.assertEqual(tasks, [("Dig", True), ("Water", False)])
        self.assertEqual(self.recorded(), [("task_removed", str(gone.pk))])

    def test_the_selected_are_removed_and_restored_with_their_tasks(self) -> None:
        self.assertIn(
            "1 removed. They can be restored for 30 days.",
            self.choose("remove", self.step),
        )
        self.assertFalse(Milestone.objects.exists() or Task.objects.exists())

        self.assertIn("1 restored.", self.choose("restore", self.step, gone="removed"))
        self.assertTrue(Milestone.objects.exists() and Task.objects.exists())
        pk = str(self.step.pk)
        self.assertEqual(self.recorded(), [("milestone_removed", pk), ("milestone_restored", pk)])

    def test_both_are_asked_first_with_the_number(self) -> None:
        gone = make_milestone(self.group)
        plan.remove_milestone(gone, by=self.staff)

        self.assertRegex(self.choose("remove", self.step, post=""), r"Remove 1 milestone\s*<")
        self.assertRegex(self.choose("restore", gone, gone="removed", post=""), r"Restore 1 milestone\s*<")
        self.assertEqual(Milestone.objects.get(), self.step)

    def test_the_removed_are_hidden_until_somebody_asks_and_then_to_look_at_only(self) -> None:
        gone = make_milestone(self.group)
        plan.remove_milestone(gone, by=self.staff)

        for query, expected in (("", {self.step.pk}), ("?removed=yes", {gone.pk})):
            with self.subTest(query):
                self.assertEqual(self.listed(Milestone, query), expected)
        url = page(Milestone, "change", gone.pk)
        self.assertEqual((self.client.get(url).status_code, self.client.post(url).status_code), (200, 403))

    def test_the_plan_of_an_archived_group_is_not_here(self) -> None:
        archive_group(self.group, by=None)

        self.assertEqual((self.listed(Milestone), self.listed(Task)), (set(), set()))
        self.assertEqual(self.client.get(self.url).status_code, 302)


class TaskPageTests(PlanDeskCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = page(Task, "change", self.task.pk)

    def test_one_is_added_to_a_milestone_for_somebody(self) -> None:
        self.fill_in(
            page(Task, "add"),
            milestone=self.step.pk,
            name="Water",
            assigned_to=self.student.pk,
            completed="on",
        )

        task = Task.objects.get(name="Water")
        self.assertEqual((task.milestone, task.assigned_to, task.completed), (self.step, self.student, True))

    def test_everything_about_it_is_changed(self) -> None:
        self.fill_in(
            self.url, name="Delve", completed="on", assigned_to=self.student.pk, due_date="2027-01-31"
        )

        self.task.refresh_from_db()
        self.assertEqual((self.task.name, self.task.completed), ("Delve", True))
        self.assertEqual((self.task.assigned_to, str(self.task.due_date)), (self.student, "2027-01-31"))

    def test_it_is_nobodys_again(self) -> None:
        Task.objects.update(assigned_to=self.student)

        self.fill_in(self.url, assigned_to="")

        self.task.refresh_from_db()
        self.assertIsNone(self.task.assigned_to)

    def test_somebody_outside_the_group_is_refused_beside_the_field(self) -> None:
        for url, more in ((self.url, {}), (page(Task, "add"), {"milestone": self.step.pk})):
            with self.subTest(url):
                response = self.fill_in(url, name="Mow", assigned_to=make_user().pk, **more)
                errors = response.context["adminform"].form.errors
                self.assertEqual(list(errors), ["assigned_to"])
                self.assertContains(response, 'value="Mow"')
        self.assertEqual(list(Task.objects.values_list("name", "assigned_to")), [("Dig", None)])

    def test_the_selected_are_removed_and_restored(self) -> None:
        self.assertIn("1 removed.", self.choose("remove", self.task))
        self.assertFalse(Task.objects.exists())

        self.assertIn("1 restored.", self.choose("restore", self.task, gone="removed"))

        self.assertEqual(Task.objects.get(), self.task)
        pk = str(self.task.pk)
        self.assertEqual(self.recorded(), [("task_removed", pk), ("task_restored", pk)])

    def test_both_are_asked_first_with_the_number(self) -> None:
        self.assertRegex(self.choose("remove", self.task, post=""), r"Remove 1 task\s*<")
        self.assertTrue(Task.objects.exists())
        plan.remove_task(self.task, by=self.staff)

        self.assertRegex(self.choose("restore", self.task, gone="removed", post=""), r"Restore 1 task\s*<")
        self.assertFalse(Task.objects.exists())

    def test_a_removed_one_of_who_left_comes_back_as_nobodys(self) -> None:
        Task.objects.update(assigned_to=self.student)
        self.choose("remove", self.task)
        remove_member(self.group, by=self.staff, user_id=self.student.pk)

        self.choose("restore", self.task, gone="removed")

        self.assertIsNone(Task.objects.get().assigned_to)

    def test_a_milestone_of_as_many_tasks_as_there_may_be_is_one_page(self) -> None:
        Task.objects.bulk_create(Task(milestone=self.step, name=f"{n}") for n in range(499))

        self.fill_in(page(Milestone, "change", self.step.pk), title="Grow more")

        self.step.refresh_from_db()
        self.assertEqual(self.step.title, "Grow more")


class WhoTests(PlanDeskCase):
    def test_staff_who_is_no_platform_admin_looks_and_does_not_write(self) -> None:
        self.sit_down(make_staff("view", "add", "change", "delete"))

        for row in (self.step, self.task):
            url = page(type(row), "change", row.pk)
            with self.subTest(url):
                self.assertEqual(self.client.get(url).status_code, 200)
                self.assertEqual(self.client.post(url, {}).status_code, 403)
                self.assertEqual(self.client.get(page(type(row), "add")).status_code, 403)
                self.choose("remove", row)
        self.assertEqual((Milestone.objects.count(), Task.objects.count()), (1, 1))

    def test_nothing_is_deleted_here(self) -> None:
        for row in (self.step, self.task):
            with self.subTest(type(row)):
                response = self.client.post(page(type(row), "delete", row.pk), {"post": "yes"})
                self.assertEqual(response.status_code, 403)


class CostTests(PlanDeskCase):
    def test_a_milestones_page_costs_the_same_however_many_tasks_it_has(self) -> None:
        url, counts = page(Milestone, "change", self.step.pk), []
        for size in (1, 19):
            for _ in range(size):
                make_task(self.step, assigned_to=make_user())
            context_of(self.client, url)
            with CaptureQueriesContext(connection) as captured:
                self.client.get(url)
            counts.append(len(captured))

        self.assertEqual(counts[0], counts[1])
