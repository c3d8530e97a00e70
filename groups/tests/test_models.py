"""What the tables of groups allow."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.test import TestCase

from groups.models import Group, GroupMember, Milestone, Task
from groups.tests.factories import make_group
from users.tests.factories import make_user

BRISBANE = ZoneInfo("Australia/Brisbane")


class GroupTests(TestCase):
    def test_an_id_is_unique_ignoring_case(self) -> None:
        make_group(id="BTF046")

        with self.assertRaises(IntegrityError):
            make_group(id="btf046")

    def test_an_id_that_urls_or_rooms_cannot_carry_is_refused_by_the_database(self) -> None:
        for bad in ("", "x.y", "a/b", "Team A", "-x", "_x", "é", "BTF1\n", "x" * 51):
            with self.subTest(bad=bad), self.assertRaises(DatabaseError), transaction.atomic():
                make_group(id=bad)

    def test_validation_says_each_rule_about_ids_once(self) -> None:
        make_group(id="BTF046")

        for bad in ("x.y", "btf046"):
            with self.subTest(bad=bad), self.assertRaises(ValidationError) as caught:
                Group(id=bad, name="Team").full_clean()
            self.assertEqual(len(caught.exception.messages), 1)

    def test_it_needs_nothing_but_id_and_name(self) -> None:
        group = Group.objects.create(id="A", name="Team")

        self.assertEqual((group.status, group.track, group.mentor), ("active", "", None))

    def test_a_new_group_of_an_old_id_gets_another_room(self) -> None:
        first = make_group(id="BTF001")
        room = first.room
        first.delete()

        self.assertNotEqual(make_group(id="BTF001").room, room)

    def test_it_loses_its_mentor_but_stays_when_the_mentor_is_deleted(self) -> None:
        mentor = make_user()
        group = make_group(mentor=mentor)

        mentor.delete()

        self.assertIsNone(Group.objects.get(pk=group.pk).mentor)

    def test_a_test_may_say_when_it_was_made(self) -> None:
        long_ago = datetime(2020, 1, 2, tzinfo=BRISBANE)

        self.assertEqual(Group.objects.get(pk=make_group(created_at=long_ago).pk).created_at, long_ago)


class MemberTests(TestCase):
    def test_nobody_is_twice_in_a_group(self) -> None:
        student = make_user()
        group = make_group(members=[student])

        with self.assertRaises(IntegrityError):
            GroupMember.objects.create(group=group, user=student)

    def test_members_come_in_the_order_in_which_they_joined(self) -> None:
        people = [make_user() for _ in range(3)]
        group = make_group(members=people)
        moved = group.members.get(user=people[0])
        moved.joined_at = group.members.get(user=people[2]).joined_at
        moved.save()

        self.assertEqual([member.user for member in group.members.all()], [people[1], people[0], people[2]])


class PlanTests(TestCase):
    def test_milestones_come_by_place_and_tasks_by_age(self) -> None:
        group = make_group()
        second = Milestone.objects.create(group=group, title="B", order_index=2)
        first = Milestone.objects.create(group=group, title="A", order_index=1)
        tasks = [Task.objects.create(milestone=first, name=name) for name in "ab"]

        self.assertEqual(list(group.milestones.all()), [first, second])
        self.assertEqual(list(first.tasks.all()), tasks)

    def test_a_task_outlives_whom_it_was_given_to(self) -> None:
        student = make_user()
        milestone = Milestone.objects.create(group=make_group(), title="A")
        task = Task.objects.create(milestone=milestone, name="Read", assigned_to=student)

        student.delete()

        task.refresh_from_db()
        self.assertIsNone(task.assigned_to)

    def test_everything_goes_with_its_group(self) -> None:
        group = make_group(members=[make_user()])
        Task.objects.create(milestone=Milestone.objects.create(group=group, title="A"), name="Read")

        group.delete()

        self.assertFalse(Task.objects.exists() or Milestone.objects.exists() or GroupMember.objects.exists())
