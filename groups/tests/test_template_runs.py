"""A template is given to groups: what each of them gets, and which are skipped."""

from __future__ import annotations

from datetime import date
from typing import Any
from unittest.mock import patch

from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import AuditEvent
from groups.models import Milestone, Task, TemplateRun, TemplateRunGroup
from groups.services.teams import archive_group
from groups.services.template_runs import apply_to_next_group
from groups.tests.cases import call
from groups.tests.factories import make_group, make_milestone, make_template
from groups.tests.giving import RUNS, START, RunCase, titles, url, work


class ApplyTests(RunCase):
    def apply(self, **body: Any) -> Any:
        body = {"groupIds": [group.pk for group in self.groups], "startDate": str(START), **body}
        with self.captureOnCommitCallbacks(execute=True):
            return call(self.admin, "post", url("milestone-template-apply", self.template.pk), body)

    def test_three_groups_get_milestones_and_tasks_with_days_of_their_own(self) -> None:
        self.template.milestones.create(title="Any day", order_index=3).tasks.create(name="Rest")
        make_milestone(self.groups[0], title="Theirs", order_index=7)

        response = self.apply()

        self.assertEqual(response.status_code, 202, response.content)
        expected = [
            ("Step 1", date(2027, 2, 8), "Read", START),
            ("Step 2", date(2027, 2, 15), "Read", START),
            ("Any day", None, "Rest", None),
        ]
        names = ("milestone__title", "milestone__due_date", "name", "due_date")
        for group in self.groups:
            with self.subTest(group.pk):
                tasks = Task.objects.filter(milestone__group=group).in_order_of_plan()
                self.assertEqual(list(tasks.values_list(*names)), expected)
        self.assertEqual(titles(self.groups[0])[0], "Theirs")
        self.assertEqual([row.order_index for row in self.groups[0].milestones.all()], [7, 8, 9, 10])

    def test_the_run_says_what_became_of_it(self) -> None:
        run = self.apply().json()

        after = self.read(url("template-run-detail", run["id"]))
        self.assertEqual(
            {**after, "createdAt": "", "finishedAt": ""},
            {
                "id": run["id"],
                "template": {"id": self.template.pk, "name": self.template.name},
                "startDate": "2027-02-01",
                "state": "finished",
                "total": 3,
                "applied": 3,
                "skipped": 0,
                "waiting": 0,
                "createdAt": "",
                "finishedAt": "",
            },
        )
        rows = self.read(url("template-run-groups", run["id"]))["results"]
        expected = [{"groupId": group.pk, "state": "applied", "reason": ""} for group in self.groups]
        self.assertEqual(rows, expected)

    def test_without_a_day_it_starts_today(self) -> None:
        body = {"groupIds": [self.groups[0].pk]}

        call(self.admin, "post", url("milestone-template-apply", self.template.pk), body)

        self.assertEqual(TemplateRun.objects.get().start_date, timezone.localdate())

    def test_groups_that_are_not_there_are_named_and_nobody_gets_anything(self) -> None:
        archive_group(self.groups[1], by=self.admin)

        response = self.apply(groupIds=[self.groups[0].pk, self.groups[1].pk, "BTF999"])

        self.assertEqual(response.status_code, 400)
        self.assertEqual(response.json()["groupIds"], [f"Unknown or archived: {self.groups[1].pk}, BTF999."])
        self.assertFalse(TemplateRun.objects.exists())

    def test_bodies_that_are_refused(self) -> None:
        one = self.groups[0].pk
        many = [f"X{n}" for n in range(1_001)]
        bad: list[tuple[str, Any]] = [
            *(("groupIds", ids) for ids in ([], [one, one], [5], "x", None, ["x" * 51], many)),
            *(("startDate", day) for day in ("soon", "2027-02-30", "9999-12-31", None)),
        ]
        for field, value in bad:
            with self.subTest(f"{field}: {value}"[:60]):
                response = self.apply(**{field: value})
                self.assertEqual((response.status_code, field in response.json()), (400, True))

    def test_a_template_without_milestones_is_refused(self) -> None:
        self.template.milestones.all().delete()

        response = self.apply()

        self.assertEqual((response.status_code, response.json()["code"]), (400, "template_empty"))

    def test_the_last_day_that_there_is_can_be_reached(self) -> None:
        self.template.milestones.update(due_after_days=3_660)

        self.apply(startDate=str(TemplateRun.LATEST_START))

        self.assertEqual({row.due_date for row in Milestone.objects.all()}, {date.max})

    def test_it_is_recorded_when_it_begins_and_when_it_ends(self) -> None:
        run = self.apply().json()["id"]

        events = AuditEvent.objects.filter(object_type="groups.templaterun", object_id=str(run))
        self.assertEqual(
            list(events.order_by("id").values_list("action", "actor_id", "changes")),
            [
                (
                    "template_applied",
                    self.admin.pk,
                    {"template": self.template.pk, "groups": 3, "milestones": 2, "tasks": 2},
                ),
                ("template_run_finished", self.admin.pk, {"total": 3, "applied": 3, "skipped": 0}),
            ],
        )


