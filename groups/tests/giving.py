"""Giving templates to groups in tests: begun by an admin, and the work left to be done."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.test import TestCase
from django.urls import reverse

from groups.services.templates import apply_template as start
from groups.tasks import apply_template
from groups.tests.cases import call
from groups.tests.factories import make_group, make_template
from users.tests.factories import make_admin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groups.models import Group, MilestoneTemplate, TemplateRun
    from users.models import User

START: Final = date(2027, 2, 1)
RUNS: Final = reverse("admin_panel:template-run-list")


def url(name: str, pk: int) -> str:
    return reverse(f"admin_panel:{name}", args=[pk])


def titles(group: Group) -> list[str]:
    return list(group.milestones.values_list("title", flat=True))


def work(run: TemplateRun) -> None:
    """Do what the worker does."""
    apply_template.func(run_id=run.pk)


class RunCase(TestCase):
    admin: User
    template: MilestoneTemplate
    groups: list[Group]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin, cls.template = make_admin(), make_template(milestones=2)
        cls.groups = [make_group() for _ in range(3)]

    def begin(self, groups: Sequence[Group] | None = None, template: Any = None) -> TemplateRun:
        """Start a run, and leave its work to be done."""
        ids = [group.pk for group in self.groups if groups is None or group in groups]
        return start(template or self.template, by=self.admin, group_ids=ids, start_date=START)

    def states(self, run: TemplateRun) -> list[str]:
        return list(run.groups.values_list("state", flat=True))

    def read(self, path: str, **query: Any) -> Any:
        response = call(self.admin, "get", path, **query)
        self.assertEqual(response.status_code, 200, response.content)
        return response.json()
