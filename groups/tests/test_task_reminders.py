"""Tasks that are due: told on the day before and on the day, from 08:00 by the clock of whose they are."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch
from zoneinfo import ZoneInfo

import time_machine
from django.core import mail
from django.db import connection
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.mail import Line, Reader
from core.models import Delivery, Notice, NotificationSettings
from core.notifications.kinds import Told
from core.notifications.tasks import look_for_mail
from core.testing import count_rows_anew, plan_of
from groups.letters import TASK_DUE
from groups.models import GroupMember, Task
from groups.services import reminders
from groups.services.members import remove_member
from groups.services.plan import change_task, remove_milestone, remove_task, restore_task
from groups.services.reminders import awaited, data_of, pages, tasks_of, tell
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
    task: Task

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.task = make_task(cls.milestone, name="Pour", assigned_to=cls.student, due_date=DUE)

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

    def subject(self, which: str, due: date = DUE, person: User | None = None, n: int = 0) -> str:
        return f"{(person or self.student).pk} {due} {which} {n}"

    def plan(self, count: int, **values: Any) -> list[Task]:
        """Have more tasks of the student due on the day."""
        values = {"assigned_to": self.student, "due_date": DUE, **values}
        return [make_task(self.milestone, name=f"Task {number}", **values) for number in range(count)]

    def ids_told(self) -> list[list[int]]:
        return [notice.data["ids"] for notice in Notice.objects.order_by("pk")]


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

    def test_who_gets_the_task_of_a_day_of_which_they_were_told_has_it_in_another(self) -> None:
        make_task(self.milestone, assigned_to=self.friend, due_date=DUE)
        self.at("2026-12-03T08:00")
        change_task(self.task, by=self.student, values={"assigned_to_id": self.friend.pk})

        self.assertEqual(self.at("2026-12-03T09:00"), [self.subject("before", person=self.friend, n=1)])
        self.assertEqual(self.ids_told()[-1], [self.task.pk])


@override_settings(FRONTEND_BASE_URL="https://hub.example.org")
class HowOftenTests(ReminderCase):
    """Who plans tasks for others writes them no mail by each."""

    def test_all_tasks_of_a_day_are_one_mail_to_each(self) -> None:
        read, write = self.plan(2)
        other = make_task(self.milestone, assigned_to=self.mentor, due_date=DUE)

        self.assertEqual(
            set(self.at("2026-12-04T08:00")), {self.subject("on"), self.subject("on", person=self.mentor)}
        )
        self.assertCountEqual(self.ids_told(), [[self.task.pk, read.pk, write.pk], [other.pk]])
        told = [message.to for message in mail.outbox]
        self.assertCountEqual(told, [[self.student.email], [self.mentor.email]])

    def test_a_hundred_tasks_are_one_mail_whose_subject_none_of_them_words(self) -> None:
        self.plan(99)
        Task.objects.update(name="Your account closes today: sign in at https://evil.test/")
        self.at("2026-12-04T08:00")

        (message,) = mail.outbox
        self.assertEqual(message.subject, "100 tasks are due on Friday, 4 December 2026")
        body = str(message.body)
        self.assertEqual(body.count("evil.test"), 20)
        self.assertIn("and 80 more", body)
        (notice,) = Notice.objects.all()
        self.assertEqual((len(notice.data["tasks"]), len(notice.data["ids"])), (20, 100))
        self.assertEqual(self.at("2026-12-04T08:15"), [])

    def test_what_is_planned_later_in_the_day_is_told_by_two_more_mails_at_most(self) -> None:
        told = [self.at("2026-12-04T08:00")]
        for hour in range(9, 15):
            self.plan(3)
            told.append(self.at(f"2026-12-04T{hour:02}:00"))

        self.assertEqual(
            told, [[self.subject("on")], [self.subject("on", n=1)], [self.subject("on", n=2)], *[[]] * 4]
        )
        self.assertEqual([len(ids) for ids in self.ids_told()], [1, 3, 3])
        self.assertEqual(len(mail.outbox), 3)

    def test_a_task_is_told_once_however_it_is_moved(self) -> None:
        (other,) = self.plan(1)
        self.at("2026-12-04T08:00")
        Task.objects.filter(pk=other.pk).update(due_date=DUE + timedelta(days=1))
        self.assertEqual(self.at("2026-12-04T09:00"), [self.subject("before", DUE + timedelta(days=1))])

        Task.objects.filter(pk=other.pk).update(due_date=DUE)
        self.plan(1)
        self.assertEqual(self.at("2026-12-04T10:00"), [self.subject("on", n=1)])

        self.assertNotIn(other.pk, self.ids_told()[-1])
        self.assertEqual(self.at("2026-12-04T11:00"), [])


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
        for people in (0, 13):
            for _ in range(people):
                person = make_user()
                milestone = make_milestone(make_group(members=[person]))
                live_in(person, "America/Sao_Paulo")
                for _ in range(3):
                    make_task(milestone, assigned_to=person, due_date=DUE)
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
    def told(self, person: User | None = None, *more: Task) -> Told:
        found = awaited(Task.objects.filter(pk__in=[one.pk for one in (self.task, *more)]).order_by("pk"))
        return Told(person or self.student, data_of(DUE, found), Reader("en"))

    def mail(self, person: User | None = None, *more: Task) -> Letter | None:
        return TASK_DUE.letter(self.told(person, *more))

    def test_it_names_the_day_since_it_may_be_read_later(self) -> None:
        Task.objects.update(name="Pour\nslowly")
        told = self.told()
        with self.assertNumQueries(0):
            letter = TASK_DUE.write(told)

        self.assertEqual(letter.subject, "1 task is due on Friday, 4 December 2026")
        self.assertEqual(letter.opening, "This open task of yours is due on Friday, 4 December 2026.")
        self.assertEqual(letter.link, "https://hub.example.org/#/groups/BTF046")
        self.assertEqual(
            letter.lines,
            (Line("Pour slowly (group: Biofilm Busters)", "https://hub.example.org/#/groups/BTF046"),),
        )

    def test_each_task_has_its_own_group(self) -> None:
        other = make_group(id="BTF047", name="Agar Art", members=[self.student])
        task = make_task(make_milestone(other), name="Read", assigned_to=self.student, due_date=DUE)
        letter = TASK_DUE.write(self.told(None, task))

        self.assertEqual(
            [(line.text, line.link.rpartition("/")[2]) for line in letter.lines],
            [("Pour (group: Biofilm Busters)", "BTF046"), ("Read (group: Agar Art)", "BTF047")],
        )

    def test_of_many_twenty_are_named_and_the_rest_counted(self) -> None:
        letter = TASK_DUE.write(self.told(None, *self.plan(24)))

        self.assertEqual((len(letter.lines), letter.lines[-1].text), (21, "and 5 more"))
        self.assertEqual(letter.subject, "25 tasks are due on Friday, 4 December 2026")

    def test_its_day_is_in_the_language_of_its_reader(self) -> None:
        told = self.told()
        letter = TASK_DUE.write(Told(told.person, told.data, Reader("pt-br")))

        self.assertIn("sexta-feira, 4 de dezembro de 2026", letter.opening)

    def test_the_mail_says_what_the_task_is_called_when_it_leaves(self) -> None:
        told = self.told()
        Task.objects.update(name="Pour again")
        with self.assertNumQueries(1):
            letter = TASK_DUE.letter(told)

        assert letter
        self.assertTrue(letter.lines[0].text.startswith("Pour again "))

    def test_the_mail_has_those_alone_that_are_still_so_when_it_leaves(self) -> None:
        done, moved, *rest = tasks = self.plan(22)
        told = self.told(None, *tasks)
        Task.objects.filter(pk=done.pk).update(completed=True)
        Task.objects.filter(pk=moved.pk).update(due_date=DUE + timedelta(days=1))
        with self.assertNumQueries(1):
            letter = TASK_DUE.letter(told)

        assert letter
        self.assertEqual(letter.subject, "21 tasks are due on Friday, 4 December 2026")
        names = [line.text.partition(" (")[0] for line in letter.lines]
        self.assertEqual(names, ["Pour", *(task.name for task in rest[:19]), "and 1 more"])

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
        people = [make_user() for _ in range(12)]
        milestone = make_milestone(make_group(members=people))
        for number in range(36):
            make_task(milestone, assigned_to=people[number % 12], due_date=DUE)

        with time_machine.travel(datetime(2026, 12, 4, 12, tzinfo=ZoneInfo("UTC"))):
            results = self.meet(*[remind_of_tasks] * 4)

        self.assertEqual(sum(result["reminders"] for result in results), 12)
        self.assertEqual((Notice.objects.count(), Delivery.objects.count(), len(mail.outbox)), (12, 12, 12))
        told = [task for notice in Notice.objects.all() for task in notice.data["ids"]]
        self.assertEqual((len(told), len(set(told))), (36, 36))

    def test_two_that_have_read_the_same_write_one_notice_and_a_third_the_next(self) -> None:
        person = make_user()
        milestone = make_milestone(make_group(members=[person]))
        first = make_task(milestone, assigned_to=person, due_date=DUE)
        read = Barrier(2)
        results: list[dict[str, int]] = []

        def slow_tell(*args: Any, **more: Any) -> bool:
            read.wait(timeout=10)
            return tell(*args, **more)

        with time_machine.travel(datetime(2026, 12, 4, 12, tzinfo=ZoneInfo("UTC"))):
            with patch.object(reminders, "tell", slow_tell):
                results += self.meet(remind_of_tasks, remind_of_tasks)
            second = make_task(milestone, assigned_to=person, due_date=DUE)
            results.append(remind_of_tasks())

        self.assertEqual([sum(one["reminders"] for one in results[:2]), results[2]["reminders"]], [1, 1])
        told = [notice.data["ids"] for notice in Notice.objects.order_by("pk")]
        self.assertEqual(told, [[first.pk], [second.pk]])


@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class PlanTests(TestCase):
    def test_the_tasks_of_a_day_are_found_by_their_index(self) -> None:
        people = User.objects.bulk_create(User(username=f"{n}", email=f"{n}@x.org") for n in range(200))
        milestone = make_milestone(make_group())
        GroupMember.objects.bulk_create(GroupMember(group=milestone.group, user=one) for one in people)
        Task.objects.bulk_create(
            Task(
                milestone=milestone,
                name="x",
                assigned_to=people[n % 200],
                due_date=DUE + timedelta(days=n % 300),
            )
            for n in range(6_000)
        )
        count_rows_anew(Task, User)
        with CaptureQueriesContext(connection) as captured:
            (page,) = pages(DUE)
            tasks_of(page, DUE)

        self.assertIn("task_due", plan_of(captured[0]["sql"]))
        self.assertRegex(plan_of(captured[-1]["sql"]), "task_(due|by_assignee)")
