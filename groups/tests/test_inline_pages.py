"""Long lists beside a group, at the admin site: a page of them, and what is sent is about that page alone."""

from __future__ import annotations

import re
from unittest.mock import patch

from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.admin.inlines import PagedInline
from core.testing import context_of, undrawn
from groups.models import (
    Group,
    GroupMember,
    Milestone,
    MilestoneTemplate,
    PastMember,
    Task,
    TemplateMilestone,
    TemplateRun,
    TemplateRunGroup,
    TemplateTask,
)
from groups.tests.desk import DeskCase, page
from groups.tests.factories import make_group, make_milestone, make_template
from users.models import User
from users.tests.factories import make_user

PER_PAGE = 8  # in place of 50: six times as many rows take six times as long to draw, and show no more
MANY = 2 * PER_PAGE + 5
NONSENSE = ("0", "-1", "99", "x", "", "²", "½", "1.5", "9" * 5_000)


class PagedCase(DeskCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch.object(PagedInline, "per_page", PER_PAGE))


class LongGroupCase(PagedCase):
    group: Group
    url = page(Group, "change", "TEAM")

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.group = make_group(id="TEAM", name="Biofilm")
        cls.grow(MANY)

    @classmethod
    def grow(cls, count: int) -> None:
        """Let so many join, and as many leave; and plan as many milestones."""
        start = User.objects.count()
        people = User.objects.bulk_create(
            User(username=f"{n}", email=f"{n}@example.org") for n in range(start, start + count)
        )
        GroupMember.objects.bulk_create(GroupMember(group=cls.group, user=one) for one in people)
        PastMember.objects.bulk_create(
            PastMember(group=cls.group, user=one, role="student") for one in people
        )
        Milestone.objects.bulk_create(
            Milestone(group=cls.group, title=f"Step {n}", order_index=n) for n in range(count)
        )


class LookingTests(LongGroupCase):
    def shown_rows(self, prefix: str, number: object) -> list[object]:
        context = context_of(self.client, f"{self.url}?{prefix}-page={number}")
        for inline in context["inline_admin_formsets"]:
            if inline.formset.prefix == prefix:
                return [form.instance.pk for form in inline.formset.initial_forms]
        raise AssertionError(prefix)

    def test_each_row_is_on_one_page(self) -> None:
        for prefix in ("members", "milestones", "past_members"):
            with self.subTest(prefix):
                pages = [self.shown_rows(prefix, number) for number in (1, 2, 3)]
                self.assertEqual([len(rows) for rows in pages], [PER_PAGE, PER_PAGE, 5])
                self.assertEqual(len({pk for rows in pages for pk in rows}), MANY)

    def test_a_page_leads_to_the_others(self) -> None:
        response = self.client.get(f"{self.url}?members-page=2")

        self.assertContains(response, "members-page=3#members")
        self.assertContains(response, f"<span>{MANY} members</span>", html=True)

    def test_a_number_that_is_nonsense_is_a_page_that_exists(self) -> None:
        for number in NONSENSE:
            with self.subTest(number[:9]):
                self.assertIn(len(self.shown_rows("members", number)), {PER_PAGE, 5})

    def test_its_size_and_its_queries_are_those_of_a_page(self) -> None:
        sizes, queries = [], []
        for _ in range(2):
            with CaptureQueriesContext(connection) as captured:
                sizes.append(len(self.client.get(self.url).content))
            queries.append(len(captured))
            self.grow(MANY)

        self.assertEqual(queries[0], queries[1])
        self.assertLess(abs(sizes[1] - sizes[0]), sizes[0] / 10)

    def test_a_person_of_many_groups_has_pages_of_them(self) -> None:
        ada = make_user()
        GroupMember.objects.bulk_create(
            GroupMember(group=make_group(), user=ada) for _ in range(PER_PAGE + 1)
        )

        response = self.client.get(f"/admin/users/user/{ada.pk}/change/?memberships-page=2")

        self.assertEqual(re.findall(r"(\w+)-page=1#", response.content.decode()), ["memberships"])


