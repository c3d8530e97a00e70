"""Tasks that are due: told on the day before and on the day, from 08:00 by the clock of whose they are."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from zoneinfo import ZoneInfo

import time_machine
from django.core import mail
from django.db import connection
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.mail import Reader
from core.models import Delivery, Notice, NotificationSettings
from core.notifications.kinds import Told
from core.notifications.tasks import look_for_mail
from core.testing import count_rows_anew, plan_of
from groups.letters import TASK_DUE
from groups.models import Group, GroupMember, Milestone, Task
from groups.services.members import remove_member
from groups.services.plan import change_task, remove_milestone, remove_task, restore_task
from groups.services.reminders import awaited
from groups.services.teams import archive_group, restore_group
from groups.tasks import remind_of_tasks
from groups.tests.cases import TaskCase
from groups.tests.factories import make_group, make_milestone, make_task
from groups.tests.racing import RaceCase
from users.models import User
from users.services.accounts import change_status
from users.tests.factories import make_user

if TYPE_CHECKING:
    from core.mail import Letter

DUE = date(2026, 12, 4)


def live_in(person: User, zone: str) -> None:
    NotificationSettings.objects.update_or_create(person=person, defaults={"time_zone": zone})


class ReminderCase(TaskCase):
    zone = "UTC"

    def setUp(self) -> None:
        super().setUp()
        self.task = make_task(self.milestone, name="Pour", assigned_to=self.student, due_date=DUE)

    def at(self, moment: str, zone: str | None = None) -> list[str]:
        """Run the job at a moment by some clock, and return the subjects of what is told by it."""
        known = set(Notice.objects.values_list("pk", flat=True))
        when = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone or self.zone))
        with time_machine.travel(when, tick=False), self.captureOnCommitCallbacks(execute=True):
            result = remind_of_tasks()
        fresh = Notice.objects.exclude(pk__in=known).order_by("pk")
        subjects = list(fresh.values_list("subject", flat=True))
        self.assertEqual(result, {"reminders": len(subjects)})
        return subjects

    def subject(self, which: str, due: date = DUE, person: User | None = None) -> str:
        return f"{self.task.pk} {due} {(person or self.student).pk} {which}"


class WhenTests(ReminderCase):
    def test_it_is_told_from_eight_on_the_day_before_and_on_the_day(self) -> None:
        told = {
            moment: self.at(moment)
            for moment in (
                *("2026-12-02T23:59", "2026-12-03T07:59", "2026-12-03T08:00", "2026-12-03T08:15"),
                *("2026-12-03T23:59", "2026-12-04T07:59", "2026-12-04T08:00", "2026-12-04T23:59"),
                "2026-12-05T08:00",
            )
        }

        self.assertEqual(
            {moment: subjects for moment, subjects in told.items() if subjects},
            {"2026-12-03T08:00": [self.subject("before")], "2026-12-04T08:00": [self.subject("on")]},
        )
        self.assertEqual([message.to for message in mail.outbox], [[self.student.email]] * 2)

    def test_the_clock_is_the_persons_on_both_sides_of_the_date_line(self) -> None:
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Etc/GMT+12", "America/Sao_Paulo"):
            live_in(self.student, zone)
            Notice.objects.all().delete()
            with self.subTest(zone):
                self.assertEqual(self.at("2026-12-03T07:59", zone), [])
                self.assertEqual(self.at("2026-12-03T08:00", zone), [self.subject("before")])
                self.assertEqual(self.at("2026-12-04T07:59", zone), [])
                self.assertEqual(self.at("2026-12-04T23:59", zone), [self.subject("on")])

    @override_settings(PROGRAMME_TIME_ZONE="Australia/Sydney")
    def test_who_has_chosen_no_clock_lives_by_the_programmes(self) -> None:
        live_in(self.student, "")

        self.assertEqual(self.at("2026-12-02T21:00"), [self.subject("before")])  # 08:00 there

    def test_an_outage_delays_it_within_its_day_and_no_further(self) -> None:
        self.assertEqual(self.at("2026-12-03T23:45"), [self.subject("before")])
        self.assertEqual(self.at("2026-12-05T08:00"), [])
        self.assertEqual(self.at("2026-12-06T08:00"), [])

    def test_a_day_is_stale_when_it_is_over_and_the_eve_when_the_day_is_told(self) -> None:
        live_in(self.student, "Australia/Sydney")
        for moment in ("2026-12-03T09:00", "2026-12-04T09:00"):
            self.at(moment, "Australia/Sydney")

        stale = [one.stale_at.isoformat() for one in Notice.objects.order_by("pk") if one.stale_at]
        self.assertEqual(stale, ["2026-12-03T21:00:00+00:00", "2026-12-04T13:00:00+00:00"])

    def test_each_new_day_is_told_and_the_old_one_not_again(self) -> None:
        later = DUE + timedelta(days=7)
        self.at("2026-12-03T08:00")

        Task.objects.update(due_date=later)
        self.assertEqual(self.at("2026-12-04T08:00"), [])
        self.assertEqual(self.at("2026-12-10T08:00"), [self.subject("before", later)])

        Task.objects.update(due_date=DUE)
        self.assertEqual(self.at("2026-12-03T09:00"), [])
        self.assertEqual(self.at("2026-12-04T09:00"), [self.subject("on")])

    def test_who_is_given_the_task_is_told_too(self) -> None:
        self.at("2026-12-03T08:00")
        change_task(self.task, by=self.student, values={"assigned_to_id": self.friend.pk})

        self.assertEqual(self.at("2026-12-03T09:00"), [self.subject("before", person=self.friend)])

    def test_two_tasks_of_a_day_are_two_reminders(self) -> None:
        make_task(self.milestone, name="Read", assigned_to=self.student, due_date=DUE)
        make_task(self.milestone, name="Write", assigned_to=self.mentor, due_date=DUE)

        self.assertEqual(len(self.at("2026-12-04T08:00")), 3)


class WhichTests(ReminderCase):
    def test_neither_what_is_done_nor_what_is_nobodys_nor_what_was_put_away(self) -> None:
        day: dict[str, Any] = {"due_date": DUE, "assigned_to": self.student}
        gone = timezone.now()
        make_task(self.milestone, **day, completed=True)
        make_task(self.milestone, **day, removed_at=gone)
        make_task(self.milestone, due_date=DUE)
        make_task(self.milestone, assigned_to=self.student)
        make_task(make_milestone(self.group, removed_at=gone), **day)
        make_task(make_milestone(make_group(members=[self.student], archived_at=gone)), **day)
        make_task(make_milestone(make_group()), **day)
        make_task(self.milestone, due_date=DUE, assigned_to=self.outsider)

        self.assertEqual(self.at("2026-12-04T08:00"), [self.subject("on")])

    def test_nobody_who_is_suspended_until_they_are_not(self) -> None:
        change_status(self.student, status="inactive", by=self.admin)
        self.assertEqual(self.at("2026-12-04T08:00"), [])

        change_status(self.student, status="active", by=self.admin)
        self.assertEqual(self.at("2026-12-04T09:00"), [self.subject("on")])

    def test_it_costs_the_same_queries_for_1_and_for_40_tasks_that_were_told(self) -> None:
        costs = []
        for count in (1, 40):
            for _ in range(count - 1):
                person = make_user()
                group = make_group(members=[person])
                live_in(person, "America/Sao_Paulo")
                make_task(make_milestone(group), assigned_to=person, due_date=DUE)
            self.at("2026-12-04T15:00")
            with (
                CaptureQueriesContext(connection) as captured,
                time_machine.travel(datetime(2026, 12, 4, 16, tzinfo=ZoneInfo("UTC")), tick=False),
            ):
                self.assertEqual(remind_of_tasks(), {"reminders": 0})
            costs.append(len(captured))

        self.assertEqual(costs[0], costs[1])
        self.assertLessEqual(costs[0], 12)


@override_settings(FRONTEND_BASE_URL="https://hub.example.org/")
class LetterTests(ReminderCase):
    def told(self, person: User | None = None) -> Told:
        data = {
            "task": self.task.pk,
            "name": "Pour\nslowly",
            "due": "2026-12-04",
            "group": "BTF046",
            "group_name": "Biofilm Busters",
        }
        return Told(person or self.student, data, Reader("en"))

    def mail(self, person: User | None = None) -> Letter | None:
        return TASK_DUE.letter(self.told(person))

    def test_it_names_the_day_since_it_may_be_read_later(self) -> None:
        with self.assertNumQueries(0):
            letter = TASK_DUE.write(self.told())

        self.assertEqual(letter.subject, "Due on Friday, 4 December 2026: Pour slowly")
        self.assertEqual(letter.opening, "A task of yours is due on Friday, 4 December 2026.")
        self.assertEqual(letter.link, "https://hub.example.org/#/groups/BTF046")

    def test_its_day_is_in_the_language_of_its_reader(self) -> None:
        told = self.told()
        letter = TASK_DUE.write(Told(told.person, told.data, Reader("pt-br")))

        self.assertIn("sexta-feira, 4 de dezembro de 2026", letter.opening)

    def test_the_mail_says_what_the_task_is_called_when_it_leaves(self) -> None:
        Task.objects.update(name="Pour again")
        with self.assertNumQueries(1):
            letter = self.mail()

        assert letter
        self.assertIn(": Pour again", letter.subject)

    def test_a_task_that_is_not_theirs_or_not_due_any_more_is_not_mailed(self) -> None:
        self.assertIsNone(self.mail(self.friend))
        for values in (
            {"completed": True},
            {"assigned_to_id": self.friend.pk},
            {"assigned_to_id": None},
            {"due_date": DUE + timedelta(days=1)},
            {"due_date": None},
        ):
            before = {name: getattr(self.task, name) for name in values}
            with self.subTest(values):
                self.task = change_task(self.task, by=self.admin, values=values)
                self.assertIsNone(self.mail())
            self.task = change_task(self.task, by=self.admin, values=before)
            self.assertIsNotNone(self.mail())

    def test_nor_one_that_was_put_away_or_whose_person_has_left(self) -> None:
        remove_task(self.task, by=self.student)
        self.assertIsNone(self.mail())
        restore_task(self.task, by=self.admin)

        archive_group(self.group, by=self.admin)
        self.assertIsNone(self.mail())
        restore_group(self.group.pk, by=self.admin)
        self.assertIsNotNone(self.mail())

        remove_member(self.group, by=self.admin, user_id=self.student.pk)
        self.assertIsNone(self.mail())

    def test_nor_one_of_a_milestone_that_was_removed(self) -> None:
        remove_milestone(self.milestone, by=self.student)

        self.assertIsNone(self.mail())

    def test_what_was_done_before_the_mail_left_is_dropped(self) -> None:
        NotificationSettings.objects.create(person=self.student, quiet_from="08:00", quiet_until="15:00")
        self.at("2026-12-04T08:00")
        self.assertEqual((Delivery.objects.get().state, mail.outbox), ("queued", []))
        Task.objects.update(completed=True)

        with (
            time_machine.travel(datetime(2026, 12, 4, 15, tzinfo=ZoneInfo("UTC"))),
            self.captureOnCommitCallbacks(execute=True),
        ):
            look_for_mail()

        self.assertEqual((Delivery.objects.get().state, mail.outbox), ("dropped", []))


class ParallelTests(RaceCase):
    def test_two_jobs_at_once_tell_each_task_once(self) -> None:
        person = make_user()
        milestone = make_milestone(make_group(members=[person]))
        for _ in range(30):
            make_task(milestone, assigned_to=person, due_date=DUE)

        with time_machine.travel(datetime(2026, 12, 4, 12, tzinfo=ZoneInfo("UTC"))):
            results = self.meet(*[remind_of_tasks] * 4)

        self.assertEqual(sum(result["reminders"] for result in results), 30)
        self.assertEqual((Notice.objects.count(), Delivery.objects.count(), len(mail.outbox)), (30, 30, 30))


@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class PlanTests(TestCase):
    def test_the_tasks_of_a_day_are_found_by_their_index(self) -> None:
        people = [make_user() for _ in range(200)]
        milestone = make_milestone(make_group(members=people))
        Task.objects.bulk_create(
            Task(
                milestone=milestone,
                name="x",
                assigned_to=people[n % 200],
                due_date=DUE + timedelta(days=n % 300),
            )
            for n in range(6_000)
        )
        count_rows_anew(Task, Milestone, Group, GroupMember, User, NotificationSettings)
        with CaptureQueriesContext(connection) as captured:
            awaited(Task.objects.awaited().filter(due_date=DUE, pk__gt=0).order_by("pk")[:500])

        self.assertIn("task_due", plan_of(captured[0]["sql"]))
