"""``POST /api/groups/`` (CONTRACT 7.4): what is taken, what is refused and by which name."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from core.models import AuditEvent
from groups.models import Group, GroupMember
from groups.tests.cases import GroupCase, call, url
from users.models import User
from users.tests.factories import make_superuser, make_user

NOBODY = 2**62


class CreateCase(GroupCase):
    def create(self, **body: Any) -> Any:
        return call(self.admin, "post", url("list"), {"name": "Team", **body})

    def created(self, **body: Any) -> dict[str, Any]:
        response = self.create(**body)
        self.assertEqual(response.status_code, 201, response.content)
        document: dict[str, Any] = response.json()
        return document

    def assert_nothing_written(self, field: str, **body: Any) -> None:
        """It is 400, names the field, and leaves no trace: neither group nor member nor audit row."""
        before = (Group.everything.count(), GroupMember.objects.count(), AuditEvent.objects.count())
        self.assert_refused(self.create(**body), 400, field)
        after = (Group.everything.count(), GroupMember.objects.count(), AuditEvent.objects.count())
        self.assertEqual(after, before)


class CreateTests(CreateCase):
    def test_what_the_client_sends_becomes_a_group(self) -> None:
        document = self.created(
            groupId=None,
            name="  Yeast Beasts ",
            track="",
            mentorId=self.mentor.pk,
            members=[{"userId": self.student.pk, "role": "student"}, {"userId": self.outsider.pk}],
        )

        last = document["progress"].pop("lastActivityAt")
        self.assertEqual(last, Group.objects.get(name="Yeast Beasts").created_at.isoformat()[:-6] + "Z")
        self.assertEqual(
            document,
            {
                "id": "BTF001",
                "name": "Yeast Beasts",
                "members": [
                    {"id": self.student.pk, "name": "Ada Lovelace", "role": "student"},
                    {"id": self.outsider.pk, "name": "Eve", "role": "student"},
                ],
                "status": "active",
                "mentor": {"id": self.mentor.pk, "name": "Max Planck"},
                "track": "",
                "milestones": [],
                "progress": {"tasksTotal": 0, "tasksDone": 0, "tasksOverdue": 0},
            },
        )

    def test_a_name_is_enough(self) -> None:
        document = self.created()

        self.assertEqual(
            [document[key] for key in ("members", "mentor", "track", "status")], [[], None, "", "active"]
        )

    def test_keys_that_nobody_knows_and_that_are_not_written_are_ignored(self) -> None:
        document = self.created(archived_at="2020-01-01", room="x", milestones=[1], progress=5, sortKey="z")

        self.assertEqual(document["milestones"], [])
        self.assertEqual(self.detail(group=Group.objects.get(pk=document["id"])), document)

    def test_a_blank_status_is_active_and_any_other_is_free_text(self) -> None:
        for sent, stored in (("", "active"), ("  ", "active"), ("On hold", "On hold"), ("x" * 50, "x" * 50)):
            with self.subTest(sent):
                self.assertEqual(self.created(status=sent)["status"], stored)

    def test_roles_in_the_group_are_three_and_a_blank_one_is_student(self) -> None:
        for sent, stored in (("", "student"), ("mentor", "mentor"), ("supervisor", "supervisor")):
            with self.subTest(sent):
                document = self.created(members=[{"userId": self.student.pk, "role": sent}])
                self.assertEqual(document["members"][0]["role"], stored)

    def test_a_form_makes_a_group_too(self) -> None:
        """CONTRACT 1.2."""
        client = APIClient()
        client.force_authenticate(self.admin)
        forms: list[dict[str, Any]] = [
            {"data": {"name": "x", "groupId": ""}},
            {"data": "name=x&groupId=", "content_type": "application/x-www-form-urlencoded"},
        ]

        for form in forms:
            document = client.post(url("list"), **form).json()
            self.assertEqual((document["name"], document["members"]), ("x", []))

    def test_it_is_audited_once_with_who_did_it(self) -> None:
        group_id = self.created(members=[{"userId": self.student.pk}])["id"]

        event = AuditEvent.objects.get(action="group_created")
        self.assertEqual((event.actor_id, event.object_type), (self.admin.pk, "groups.group"))
        self.assertEqual((event.object_id, event.changes), (group_id, {"members": 1}))

    def test_whoever_is_no_admin_is_told_so_in_the_envelope(self) -> None:
        for who in (self.student, self.mentor, make_user(role="supervisor"), make_user(is_staff=True)):
            response = call(who, "post", url("list"), {"name": "x"})
            self.assert_refused(response, 403)
            self.assertTrue(response.json()["error"])


class RefusedTests(CreateCase):
    def test_each_bad_field_is_named_and_nothing_is_written(self) -> None:
        bad: dict[str, list[Any]] = {
            "name": ["", "   ", None, 5, ["x"], "x" * 256, "a\0b"],
            "track": [None, 5, "x" * 51, "a\0b", {}],
            "status": [None, 5, "x" * 51, "a\0b"],
            "mentorId": ["", "x", -1, 0, 2**63, 10**40, NOBODY, 1.5, True, [], self.student.pk],
            "groupId": [5, [], {}, True],
        }
        for field, values in bad.items():
            for value in values:
                with self.subTest(field, value=str(value)[:20]):
                    self.assert_nothing_written(field, **{field: value})

    def test_a_name_must_be_sent(self) -> None:
        self.assert_refused(call(self.admin, "post", url("list"), {}), 400, "name")

    def test_a_name_may_have_255_characters(self) -> None:
        self.assertEqual(self.created(name="é" * 255)["name"], "é" * 255)

    def test_bad_members_are_refused_all_together(self) -> None:
        """B48: an empty list, a repeated or unknown person, or a role of one's own."""
        good = {"userId": self.student.pk}
        bad: list[Any] = [[], None, "x", 5, {}, [5], [None], [[]], [{}], [{"role": "student"}]]
        bad += [
            [good, good],
            [good, {"userId": NOBODY}],
            [{"userId": -1}],
            [{"userId": 10**40}],
            [good] * 501,
        ]
        bad += [[{**good, "role": role}] for role in ("admin", "Student", "owner", None, 5, "x" * 21)]
        for members in bad:
            with self.subTest(members=str(members)[:60]):
                self.assert_nothing_written("members", members=members)

    def test_who_does_not_fit_is_named_in_the_sentence(self) -> None:
        response = self.create(members=[{"userId": self.student.pk}, {"userId": NOBODY}])

        self.assertIn(str(NOBODY), response.json()["members"][0])