class SavingTests(LongGroupCase):
    def test_saving_a_page_without_a_change_writes_nothing_of_any(self) -> None:
        for number in (1, 2, 3):
            with self.subTest(number):
                url = f"{self.url}?members-page={number}&milestones-page={number}"
                self.assertEqual(self.fill_in(url).status_code, 302)
        self.assertEqual(self.recorded(), [])
        self.assertEqual((self.group.members.count(), self.group.milestones.count()), (MANY, MANY))

    def test_of_the_second_page_only_what_was_changed_there_is_written(self) -> None:
        members = list(self.group.members.order_by(*(GroupMember._meta.ordering or []), "pk"))
        steps = list(self.group.milestones.order_by("order_index", "pk"))

        self.fill_in(
            f"{self.url}?members-page=2&milestones-page=2",
            members__0__DELETE="on",
            milestones__1__title="Reap",
        )

        left = set(self.group.members.values_list("pk", flat=True))
        self.assertEqual({row.pk for row in members} - left, {members[PER_PAGE].pk})
        changed = [step.pk for step in self.group.milestones.filter(title="Reap")]
        self.assertEqual(changed, [steps[PER_PAGE + 1].pk])
        self.assertEqual(self.group.milestones.count(), MANY)

    def test_what_was_ticked_goes_although_rows_have_moved_to_other_pages_since(self) -> None:
        url = f"{self.url}?members-page=2"
        body = self.shown(url)
        ticked = body["members-0-id"]
        self.group.members.get(pk=self.group.members.order_by("pk")[0].pk).delete()

        self.client.post(url, {**body, "members-0-DELETE": "on"})

        self.assertFalse(GroupMember.objects.filter(pk=ticked).exists())
        self.assertEqual(self.group.members.count(), MANY - 2)

    def test_a_row_of_another_group_is_not_taken_along(self) -> None:
        stranger = GroupMember.objects.create(group=make_group(), user=make_user())
        for sent in (stranger.pk, "x", "9" * 30, ""):
            with self.subTest(str(sent)), undrawn():
                self.fill_in(self.url, members__0__id=sent, members__0__DELETE="on")
        self.assertTrue(GroupMember.objects.filter(pk=stranger.pk).exists())
        self.assertEqual(self.group.members.count(), MANY)

    def test_somebody_joins_from_any_page(self) -> None:
        friend = make_user()
        row = {f"members__{PER_PAGE}__user": friend.pk, f"members__{PER_PAGE}__role": "student"}

        self.fill_in(f"{self.url}?members-page=2", **row)

        self.assertTrue(self.group.members.filter(user=friend).exists())
        self.assertEqual(self.group.members.count(), MANY + 1)


class OtherPagesTests(PagedCase):
    def test_a_run_of_very_many_groups_is_a_page_of_them(self) -> None:
        run = TemplateRun.objects.create(
            template_name="Plan", template_key=1, start_date="2027-01-31", plan=[]
        )
        groups = Group.objects.bulk_create(
            Group(pk=f"G{n}", name=f"Group {n}", sort_key=f"g{n}") for n in range(MANY)
        )
        TemplateRunGroup.objects.bulk_create(TemplateRunGroup(run=run, group=group) for group in groups)

        response = self.client.get(page(TemplateRun, "change", run.pk))

        formset = response.context["inline_admin_formsets"][0].formset
        self.assertEqual((len(formset.initial_forms), formset.paginator.count), (PER_PAGE, MANY))

    def test_a_milestones_tasks_are_paged(self) -> None:
        step = make_milestone(make_group())
        Task.objects.bulk_create(Task(milestone=step, name=f"{n}") for n in range(MANY))

        self.fill_in(f"{page(Milestone, 'change', step.pk)}?tasks-page=3", tasks__0__DELETE="on")

        self.assertEqual(step.tasks.count(), MANY - 1)

    def test_the_bound_of_a_template_counts_its_other_pages(self) -> None:
        milestone: TemplateMilestone = make_template().milestones.get()
        milestone.tasks.all().delete()
        TemplateTask.objects.bulk_create(
            TemplateTask(milestone=milestone, name=f"{n}", place=n) for n in range(PER_PAGE + 1)
        )
        url = page(TemplateMilestone, "change", milestone.pk)
        new = {f"tasks__{PER_PAGE}__name": "One more", f"tasks__{PER_PAGE}__place": 9}

        with patch.object(MilestoneTemplate, "TASKS", PER_PAGE + 1):
            self.assertContains(self.fill_in(url, **new), "tasks in all.")
        self.assertEqual(self.fill_in(url, **new).status_code, 302)
        self.assertEqual(milestone.tasks.count(), PER_PAGE + 2)