class SkippedTests(RunCase):
    def skipped(self, run: TemplateRun) -> list[str]:
        work(run)
        return [
            row["reason"] for row in self.read(url("template-run-groups", run.pk), state="skipped")["results"]
        ]

    def test_a_group_that_was_archived_meanwhile(self) -> None:
        run = self.begin()
        archive_group(self.groups[1], by=self.admin)

        self.assertEqual(self.skipped(run), ["The group is archived."])
        self.assertEqual(self.states(run), ["applied", "skipped", "applied"])

    def test_a_group_that_was_given_it_before(self) -> None:
        work(self.begin(self.groups[:1]))

        self.assertEqual(self.skipped(self.begin()), ["This template was applied to the group before."])
        self.assertEqual([len(titles(group)) for group in self.groups], [2, 2, 2])

    def test_a_group_that_would_have_too_many(self) -> None:
        for group, count in ((self.groups[0], 199), (self.groups[1], 198)):
            Milestone.objects.bulk_create(Milestone(group=group, title=str(n)) for n in range(count))

        self.assertEqual(self.skipped(self.begin()), ["The group would have more than 200 milestones."])
        self.assertEqual([len(titles(group)) for group in self.groups], [199, 200, 2])

    def test_a_group_in_which_it_cannot_be_stored_holds_up_no_other(self) -> None:
        with patch("groups.services.template_runs.append", side_effect=[DataError, None, None]):
            reasons = self.skipped(self.begin())

        self.assertEqual(reasons, ["The milestones cannot be stored in this group."])

    def test_one_that_was_deleted_for_good_is_gone_from_the_run(self) -> None:
        run = self.begin()
        self.groups[0].delete()
        work(run)

        self.assertEqual(self.states(run), ["applied", "applied"])


class CostTests(RunCase):
    def queries(self, path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            self.read(path)
        return len(captured)

    def test_lists_cost_the_same_for_1_and_for_20(self) -> None:
        run = self.begin(self.groups[:1])
        paths = [RUNS, url("template-run-detail", run.pk), url("template-run-groups", run.pk)]
        few = [self.queries(path) for path in paths]
        for _ in range(19):
            self.begin()
        run.groups.bulk_create(TemplateRunGroup(run=run, group=make_group()) for _ in range(19))

        self.assertEqual([self.queries(path) for path in paths], few)
        self.assertLessEqual(max(few), 3)

    def test_a_group_costs_the_same_for_1_and_for_50_milestones(self) -> None:
        counts = []
        for size in (1, 50):
            run = self.begin(template=make_template(milestones=size))
            with CaptureQueriesContext(connection) as captured:
                apply_to_next_group(run.pk)
            counts.append(len(captured))

        self.assertEqual(counts[0], counts[1])