class MentorTests(CreateCase):
    def test_a_mentor_is_an_active_mentor_supervisor_or_admin(self) -> None:
        """B48: walked over every role and status."""
        for role in ("student", "mentor", "supervisor", "admin"):
            for status in User.Status.values:
                person = make_user(role=role, status=status)
                fits = role != "student" and status == "active"
                with self.subTest(role=role, status=status):
                    if fits:
                        self.assertEqual(self.created(mentorId=person.pk)["mentor"]["id"], person.pk)
                    else:
                        self.assert_nothing_written("mentorId", mentorId=person.pk)

    def test_an_account_that_is_switched_off_is_no_mentor(self) -> None:
        person = make_user(role="mentor", status="active", is_active=False)

        self.assert_nothing_written("mentorId", mentorId=person.pk)

    def test_staff_alone_is_no_mentor_and_a_superuser_may_be_one(self) -> None:
        staff, superuser = make_user(is_staff=True, status="active"), make_superuser()

        self.assert_nothing_written("mentorId", mentorId=staff.pk)
        self.assertEqual(self.created(mentorId=superuser.pk)["mentor"]["id"], superuser.pk)

    def test_the_mentor_need_not_be_a_member_and_may_be(self) -> None:
        document = self.created(
            mentorId=self.mentor.pk, members=[{"userId": self.mentor.pk, "role": "mentor"}]
        )

        self.assertEqual([row["id"] for row in document["members"]], [self.mentor.pk])
