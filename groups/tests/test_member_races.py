"""What must hold when people come, go and write while others do (SAFETY B29)."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from threading import Event
from unittest.mock import patch

from core.models import AuditEvent
from core.refusals import Missing
from groups.models import Group, GroupMember, Milestone, NewMember, PastMember, Task
from groups.services.members import add_members, remove_member
from groups.services.plan import add_milestone, add_task, change_task
from groups.services.teams import MentorChanged, archive_group, change_group, restore_group
from groups.tests.cases import url
from groups.tests.factories import make_group, make_milestone, make_task
from groups.tests.racing import RaceCase
from users.services.erasure import erase_person
from users.services.links import unlink
from users.tests.factories import make_admin, make_link, make_superuser, make_user

ROUNDS = 8


class MemberRaces(RaceCase):
    def test_one_person_added_twice_at_once_is_in_once(self) -> None:
        group, student = make_group(), make_user()
        path = url("members", group.pk)

        responses = self.post_at_once([make_admin() for _ in range(4)], path, [{"userId": student.pk}] * 4)

        self.assertEqual(Counter(response.status_code for response in responses), {201: 1, 400: 3})
        self.assertEqual(group.members.count(), 1)

    def test_whoever_is_removed_writes_nothing_afterwards(self) -> None:
        """SAFETY B29: what they write at this moment is there before, or refused."""
        group = make_group()
        milestone = make_milestone(group)
        for _ in range(ROUNDS):
            student = make_user()
            GroupMember.objects.create(group=group, user=student)
            _, added, taken = self.meet(
                partial(remove_member, group, by=self.admin, user_id=student.pk),
                partial(add_milestone, group, by=student, title="x"),
                partial(add_task, milestone, by=student, name="x", assigned_to_id=student.pk),
            )
            left = PastMember.objects.get(user=student).left_at
            for written in (added, taken):
                if not isinstance(written, Missing):
                    self.assertLess(written.created_at, left)
            self.assertFalse(Task.objects.filter(assigned_to=student).exists())

    def test_nobody_is_given_a_task_while_they_leave(self) -> None:
        student = make_user()
        for _ in range(ROUNDS):
            leaver = make_user()
            group = make_group(members=[leaver, student])
            task = make_task(make_milestone(group))
            self.meet(
                partial(remove_member, group, by=self.admin, user_id=leaver.pk),
                partial(change_task, task, by=student, values={"assigned_to_id": leaver.pk}),
            )
            self.assertIsNone(Task.objects.get(pk=task.pk).assigned_to)

    def test_the_same_people_join_two_groups_crosswise(self) -> None:
        admins = [self.admin, make_admin()]
        people = [NewMember(make_user().pk) for _ in range(5)]
        for _ in range(ROUNDS):
            groups = [make_group(), make_group()]
            calls = [
                partial(add_members, groups[n % 2], by=admins[n % 2], members=people[:: (-1) ** n])
                for n in range(4)
            ]
            results = self.meet(*calls)
            self.assertEqual(sum(isinstance(result, Group) for result in results), 2)
            self.assertEqual([group.members.count() for group in groups], [5, 5])

    def test_two_mentors_set_at_once_leave_one_and_a_true_record(self) -> None:
        mentors = [make_user(role="mentor", status="active") for _ in range(3)]
        admins = [self.admin, make_admin()]
        for _ in range(ROUNDS):
            group = make_group(mentor=mentors[2])
            results = self.meet(
                *(
                    partial(change_group, group, by=admins[n], values={"mentor_id": mentors[n].pk})
                    for n in range(2)
                )
            )
            done = [result for result in results if not isinstance(result, MentorChanged)]
            self.assertTrue(done)
            now = Group.objects.get(pk=group.pk).mentor
            before = [mentors[2], *(m for m in mentors[:2] if m != now)]
            record = [row.user for row in group.past_members.order_by("pk")]
            self.assertEqual(record, before[: len(done)])

    def test_a_supervisor_who_loses_the_student_writes_nothing_afterwards(self) -> None:
        supervisor, student = make_user(role="supervisor"), make_user()
        for _ in range(ROUNDS):
            group, link = make_group(members=[student]), make_link(student, supervisor)
            added, *_ = self.meet(
                partial(add_milestone, group, by=supervisor, title="x"),
                partial(unlink, link, by=self.admin),
            )
            unlinked = AuditEvent.objects.filter(action="link_deleted").latest("pk")
            if isinstance(added, Milestone):
                self.assertLess(added.created_at, unlinked.at)


class ErasureRaces(RaceCase):
    """Somebody is erased at the moment in which their place in a group changes."""

    def test_a_mentor_who_is_replaced(self) -> None:
        admins = [self.admin, make_admin()]
        successor = make_user(role="mentor", status="active")
        for _ in range(ROUNDS):
            mentor = make_user(role="mentor", status="active")
            group = make_group(mentor=mentor)
            self.meet(
                partial(erase_person, mentor, by=admins[0]),
                partial(change_group, group, by=admins[1], values={"mentor_id": successor.pk}),
            )
            self.assertEqual(list(group.past_members.values_list("user", "role")), [(None, "mentor")])
            self.assertEqual(Group.objects.get(pk=group.pk).mentor, successor)

    def test_a_member_who_leaves_or_joins_elsewhere(self) -> None:
        admins = [self.admin, make_admin(), make_admin()]
        for _ in range(ROUNDS):
            student = make_user()
            group, other = make_group(members=[student]), make_group()
            self.meet(
                partial(erase_person, student, by=admins[0]),
                partial(remove_member, group, by=admins[1], user_id=student.pk),
                partial(add_members, other, by=admins[2], members=[NewMember(student.pk)]),
            )
            self.assertEqual(list(group.past_members.values_list("user", flat=True)), [None])
            self.assertFalse(GroupMember.objects.filter(group__in=[group, other]).exists())

    def test_a_member_who_writes_and_is_given_a_task(self) -> None:
        friend = make_user()
        for _ in range(ROUNDS):
            student = make_user()
            milestone = make_milestone(make_group(members=[student, friend]))
            self.meet(
                partial(erase_person, student, by=self.admin),
                partial(add_task, milestone, by=student, name="x"),
                partial(add_task, milestone, by=friend, name="y", assigned_to_id=student.pk),
            )
            self.assertEqual(set(milestone.tasks.values_list("assigned_to", flat=True)) - {None}, set())

    def test_a_member_whose_task_is_renamed(self) -> None:
        """What is written back of the task is what was changed, not whose it was."""
        student, friend = make_user(), make_user()
        task = make_task(make_milestone(make_group(members=[student, friend])), assigned_to=student)
        has_read = Event()

        def take_a_while(*args: object) -> None:
            has_read.set()
            time.sleep(0.3)

        def erase() -> None:
            has_read.wait(timeout=5)
            erase_person(student, by=self.admin)

        with patch("groups.services.plan.check_assignee", take_a_while):
            self.meet(partial(change_task, task, by=friend, values={"name": "New"}), erase)

        task.refresh_from_db()
        self.assertEqual((task.name, task.assigned_to), ("New", None))


class ArchiveRaces(RaceCase):
    def test_nothing_is_written_into_a_group_after_it_is_archived(self) -> None:
        student = make_user()
        for _ in range(ROUNDS):
            group = make_group(members=[student])
            _, added = self.meet(
                partial(archive_group, group, by=self.admin),
                partial(add_milestone, group, by=student, title="x"),
            )
            archived = Group.everything.get(pk=group.pk).archived_at
            if isinstance(added, Milestone):
                assert archived
                self.assertLess(added.created_at, archived)
            self.assertEqual(Milestone.objects.filter(group=group).exists(), isinstance(added, Milestone))

    def test_archived_and_restored_by_two_at_once_is_done_once_each(self) -> None:
        admins = [self.admin, make_admin()]
        group = make_group()
        for act in (partial(archive_group, group), partial(restore_group, group.pk)):
            results = self.meet(*(partial(act, by=admin) for admin in admins))
            self.assertEqual(sum(isinstance(result, Missing) for result in results), 1)

    def test_members_mentor_archive_and_plan_at_once_meet_no_deadlock(self) -> None:
        mentor, student = make_user(role="mentor", status="active"), make_user()
        admins = [self.admin, make_admin(), make_superuser()]
        for _ in range(ROUNDS):
            group = make_group(members=[student], mentor=mentor)
            self.meet(
                partial(change_group, group, by=admins[0], values={"mentor_id": admins[1].pk}),
                partial(
                    add_members, group, by=admins[1], members=[NewMember(mentor.pk), NewMember(admins[0].pk)]
                ),
                partial(remove_member, group, by=admins[2], user_id=student.pk),
                partial(add_milestone, group, by=student, title="x"),
                partial(archive_group, group, by=admins[1]),
            )
