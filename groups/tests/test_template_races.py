"""Each group gets a template once, wherever the work is killed and whatever others do meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless
from unittest.mock import call as called
from unittest.mock import patch

from django.db import connection
from django.test import TransactionTestCase, override_settings
from django.utils import timezone

from core.models import AuditEvent
from core.testing import in_parallel
from groups.models import Group, TemplateRun, TemplateRunGroup
from groups.services.template_runs import apply_to_next_group, settle
from groups.services.templates import apply_template as start
from groups.services.templates import change_template, delete_template
from groups.tasks import resume_template_runs
from groups.tests.factories import make_group, make_template
from groups.tests.giving import START, RunCase, titles, url, work
from users.services.erasure import erase_person
from users.tests.factories import make_admin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groups.models import MilestoneTemplate
    from users.models import User

GROUPS: Final = 8


class MeanwhileTests(RunCase):
    """Between the request and the worker others go on."""

    def test_a_changed_or_deleted_template_changes_nothing(self) -> None:
        run = self.begin()
        apply_to_next_group(run.pk)
        change_template(self.template, by=self.admin, values={"name": "Other", "milestones": []})
        apply_to_next_group(run.pk)
        delete_template(self.template, by=self.admin)
        work(run)

        self.assertEqual([titles(group) for group in self.groups], [["Step 1", "Step 2"]] * 3)
        shown = self.read(url("template-run-detail", run.pk))["template"]
        self.assertEqual(shown, {"id": None, "name": run.template_name})

    def test_two_runs_of_a_template_that_is_deleted_give_it_once(self) -> None:
        runs = [self.begin(), self.begin()]
        delete_template(self.template, by=self.admin)
        for run in runs:
            work(run)

        self.assertEqual([self.states(run) for run in runs], [["applied"] * 3, ["skipped"] * 3])

    def test_it_goes_on_when_who_began_it_is_erased(self) -> None:
        run = self.begin()
        erase_person(self.admin, by=make_admin())
        work(run)

        run.refresh_from_db()
        self.assertEqual((run.started_by, run.state), (None, "finished"))


class KilledTests(RunCase):
    def test_the_next_worker_goes_on_without_doubles(self) -> None:
        run, done = self.begin(), []

        def killed(row: TemplateRunGroup, group: Group) -> None:
            settle(row, group)
            done.append(group)
            if len(done) == 2:
                raise KeyboardInterrupt

        with patch("groups.services.template_runs.settle", killed), self.assertRaises(KeyboardInterrupt):
            work(run)
        self.assertEqual(self.states(run), ["applied", "waiting", "waiting"])
        work(run)
        work(run)

        self.assertEqual([len(titles(group)) for group in self.groups], [2, 2, 2])
        self.assertEqual(AuditEvent.objects.filter(action="template_run_finished").count(), 1)

    def test_work_that_was_lost_is_taken_up_after_an_hour(self) -> None:
        lost, fresh = self.begin(), self.begin()
        TemplateRun.objects.filter(pk=lost.pk).update(created_at=timezone.now() - timedelta(hours=2))

        resume_template_runs()

        states = [run.state for run in TemplateRun.objects.filter(pk__in=[lost.pk, fresh.pk]).order_by("pk")]
        self.assertEqual(states, ["finished", "running"])

    @override_settings(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend")
    def test_a_turn_ends_when_its_time_is_over_and_queues_up_anew(self) -> None:
        run = self.begin()
        with patch("core.turns.TURN_SECONDS", 0), patch("core.turns.enqueue") as enqueue:
            work(run)

        self.assertEqual(self.states(run), ["applied", "waiting", "waiting"])
        self.assertEqual(enqueue.call_args, called("groups.tasks.apply_template", run_id=run.pk))


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class RaceTests(TransactionTestCase):
    def setUp(self) -> None:
        self.admin, self.template = make_admin(), make_template(milestones=3)
        self.groups = [make_group() for _ in range(GROUPS)]
        self.enterContext(patch("groups.services.templates.enqueue_on_commit"))

    def begin(
        self,
        groups: Sequence[Group],
        *,
        template: MilestoneTemplate | None = None,
        by: User | None = None,
    ) -> TemplateRun:
        ids, by = [group.pk for group in groups], by or self.admin
        return start(template or self.template, by=by, group_ids=ids, start_date=START)

    def assert_each_has(self, count: int) -> None:
        self.assertEqual([len(titles(group)) for group in self.groups], [count] * GROUPS)

    def test_four_workers_on_one_run_give_it_once(self) -> None:
        run = self.begin(self.groups)

        self.assertEqual(in_parallel(lambda _: work(run), 4), [None] * 4)

        self.assert_each_has(3)
        self.assertEqual(AuditEvent.objects.filter(action="template_run_finished").count(), 1)

    def test_two_runs_of_one_template_at_once_give_it_once(self) -> None:
        runs = [self.begin(self.groups), self.begin(self.groups[::-1])]

        self.assertEqual(in_parallel(lambda n: work(runs[n % 2]), 4), [None] * 4)

        self.assert_each_has(3)
        counted = TemplateRun.objects.with_counts()
        self.assertEqual(sum(run.applied for run in counted), GROUPS)
        self.assertEqual(sum(run.skipped for run in counted), GROUPS)

    def test_two_templates_at_once_leave_every_place_taken_once(self) -> None:
        runs = [self.begin(self.groups), self.begin(self.groups[::-1], template=make_template(milestones=3))]

        self.assertEqual(in_parallel(lambda n: work(runs[n]), 2), [None] * 2)

        for group in self.groups:
            self.assertEqual([row.order_index for row in group.milestones.all()], [1, 2, 3, 4, 5, 6])

    def test_a_template_that_is_changed_at_once_is_kept_and_given_whole(self) -> None:
        values = {"milestones": [{"title": "New", "tasks": [{"name": str(n)}]} for n in range(5)]}
        admins = [make_admin() for _ in range(8)]

        def one(number: int) -> Any:
            if number % 2:
                return change_template(self.template, by=admins[number], values=values)
            return self.begin(self.groups[:1], by=admins[number])

        results = in_parallel(one, 8)

        plans = [[len(m["tasks"]) for m in run.plan] for run in results if isinstance(run, TemplateRun)]
        self.assertEqual(len(plans), 4, results)
        self.assertLessEqual({tuple(plan) for plan in plans}, {(1,) * 3, (1,) * 5})
        self.assertEqual(self.template.milestones.count(), 5)
