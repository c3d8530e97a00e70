"""Templates of milestones at the admin site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.contrib.auth.models import Permission
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import AuditEvent
from core.testing import context_of
from groups.models import MilestoneTemplate, TemplateMilestone, TemplateRun, TemplateRunGroup, TemplateTask
from groups.tests.factories import make_group, make_template
from groups.tests.giving import START, RunCase
from users.tests.factories import make_superuser, make_user

if TYPE_CHECKING:
    from django.db.models import Model


def page(model: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:groups_{model.__name__.lower()}_{name}", args=args)


def rows(prefix: str, *sent: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """Return the rows beside a form, as the page sends them."""
    fields = {f"{prefix}-{n}-{name}": value for n, row in enumerate(sent) for name, value in row.items()}
    return {f"{prefix}-TOTAL_FORMS": len(sent), f"{prefix}-INITIAL_FORMS": initial, **fields}


class WritingTests(TestCase):
    def setUp(self) -> None:
        self.staff = make_superuser()
        self.client.force_login(self.staff)

    def recorded(self) -> list[str]:
        return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))

    def test_a_template_is_made_with_its_milestones(self) -> None:
        milestones = rows("milestones", {"title": "Grow", "due_after_days": 7, "order_index": 1})

        self.client.post(page(MilestoneTemplate, "add"), {"name": "Plan", "description": "", **milestones})

        made = MilestoneTemplate.objects.get().milestones.get()
        self.assertEqual((made.title, made.due_after_days), ("Grow", 7))
        self.assertEqual(self.recorded(), ["added"])

    def test_a_milestone_gets_tasks_on_its_own_page(self) -> None:
        milestone = make_template().milestones.get()
        milestone.tasks.all().delete()
        body = {"title": "Sow", "description": "", "order_index": 1, "due_after_days": ""}
        tasks = rows("tasks", {"name": "Pour", "due_after_days": 3, "place": 1})

        self.client.post(page(TemplateMilestone, "change", milestone.pk), {**body, **tasks})

        milestone.refresh_from_db()
        self.assertEqual((milestone.title, milestone.due_after_days), ("Sow", None))
        self.assertEqual(TemplateTask.objects.get().name, "Pour")
        self.assertEqual(self.recorded(), ["changed"])

    def test_no_more_tasks_than_the_api_takes(self) -> None:
        milestone = make_template().milestones.get()
        body = {"title": "Sow", "description": "", "order_index": 1, "due_after_days": ""}
        tasks = rows("tasks", *({"name": f"{n}", "place": n} for n in range(3)))
        milestone.tasks.all().delete()

        with patch.object(MilestoneTemplate, "TASKS", 2):
            response = self.client.post(page(TemplateMilestone, "change", milestone.pk), {**body, **tasks})

        self.assertContains(response, "A template has at most 2 tasks in all.")
        self.assertFalse(TemplateTask.objects.exists())

    def test_what_a_row_may_not_be_is_told_beside_it(self) -> None:
        make_template(name="Plan")
        for name, days in (("PLAN", 7), ("Other", 3_661), ("Other", -1), (" ", 7)):
            with self.subTest(name=name, days=days):
                late = rows("milestones", {"title": "Grow", "due_after_days": days, "order_index": 1})
                response = self.client.post(page(MilestoneTemplate, "add"), {"name": name, **late})

                self.assertEqual((response.status_code, self.recorded()), (200, []))

    def test_a_template_is_deleted_with_what_it_has(self) -> None:
        template = make_template(milestones=2)

        self.client.post(page(MilestoneTemplate, "delete", template.pk), {"post": "yes"})

        self.assertFalse(TemplateTask.objects.exists())
        self.assertEqual(self.recorded(), ["deleted"])

    def test_staff_who_are_no_platform_admins_look_and_write_nothing(self) -> None:
        desk = make_user(is_staff=True, status="active")
        desk.user_permissions.set(Permission.objects.filter(content_type__app_label="groups"))
        self.client.force_login(desk)
        template = make_template()
        for model, row in ((MilestoneTemplate, template), (TemplateMilestone, template.milestones.get())):
            for name, args, status in (
                ("change", [row.pk], 200),
                ("add", [], 403),
                ("delete", [row.pk], 403),
            ):
                with self.subTest(model=model.__name__, page=name):
                    self.assertEqual(self.client.get(page(model, name, *args)).status_code, status)


class LookingTests(RunCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(make_superuser())

    def queries(self, path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(self.client.get(path).status_code, 200)
        return len(captured)

    def test_a_run_is_there_to_look_at(self) -> None:
        path = page(TemplateRun, "change", self.begin().pk)

        self.assertContains(self.client.get(path), self.groups[0].pk)
        self.assertEqual(self.client.post(path, {"start_date": START}).status_code, 403)

    def test_pages_cost_the_same_for_1_and_for_20_rows(self) -> None:
        run, template = self.begin(self.groups[:1]), make_template()
        milestone = template.milestones.get()
        paths = [
            page(TemplateRun, "change", run.pk),
            page(MilestoneTemplate, "change", template.pk),
            page(TemplateMilestone, "change", milestone.pk),
        ]
        for path in paths:
            context_of(self.client, path)
        few = [self.queries(path) for path in paths]
        run.groups.bulk_create(TemplateRunGroup(run=run, group=make_group()) for _ in range(19))
        for n in range(19):
            template.milestones.create(title=str(n), order_index=9)
            milestone.tasks.create(name=str(n))

        self.assertEqual([self.queries(path) for path in paths], few)
