"""What a person's own data tells of their groups, and what erasing them leaves there."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from groups.models import GroupMember, PastMember, Task
from groups.personal import documents_of
from groups.services.members import remove_member
from groups.services.teams import archive_group, change_group
from groups.tests.cases import GroupCase
from groups.tests.factories import make_group, make_milestone, make_task
from users.services.erasure import erase_person

if TYPE_CHECKING:
    from users.models import User


class OwnDataTests(GroupCase):
    def documents(self, user: User) -> dict[str, Any]:
        return dict(documents_of(user))

    def test_it_tells_where_they_are_what_they_mentor_and_where_they_were(self) -> None:
        joined = GroupMember.objects.create(
            group=make_group(id="B", name="Bee"), user=self.mentor, role="mentor"
        )
        left = PastMember.objects.create(
            group=make_group(id="A", name="Ant"), user=self.mentor, role="student"
        )

        self.assertEqual(
            self.documents(self.mentor)["groups"],
            [
                {"id": "B", "name": "Bee", "role": "mentor", "joinedAt": joined.joined_at},
                {"id": "BTF046", "name": "Biofilm Busters", "role": "mentor", "joinedAt": None},
                {"id": "A", "name": "Ant", "role": "student", "joinedAt": None, "leftAt": left.left_at},
            ],
        )

    def test_it_tells_what_services_wrote_down(self) -> None:
        joined = self.group.members.get(user=self.student).joined_at
        remove_member(self.group, by=self.admin, user_id=self.student.pk)
        change_group(self.group, by=self.admin, values={"mentor_id": None})

        (as_student,) = self.documents(self.student)["groups"]
        (as_mentor,) = self.documents(self.mentor)["groups"]
        self.assertEqual((as_student["role"], as_student["joinedAt"]), ("student", joined))
        self.assertEqual((as_mentor["role"], as_mentor["joinedAt"]), ("mentor", None))
        self.assertLess(joined, as_student["leftAt"])

    def test_what_is_archived_is_still_kept_and_told(self) -> None:
        archive_group(self.group, by=self.admin)

        for who in (self.student, self.mentor):
            self.assertEqual([row["id"] for row in self.documents(who)["groups"]], ["BTF046"])

    def test_it_tells_their_tasks_removed_ones_too_and_nobody_elses(self) -> None:
        milestone = make_milestone(self.group)
        task = make_task(milestone, assigned_to=self.student, due_date=date(2031, 4, 5), completed=True)
        removed = make_task(milestone, assigned_to=self.student, removed_at=timezone.now())
        make_task(milestone, assigned_to=self.friend)

        tasks = self.documents(self.student)["tasks"]

        self.assertEqual([row["id"] for row in tasks], [task.pk, removed.pk])
        self.assertEqual(
            tasks[0],
            {
                "id": task.pk,
                "groupId": "BTF046",
                "milestone": "Grow",
                "name": "Pour",
                "completed": True,
                "dueDate": date(2031, 4, 5),
            },
        )


class ErasedTests(GroupCase):
    def test_the_record_keeps_as_what_and_when_and_not_who(self) -> None:
        GroupMember.objects.create(group=self.group, user=self.mentor, role="mentor")
        task = make_task(make_milestone(self.group), assigned_to=self.mentor, completed=True)

        erase_person(self.mentor, by=self.admin)

        rows = PastMember.objects.filter(group=self.group)
        self.assertEqual(list(rows.values_list("role", "user")), [("mentor", None)] * 2)
        self.assertIsNone(Task.objects.get(pk=task.pk).assigned_to)
        self.assertIsNone(self.detail()["mentor"])

    def test_somebody_who_was_in_no_group_leaves_no_record(self) -> None:
        erase_person(self.outsider, by=self.admin)

        self.assertFalse(PastMember.objects.exists())
