"""``GET /api/groups/{gid}/``: the whole document (CONTRACT 7.3)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from chat.tests.factories import make_message
from groups.models import GroupMember, Milestone, Task
from groups.tests.cases import GroupCase, call
from groups.tests.factories import make_group, make_milestone, make_task


class DetailTests(GroupCase):
    def test_it_is_the_whole_document(self) -> None:
        milestone = make_milestone(self.group, title="Grow", description="On agar.", due_date="2031-04-05")
        task = make_task(milestone, name="Pour", due_date="2020-01-02", assigned_to=self.student)

        document = self.detail(self.mentor)

        progress = document.pop("progress")
        self.assertEqual(
            document,
            {
                "id": "BTF046",
                "name": "Biofilm Busters",
                "status": "active",
                "track": "AUS-NSW",
                "mentor": {"id": self.mentor.pk, "name": "Max Planck"},
                "members": [
                    {"id": self.student.pk, "name": "Ada Lovelace", "role": "student"},
                    {"id": self.friend.pk, "name": f"Student {self.friend.pk}", "role": "student"},
                ],
                "milestones": [
                    {
                        "id": milestone.pk,
                        "title": "Grow",
                        "description": "On agar.",
                        "order_index": 1,
                        "dueDate": "2031-04-05",
                        "tasks": [
                            {
                                "id": task.pk,
                                "name": "Pour",
                                "completed": False,
                                "assignedTo": {"id": self.student.pk, "name": "Ada Lovelace"},
                                "dueDate": "2020-01-02",
                            }
                        ],
                    }
                ],
            },
        )
        self.assertEqual(list(progress.values())[:3], [1, 0, 1])

    def test_a_group_without_anything_has_empty_lists_and_null(self) -> None:
        document = self.detail(group=make_group())

        self.assertEqual((document["members"], document["milestones"], document["mentor"]), ([], [], None))

    def test_an_address_is_read_by_its_owner_and_by_admins_alone(self) -> None:
        for who, name in ((self.admin, self.friend.email), (self.friend, self.friend.email)):
            self.assertEqual(self.detail(who)["members"][1]["name"], name)
        for who in (self.student, self.mentor):
            self.assertNotIn("@", str(self.detail(who)))

    def test_members_come_as_they_joined_milestones_by_place_tasks_by_age(self) -> None:
        GroupMember.objects.filter(user=self.student).update(joined_at=timezone.now())
        places = {"b": 2, "a": 1, "c": 2}
        late, *others = (Milestone(group=self.group, title=t, order_index=o) for t, o in places.items())
        Milestone.objects.bulk_create([late, *others])
        tasks = [make_task(late, name=name) for name in "xyz"]
        Task.objects.filter(pk=tasks[0].pk).update(created_at=timezone.now() + timedelta(hours=1))

        document = self.detail()

        self.assertEqual([row["id"] for row in document["members"]], [self.friend.pk, self.student.pk])
        self.assertEqual([row["title"] for row in document["milestones"]], ["a", "b", "c"])
        self.assertEqual([row["name"] for row in document["milestones"][1]["tasks"]], ["y", "z", "x"])

    def test_an_unknown_or_impossible_id_is_404_and_ids_are_looked_up_as_stored(self) -> None:
        for group_id in ("BTF999", "btf046", "x.y", "a%2Fb", "Team%20A", "-x", "%C3%A9", "x" * 51, "%00"):
            with self.subTest(group_id):
                response = call(self.admin, "get", f"/api/groups/{group_id}/")
                self.assert_refused(response, 404)

    def test_progress_counts_tasks_and_tells_when_something_last_happened(self) -> None:
        milestone = make_milestone(self.group)
        for fields in ({"completed": True}, {"due_date": "2020-01-01"}, {"due_date": timezone.localdate()}):
            make_task(milestone, **fields)
        make_task(milestone, due_date="2020-01-01", removed_at=timezone.now())
        message = make_message(group=self.group, author=self.student)

        self.assertEqual(
            self.detail()["progress"],
            {
                "tasksTotal": 3,
                "tasksDone": 1,
                "tasksOverdue": 1,
                "lastActivityAt": message.created_at.isoformat().replace("+00:00", "Z"),
            },
        )
