"""Joining and leaving a group, and the record of who has left (additions, CONTRACT D14, D29)."""

from __future__ import annotations

from functools import partial
from typing import Any

from core.models import AuditEvent
from groups.models import GroupMember, PastMember
from groups.tests.cases import GroupCase, call, url
from groups.tests.factories import make_group, make_milestone, make_task
from users.services.erasure import erase_person
from users.tests.factories import make_link, make_user

NOBODY = 2**62


class MemberCase(GroupCase):
    def add(self, **body: Any) -> Any:
        return call(self.admin, "post", url("members", self.group.pk), body)

    def remove(self, user_id: Any) -> Any:
        return call(self.admin, "delete", url("member", self.group.pk, user_id))

    def members(self) -> list[tuple[int, str]]:
        return [(row["id"], row["role"]) for row in self.detail()["members"]]


class JoinTests(MemberCase):
    def test_one_person_joins_by_id_and_the_whole_group_is_answered(self) -> None:
        response = self.add(userId=self.outsider.pk)

        self.assertEqual((response.status_code, response.json()), (201, self.detail()))
        self.assertEqual(self.members()[-1], (self.outsider.pk, "student"))
        self.assertTrue(self.sees(self.outsider))

    def test_several_join_in_the_order_in_which_they_are_named(self) -> None:
        third = make_user()

        self.add(members=[{"userId": third.pk, "role": "mentor"}, {"userId": self.outsider.pk, "role": ""}])

        self.assertEqual(self.members()[2:], [(third.pk, "mentor"), (self.outsider.pk, "student")])

    def test_all_join_or_none_and_who_does_not_fit_is_named(self) -> None:
        new = {"userId": self.outsider.pk}
        for bad in (self.student.pk, NOBODY):
            with self.subTest(bad):
                response = self.add(members=[new, {"userId": bad}])
                self.assert_refused(response, 400, "members")
                self.assertIn(str(bad), response.json()["error"])
        self.assertEqual(len(self.members()), 2)
        self.assertFalse(AuditEvent.objects.exists())

    def test_one_who_does_not_fit_is_refused_by_the_name_they_were_sent_under(self) -> None:
        for bad in (self.student.pk, NOBODY):
            with self.subTest(bad):
                self.assert_refused(self.add(userId=bad), 400, "userId")

    def test_nonsense_is_400_by_name(self) -> None:
        good = {"userId": self.outsider.pk}
        no_ids: list[Any] = [None, "x", 0, -1, 2**63, 10**40, [], True]
        no_lists: list[Any] = [[], None, "x", [good, good], [5], [{}]]
        bodies: list[tuple[dict[str, Any], str]] = [
            ({}, "userId"),
            ({**good, "members": [good]}, "userId"),
            *(({"userId": value}, "userId") for value in no_ids),
            *(({**good, "role": value}, "role") for value in ("admin", None, 5)),
            *(({"members": value}, "members") for value in no_lists),
            ({"members": [{**good, "role": "admin"}]}, "members"),
        ]
        for body, field in bodies:
            with self.subTest(body=body):
                self.assert_refused(self.add(**body), 400, field)
        self.assertEqual(len(self.members()), 2)

    def test_it_is_audited_by_ids(self) -> None:
        self.add(userId=self.outsider.pk)

        event = AuditEvent.objects.get(action="members_added")
        self.assertEqual((event.actor_id, event.object_id), (self.admin.pk, "BTF046"))
        self.assertEqual(event.changes, {"users": [self.outsider.pk]})


