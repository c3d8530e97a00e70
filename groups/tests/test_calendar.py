"""What a person's calendar shows of their groups."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import time_machine
from django.utils import timezone

from events.services.feeds import read_feed, renew_feed
from groups.calendar import entries_of
from groups.services.teams import archive_group
from groups.tests.cases import GroupCase
from groups.tests.factories import make_group, make_milestone, make_task

if TYPE_CHECKING:
    from users.models import User


class CalendarTests(GroupCase):
    def titles(self, user: User) -> list[str]:
        return sorted(entry.title for entry in entries_of(user))

    def test_open_tasks_with_a_day_are_there_for_whoever_is_in_the_group_or_mentors_it(self) -> None:
        milestone, day = make_milestone(self.group), date(2031, 4, 5)
        make_task(milestone, name="Pour", due_date=day)
        make_task(milestone, name="done", due_date=day, completed=True)
        make_task(milestone, name="some day")
        make_task(milestone, name="gone", due_date=day, removed_at=timezone.now())
        make_task(make_milestone(self.group, removed_at=timezone.now()), name="gone too", due_date=day)
        make_task(make_milestone(make_group()), name="elsewhere", due_date=day)

        for who in (self.student, self.friend, self.mentor):
            self.assertEqual(self.titles(who), ["Due: Pour"])
        for who in (self.outsider, self.admin):
            self.assertEqual(self.titles(who), [])

        archive_group(self.group, by=self.admin)
        self.assertEqual(self.titles(self.student), [])

    def test_a_task_takes_its_day_and_keeps_its_name(self) -> None:
        task = make_task(make_milestone(self.group), due_date=date(2031, 4, 5))
        (before,) = entries_of(self.student)
        task.name = "Pour again"
        task.save()
        (after,) = entries_of(self.friend)

        self.assertEqual((before.start, before.end), (date(2031, 4, 5), date(2031, 4, 6)))
        self.assertEqual((before.uid, after.title), (after.uid, "Due: Pour again"))
        self.assertGreaterEqual(after.revised_at, before.revised_at)

    def test_it_is_newer_whenever_one_of_its_words_is(self) -> None:
        task = make_task(make_milestone(self.group), due_date=date(2031, 4, 5))
        rows: Any = ((task, "name"), (task.milestone, "title"), (self.group, "name"))
        for number, (row, name) in enumerate(rows, start=1):
            with self.subTest(row), time_machine.travel(task.created_at + timedelta(hours=number)):
                setattr(row, name, "New")
                row.save()
                (entry,) = entries_of(self.student)
                self.assertEqual(entry.revised_at, row.updated_at)
                self.assertEqual(entry.sequence // 3600, number)

    def test_the_feed_holds_them(self) -> None:
        make_task(make_milestone(self.group), name="Pour", due_date=date(2031, 4, 5))
        feed = renew_feed(by=self.student)

        text = read_feed(str(feed.token))

        self.assertIn(b"SUMMARY:Due: Pour\r\n", text)
        self.assertIn(b"DTSTART;VALUE=DATE:20310405\r\n", text)

    def test_it_is_one_query_however_many_there_are(self) -> None:
        milestone = make_milestone(self.group)
        for count in (1, 30):
            for _ in range(count):
                make_task(milestone, due_date=date(2031, 4, 5))
            with self.assertNumQueries(1):
                list(entries_of(self.student))
