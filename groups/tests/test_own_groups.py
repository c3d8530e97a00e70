"""``GET /api/groups/my-groups/`` (CONTRACT 7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from groups.models import GroupMember
from groups.tests.cases import GroupCase, call, url
from groups.tests.factories import make_group, make_milestone, make_task
from users.tests.factories import make_link, make_user

if TYPE_CHECKING:
    from users.models import User


class OwnGroupsTests(GroupCase):
    def rows(self, who: User) -> list[dict[str, Any]]:
        response = call(who, "get", url("my-groups"))
        self.assertEqual((response.status_code, list(response.json())), (200, ["groups"]))
        rows: list[dict[str, Any]] = response.json()["groups"]
        return rows

    def ids(self, who: User) -> list[str]:
        return [row["id"] for row in self.rows(who)]

    def test_a_row_is_a_summary_with_progress(self) -> None:
        make_task(make_milestone(self.group), completed=True)

        row = self.rows(self.student)[0]

        last = row["progress"].pop("lastActivityAt")
        self.assertLess(last, timezone.now().isoformat())
        self.assertEqual(
            row,
            {
                "id": "BTF046",
                "name": "Biofilm Busters",
                "members": 2,
                "status": "active",
                "mentor": {"id": self.mentor.pk, "name": "Max Planck"},
                "track": "AUS-NSW",
                "progress": {"tasksTotal": 1, "tasksDone": 1, "tasksOverdue": 0},
                "unread": 0,
                "lastMessage": None,
            },
        )

    def test_all_members_are_counted_whoever_asks(self) -> None:
        """B40."""
        for who in (self.student, self.friend, self.mentor):
            with self.subTest(who.role):
                self.assertEqual([row["members"] for row in self.rows(who)], [2])

    def test_an_admin_without_memberships_has_none(self) -> None:
        self.assertEqual(self.ids(self.admin), [])

    def test_an_admin_has_those_which_they_are_in_or_mentor(self) -> None:
        make_group(id="B", members=[self.admin])
        make_group(id="A", mentor=self.admin)

        self.assertEqual(self.ids(self.admin), ["A", "B"])

    def test_a_linked_students_group_is_not_ones_own(self) -> None:
        supervisor = make_user(role="supervisor")
        make_link(self.student, supervisor)

        self.assertEqual(self.ids(supervisor), [])
        GroupMember.objects.create(group=self.group, user=supervisor, role="supervisor")
        self.assertEqual(self.ids(supervisor), ["BTF046"])

    def test_member_and_mentor_at_once_is_one_row(self) -> None:
        GroupMember.objects.create(group=self.group, user=self.mentor)

        self.assertEqual(self.ids(self.mentor), ["BTF046"])

    def test_whoever_is_named_as_mentor_has_the_group_whatever_their_role(self) -> None:
        """CONTRACT 7.2. What a student may not do by that is moderate (B48)."""
        group = make_group(mentor=self.student)

        self.assertEqual(self.ids(self.student), ["BTF046", group.pk])

    def test_ids_come_as_people_count(self) -> None:
        for group_id in ("BTF1000", "BTF2"):
            make_group(id=group_id, members=[self.student])

        self.assertEqual(self.ids(self.student), ["BTF2", "BTF046", "BTF1000"])

    def test_archived_groups_are_not_among_them(self) -> None:
        make_group(members=[self.student], archived_at=timezone.now())

        self.assertEqual(self.ids(self.student), ["BTF046"])
