"""The reference's defects with groups (CONTRACT 19.3): one named test for each, here or in a file beside."""

from __future__ import annotations

from typing import Any

from core.refusals import Missing
from groups.access import access_group, can_moderate
from groups.models import Group
from groups.tests.cases import GroupCase, call, purge, url
from groups.tests.factories import make_milestone, make_task
from users.tests.factories import make_superuser, make_user


class DefectTests(GroupCase):
    def create(self, who: Any = None, **body: Any) -> Any:
        return call(who or self.admin, "post", url("list"), {"name": "Team", **body})

    def test_both_lists_count_the_same_members(self) -> None:
        """B40."""
        counts = [
            call(self.student, "get", url(name)).json()["groups"][0]["members"]
            for name in ("list", "my-groups")
        ]

        self.assertEqual(counts, [2, 2])

    def test_a_new_group_never_gets_the_id_or_the_room_of_an_old_one(self) -> None:
        """B42: an ex-member of the old group received the new group's messages."""
        old = Group.objects.get(pk=self.create(members=[{"userId": self.outsider.pk}]).json()["id"])
        call(self.admin, "delete", url("detail", old.pk))
        purge()

        new = Group.objects.get(pk=self.create().json()["id"])

        self.assertNotEqual((new.pk, new.room), (old.pk, old.room))
        self.assertEqual(self.create(groupId=old.pk).status_code, 400)
        self.assertFalse(self.sees(self.outsider, new))

    def test_no_group_is_made_that_could_not_be_reached_or_deleted(self) -> None:
        """B43."""
        for group_id in ("x.y", "a/b c", "my-groups", "Team A"):
            with self.subTest(group_id):
                self.assert_refused(self.create(groupId=group_id), 400, "groupId")

    def test_an_id_that_is_no_number_is_404(self) -> None:
        """B45: the whole walk is in ``test_nested_ids``."""
        for path in ("milestones/x/", "tasks/x/"):
            for method in ("put", "delete"):
                self.assert_refused(call(self.student, method, f"/api/groups/BTF046/{path}"), 404)

    def test_plan_and_document_have_one_policy(self) -> None:
        """B46: who may not see the group may not touch its plan, and the other way round."""
        task = make_task(make_milestone(self.group))
        people = [self.admin, self.mentor, self.student, self.outsider, make_user(is_staff=True)]
        people += [make_superuser(), make_user(role="supervisor"), make_user(role="mentor", status="active")]
        for who in people:
            with self.subTest(who.role, staff=who.is_staff):
                response = call(who, "put", url("update-task", "BTF046", task.pk), {"completed": True})
                self.assertEqual(response.status_code, 200 if self.sees(who) else 404)

    def test_a_supervisor_without_students_here_reads_writes_and_moderates_nothing(self) -> None:
        """B47."""
        stranger = make_user(role="supervisor", status="active")

        self.assertEqual(call(stranger, "get", url("list")).json(), {"groups": []})
        self.assertFalse(self.sees(stranger))
        self.assert_refused(call(stranger, "post", url("create-milestone", "BTF046"), {"title": "Mine"}), 404)
        # Whether somebody moderates is asked of a group that they were let into, and of no other.
        self.assertRaises(Missing, access_group, stranger, "BTF046")

    def test_nobody_becomes_a_mentor_or_moderates_who_is_a_student(self) -> None:
        """B48."""
        self.assert_refused(self.create(mentorId=self.student.pk), 400, "mentorId")
        self.assert_refused(
            self.create(members=[{"userId": self.student.pk, "role": "admin"}]), 400, "members"
        )
        self.assert_refused(self.create(members=[]), 400, "members")

        Group.objects.update(mentor=self.outsider)
        self.assertFalse(can_moderate(self.outsider, Group.objects.get()))

    def test_one_predicate_says_who_is_an_admin(self) -> None:
        """B49: a superuser sees and deletes what they made; staff alone makes nothing."""
        superuser = make_superuser()
        group = Group(pk=self.create(superuser).json()["id"])

        self.assertTrue(self.sees(superuser, group))
        self.assertEqual(call(superuser, "delete", url("detail", group.pk)).status_code, 204)
        self.assertEqual(self.create(make_user(is_staff=True)).status_code, 403)

    def test_lists_load_no_members_milestones_or_tasks(self) -> None:
        """B50: they count in the database."""
        make_task(make_milestone(self.group))
        for name, queries in (("list", 1), ("my-groups", 3)):
            with self.subTest(name), self.assertNumQueries(queries):
                call(self.student, "get", url(name))
