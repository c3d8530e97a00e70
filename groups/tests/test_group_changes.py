"""``PATCH /api/groups/{gid}/``: name, track, status and mentor (additions, CONTRACT D14, D29)."""

from __future__ import annotations

from typing import Any

from core.models import AuditEvent
from groups.models import GroupMember, PastMember
from groups.tests.cases import GroupCase, call, url
from groups.tests.factories import make_group, make_milestone, make_task
from users.models import User
from users.tests.factories import make_user


class ChangeCase(GroupCase):
    def change(self, **body: Any) -> Any:
        return call(self.admin, "patch", url("detail", self.group.pk), body)

    def changed(self, **body: Any) -> dict[str, Any]:
        response = self.change(**body)
        self.assertEqual(response.status_code, 200, response.content)
        document: dict[str, Any] = response.json()
        return document


class ChangeTests(ChangeCase):
    def test_it_answers_the_whole_document_with_what_was_sent(self) -> None:
        before = self.detail()

        document = self.changed(name=" New ", track="", status="On hold", mentorId=None)

        self.assertEqual(
            document, {**before, "name": "New", "track": "", "status": "On hold", "mentor": None}
        )
        self.assertEqual(self.detail(), document)

    def test_what_is_not_sent_stays(self) -> None:
        before = self.detail()

        self.assertEqual(self.changed(), before)
        self.assertEqual(self.changed(track="Brazil"), {**before, "track": "Brazil"})

    def test_a_blank_status_is_active(self) -> None:
        self.changed(status="On hold")

        self.assertEqual(self.changed(status="")["status"], "active")

    def test_what_is_not_a_groups_to_change_is_ignored(self) -> None:
        before = self.detail()

        self.assertEqual(
            self.changed(id="X", groupId="X", members=[], milestones=[], archived_at="x"), before
        )

    def test_each_bad_field_is_named_and_nothing_is_written(self) -> None:
        before = self.detail()
        bad: dict[str, list[Any]] = {
            "name": ["", None, 5, "x" * 256, "a\0b"],
            "track": [None, 5, "x" * 51],
            "status": [None, 5, "x" * 51],
            "mentorId": ["", "x", 0, 2**63, 2**62, self.student.pk],
        }
        for field, values in bad.items():
            for value in values:
                with self.subTest(field, value=str(value)[:20]):
                    body = {"name": "Half", "track": "half", field: value}
                    self.assert_refused(self.change(**body), 400, field)
        self.assertEqual(self.detail(), before)

    def test_the_audit_names_what_changed_and_tells_no_names_of_groups(self) -> None:
        self.changed(name="Secret", status="On hold", track="AUS-NSW", mentorId=None)

        event = AuditEvent.objects.get(action="group_changed")
        self.assertEqual((event.actor_id, event.object_id), (self.admin.pk, "BTF046"))
        self.assertEqual(
            event.changes,
            {"name": True, "status": True, "mentor_id": [self.mentor.pk, None]},
        )

    def test_the_same_again_writes_nothing(self) -> None:
        for body in ({}, {"name": "Biofilm Busters"}, {"mentorId": self.mentor.pk}, {"status": "active"}):
            self.changed(**body)

        self.assertFalse(AuditEvent.objects.exists())
        self.assertFalse(PastMember.objects.exists())

    def test_put_does_not_exist(self) -> None:
        response = call(self.admin, "put", url("detail", self.group.pk), {"name": "x"})

        self.assertEqual(response.status_code, 405)


class MentorTests(ChangeCase):
    def setUp(self) -> None:
        super().setUp()
        self.successor = make_user(role="mentor", status="active", first_name="Lise", last_name="Meitner")

    def test_the_one_before_loses_access_at_once_and_the_new_one_has_it(self) -> None:
        self.assertEqual((self.sees(self.mentor), self.sees(self.successor)), (True, False))

        self.changed(mentorId=self.successor.pk)

        self.assertEqual((self.sees(self.mentor), self.sees(self.successor)), (False, True))
        response = call(self.mentor, "post", url("create-milestone", self.group.pk), {"title": "x"})
        self.assertEqual(response.status_code, 404)

    def test_the_open_tasks_of_the_one_before_are_nobodys_and_those_done_stay_theirs(self) -> None:
        milestone = make_milestone(self.group)
        done = make_task(milestone, name="done", completed=True, assigned_to=self.mentor)
        open_task = make_task(milestone, name="open", assigned_to=self.mentor)
        other = make_task(milestone, name="student's", assigned_to=self.student)
        elsewhere = make_task(make_milestone(make_group(mentor=self.mentor)), assigned_to=self.mentor)

        self.changed(mentorId=self.successor.pk)

        owners: list[User | None] = []
        for task in (done, open_task, other, elsewhere):
            task.refresh_from_db()
            owners.append(task.assigned_to)
        self.assertEqual(owners, [self.mentor, None, self.student, self.mentor])

    def test_one_who_is_a_member_too_keeps_access_and_tasks(self) -> None:
        GroupMember.objects.create(group=self.group, user=self.mentor, role="mentor")
        task = make_task(make_milestone(self.group), assigned_to=self.mentor)

        self.changed(mentorId=None)

        task.refresh_from_db()
        self.assertEqual((self.sees(self.mentor), task.assigned_to), (True, self.mentor))

    def test_the_record_keeps_who_mentored_from_when_to_when(self) -> None:
        self.changed(mentorId=self.successor.pk)
        self.changed(mentorId=self.mentor.pk)

        first, second = PastMember.objects.order_by("pk")
        self.assertEqual((first.user, first.role, first.joined_at), (self.mentor, "mentor", None))
        self.assertEqual((second.user, second.role), (self.successor, "mentor"))
        assert second.joined_at
        self.assertGreaterEqual(second.joined_at, first.left_at)
        self.assertLess(second.joined_at, second.left_at)

    def test_a_mentor_must_be_active_and_the_one_there_is_may_have_been_suspended_since(self) -> None:
        """B48."""
        User.objects.filter(pk=self.mentor.pk).update(status="inactive")

        self.assertEqual(self.changed(mentorId=self.mentor.pk, name="New")["name"], "New")
        self.changed(mentorId=None)
        self.assert_refused(self.change(mentorId=self.mentor.pk), 400, "mentorId")