class LeaveTests(MemberCase):
    def test_the_person_is_named_in_the_path_the_query_or_the_body(self) -> None:
        path, members = url("member", self.group.pk, self.student.pk), url("members", self.group.pk)
        whom = {"userId": self.student.pk}
        for send in (
            partial(call, self.admin, "delete", path),
            partial(call, self.admin, "delete", members, whom),
            partial(call, self.admin, "delete", members, **whom),
        ):
            GroupMember.objects.get_or_create(group=self.group, user=self.student)
            response = send()
            self.assertEqual((response.status_code, response.content), (204, b""))
            self.assertFalse(self.sees(self.student))

    def test_access_ends_at_once_in_every_door(self) -> None:
        """SAFETY B29."""
        milestone = make_milestone(self.group)
        task = make_task(milestone, assigned_to=self.student)
        supervisor = make_user(role="supervisor")
        make_link(self.student, supervisor)

        self.remove(self.student.pk)

        for who in (self.student, supervisor):
            self.assertFalse(self.sees(who))
            for response in (
                call(who, "post", url("create-milestone", self.group.pk), {"title": "x"}),
                call(who, "put", url("update-task", self.group.pk, task.pk), {"completed": True}),
                call(who, "get", url("history", self.group.pk)),
            ):
                self.assertEqual(response.status_code, 404)

    def test_open_tasks_are_nobodys_and_those_done_stay_theirs(self) -> None:
        milestone = make_milestone(self.group)
        done = make_task(milestone, completed=True, assigned_to=self.student)
        open_task = make_task(milestone, assigned_to=self.student)

        self.remove(self.student.pk)

        done.refresh_from_db()
        open_task.refresh_from_db()
        self.assertEqual((done.assigned_to, open_task.assigned_to), (self.student, None))

    def test_a_member_who_still_mentors_keeps_access_and_tasks(self) -> None:
        GroupMember.objects.create(group=self.group, user=self.mentor)
        task = make_task(make_milestone(self.group), assigned_to=self.mentor)

        self.remove(self.mentor.pk)

        task.refresh_from_db()
        self.assertEqual((self.sees(self.mentor), task.assigned_to), (True, self.mentor))

    def test_who_is_not_in_it_cannot_leave(self) -> None:
        stranger_to_it = make_group(members=[self.outsider])
        for user_id in (self.outsider.pk, self.mentor.pk, NOBODY):
            with self.subTest(user_id):
                self.assert_refused(self.remove(user_id), 404)
        self.assertEqual(stranger_to_it.members.count(), 1)

    def test_an_id_that_is_none_is_400_by_name_or_no_path(self) -> None:
        for value in ("", "x", "0", "-1", str(2**63), "9" * 40):
            with self.subTest(value):
                response = call(self.admin, "delete", url("members", self.group.pk), None, userId=value)
                self.assert_refused(response, 400, "userId")
                path = f"{url('members', self.group.pk)}{value or 'x'}/"
                self.assertEqual(call(self.admin, "delete", path).status_code, 404)

    def test_it_is_audited_by_ids(self) -> None:
        self.remove(self.student.pk)

        event = AuditEvent.objects.get(action="member_removed")
        self.assertEqual((event.object_id, event.changes), ("BTF046", {"user": self.student.pk}))


class HistoryTests(MemberCase):
    def history(self) -> list[dict[str, Any]]:
        response = call(self.mentor, "get", url("history", self.group.pk))
        self.assertEqual(response.status_code, 200)
        self.assertNotIn(b"@", response.content)
        rows: list[dict[str, Any]] = response.json()["results"]
        return rows

    def test_it_tells_names_and_times_and_nothing_else(self) -> None:
        joined = self.group.members.get(user=self.student).joined_at
        self.remove(self.student.pk)

        (row,) = self.history()

        past = PastMember.objects.get()
        self.assertEqual(
            row,
            {
                "id": past.pk,
                "name": "Ada Lovelace",
                "role": "student",
                "joinedAt": joined.isoformat().replace("+00:00", "Z"),
                "leftAt": past.left_at.isoformat().replace("+00:00", "Z"),
            },
        )

    def test_not_even_an_admin_reads_an_address_there(self) -> None:
        self.remove(self.friend.pk)

        response = call(self.admin, "get", url("history", self.group.pk))

        self.assertEqual(response.json()["results"][0]["name"], f"Student {self.friend.pk}")

    def test_somebody_who_joins_again_is_present_and_past(self) -> None:
        for _ in range(2):
            self.remove(self.student.pk)
            self.assertEqual(self.add(userId=self.student.pk).status_code, 201)

        self.assertTrue(self.sees(self.student))
        self.assertEqual([row["name"] for row in self.history()], ["Ada Lovelace"] * 2)
        self.assertEqual(self.members()[-1], (self.student.pk, "student"))

    def test_the_newest_leave_comes_first(self) -> None:
        self.remove(self.friend.pk)
        self.remove(self.student.pk)

        self.assertEqual(self.history()[0]["name"], "Ada Lovelace")

    def test_somebody_erased_is_a_former_member(self) -> None:
        """CONTRACT D5: whether they had left before, or were there to the last."""
        self.remove(self.student.pk)

        for person in (self.student, self.friend):
            erase_person(person, by=self.admin)

        self.assertEqual([row["name"] for row in self.history()], ["Former member"] * 2)
        self.assertEqual(set(PastMember.objects.values_list("user", flat=True)), {None})
