"""Links as admins keep them (CONTRACT 6.10; D3; B25, B26)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from core.models import AuditEvent
from users.models import StudentSupervisor, SupervisorProfile, User
from users.services.links import decide_join_permission
from users.tests.factories import make_admin, make_link, make_user

if TYPE_CHECKING:
    from rest_framework.test import APIClient

LIST = reverse("admin_panel:student-supervisors-list")


def page_of(link: StudentSupervisor | int) -> str:
    pk = link if isinstance(link, int) else link.pk
    return reverse("admin_panel:student-supervisors-detail", args=[pk])


class LinkTestCase(TestCase):
    admin: User
    student: User
    adult: User
    client_of_admin: APIClient

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin, cls.student, cls.adult = make_admin(), make_user(), make_user(role="supervisor")
        cls.client_of_admin = signed_in_client(cls.admin)

    def send(self, method: str, url: str, body: Any = None) -> Any:
        return getattr(self.client_of_admin, method)(url, body, format="json")

    def body(self, **fields: Any) -> dict[str, Any]:
        return {
            "studentId": self.student.pk,
            "supervisorId": self.adult.pk,
            "relationshipType": "guardian",
            **fields,
        }


class CreateTests(LinkTestCase):
    def test_it_answers_the_link_with_both_its_ends(self) -> None:
        response = self.send("post", LIST, self.body(notes="aunt"))

        self.assertEqual(response.status_code, 201)
        body = response.json()
        link = StudentSupervisor.objects.get()
        self.assertEqual((body["id"], body["notes"], body["relationshipType"]), (link.pk, "aunt", "guardian"))
        self.assertEqual((body["student"]["id"], body["supervisor"]["id"]), (self.student.pk, self.adult.pk))
        self.assertEqual((body["joinPermissionGranted"], body["joinPermissionGrantedAt"]), (False, None))

    def test_permission_that_an_admin_gives_counts_and_says_who_and_when(self) -> None:
        """B22."""
        body = self.send("post", LIST, self.body(joinPermissionGranted=True)).json()

        link = StudentSupervisor.objects.effective().get()
        self.assertEqual((link.granted_by, link.granted_capacity), (self.admin, "admin"))
        self.assertIsNotNone(body["joinPermissionGrantedAt"])
        self.assertEqual(link.permission_changes.get().decided_by, self.admin)

    def test_who_does_not_fit_is_named(self) -> None:
        mentor, nobody = make_user(role="mentor"), 10**9
        for fields, name in (
            ({"supervisorId": self.student.pk}, "supervisorId"),
            ({"studentId": mentor.pk}, "studentId"),
            ({"supervisorId": make_user().pk}, "supervisorId"),
            ({"studentId": nobody}, "studentId"),
            ({"supervisorId": nobody}, "supervisorId"),
            ({"supervisorId": 10**30}, "supervisorId"),
            ({"studentId": "x"}, "studentId"),
            ({"studentId": None}, "studentId"),
            ({"studentId": self.student.pk + 0.5}, "studentId"),
            ({"studentId": True}, "studentId"),
            ({"studentId": -1}, "studentId"),
            ({"supervisorId": [self.adult.pk]}, "supervisorId"),
            ({"relationshipType": "cousin"}, "relationshipType"),
            ({"joinPermissionGranted": "perhaps"}, "joinPermissionGranted"),
            ({"notes": "x" * 5_001}, "notes"),
        ):
            with self.subTest(fields=str(fields)[:60]):
                response = self.send("post", LIST, self.body(**fields))
                self.assertEqual((response.status_code, name in response.json()), (400, True))
        self.assertFalse(StudentSupervisor.objects.exists())

    def test_mentors_supervisors_and_admins_may_look_after_a_student(self) -> None:
        for role in ("mentor", "supervisor", "admin"):
            with self.subTest(role=role):
                adult = make_user(role=role)
                self.assertEqual(self.send("post", LIST, self.body(supervisorId=adult.pk)).status_code, 201)

    def test_the_same_link_twice_is_refused_and_another_kind_is_not(self) -> None:
        """B25."""
        self.send("post", LIST, self.body())

        self.assertEqual(self.send("post", LIST, self.body()).status_code, 400)
        self.assertEqual(self.send("post", LIST, self.body(relationshipType="mentor")).status_code, 201)


class ChangeTests(LinkTestCase):
    def setUp(self) -> None:
        self.link = make_link(self.student, self.adult, relationship_type="guardian")

    def test_any_field_alone_can_be_changed(self) -> None:
        """B25."""
        for body, expected in (
            ({"notes": "aunt"}, ("guardian", "aunt")),
            ({"relationshipType": "mentor"}, ("mentor", "aunt")),
            ({}, ("mentor", "aunt")),
        ):
            with self.subTest(body=body):
                answer = self.send("patch", page_of(self.link), body)
                self.assertEqual(answer.status_code, 200)
                self.assertEqual((answer.json()["relationshipType"], answer.json()["notes"]), expected)

    def test_ends_that_have_changed_their_role_do_not_block_the_rest(self) -> None:
        """B25."""
        User.objects.filter(pk=self.student.pk).update(role="mentor")

        for body in ({"notes": "aunt"}, {"joinPermissionGranted": True}):
            with self.subTest(body=body):
                self.assertEqual(self.send("patch", page_of(self.link), body).status_code, 200)
        other = make_user(role="supervisor")
        refused = self.send("patch", page_of(self.link), {"supervisorId": other.pk})
        self.assertIn("studentId", refused.json())

    def test_the_same_values_again_record_nothing(self) -> None:
        self.send("put", page_of(self.link), self.body())

        self.assertFalse(AuditEvent.objects.filter(action="link_changed").exists())

    def test_put_needs_all_three(self) -> None:
        answer = self.send("put", page_of(self.link), {"notes": "x"})

        self.assertEqual(answer.status_code, 400)
        self.assertLessEqual({"studentId", "supervisorId", "relationshipType"}, set(answer.json()))
        self.assertEqual(self.send("put", page_of(self.link), self.body(notes="x")).json()["notes"], "x")

    def test_it_cannot_become_one_that_exists(self) -> None:
        """B25."""
        make_link(self.student, self.adult, relationship_type="mentor")

        answer = self.send("patch", page_of(self.link), {"relationshipType": "mentor"})

        self.assertEqual(answer.status_code, 400)
        self.link.refresh_from_db()
        self.assertEqual(self.link.relationship_type, "guardian")

    def test_the_permission_is_given_and_taken_and_stays_where_it_is_not_named(self) -> None:
        given = self.send("patch", page_of(self.link), {"joinPermissionGranted": True}).json()
        kept = self.send("patch", page_of(self.link), {"notes": "x"}).json()
        taken = self.send("patch", page_of(self.link), {"joinPermissionGranted": False}).json()

        self.assertEqual(given["joinPermissionGrantedAt"], kept["joinPermissionGrantedAt"])
        self.assertTrue(kept["joinPermissionGranted"])
        self.assertEqual((taken["joinPermissionGranted"], taken["joinPermissionGrantedAt"]), (False, None))

    def test_what_one_adult_permitted_does_not_pass_to_another(self) -> None:
        decide_join_permission(self.link, by=self.adult, granted=True)
        other = make_user(role="supervisor")

        answer = self.send("patch", page_of(self.link), {"supervisorId": other.pk})

        self.assertEqual((answer.status_code, answer.json()["joinPermissionGranted"]), (200, False))
        self.assertFalse(StudentSupervisor.objects.effective().exists())

    def test_it_is_taken_away(self) -> None:
        self.assertEqual(self.send("delete", page_of(self.link)).status_code, 204)
        self.assertEqual(self.send("get", page_of(self.link)).status_code, 404)

    def test_every_write_is_recorded(self) -> None:
        made = self.send("post", LIST, self.body(relationshipType="mentor")).json()
        self.send("patch", page_of(made["id"]), {"notes": "secret"})
        self.send("delete", page_of(made["id"]))

        events = AuditEvent.objects.filter(object_id=made["id"], object_type="users.studentsupervisor")
        actions = list(events.order_by("id").values_list("action", "changes"))
        self.assertEqual(
            actions, [("link_created", {}), ("link_changed", {"notes": True}), ("link_deleted", {})]
        )


class ListTests(LinkTestCase):
    def ids(self, **query: Any) -> list[int]:
        return [row["id"] for row in self.client_of_admin.get(LIST, query).json()["results"]]

    def test_newest_first_and_narrowed_by_either_end_and_kind(self) -> None:
        first = make_link(self.student, self.adult, relationship_type="guardian")
        second = make_link(make_user(), self.adult, relationship_type="mentor")

        for query, expected in (
            ({}, [second.pk, first.pk]),
            ({"studentId": self.student.pk}, [first.pk]),
            ({"supervisorId": self.adult.pk}, [second.pk, first.pk]),
            ({"supervisorId": self.student.pk}, []),
            ({"relationshipType": "mentor"}, [second.pk]),
            ({"relationshipType": "cousin"}, []),
            ({"studentId": "x"}, [second.pk, first.pk]),
            ({"studentId": "9" * 30}, []),
            ({"studentId": "-1"}, []),
            ({"studentId": "0"}, []),
            ({"studentId": f"{self.student.pk:030}"}, [first.pk]),
            ({"studentId": "1.5"}, [second.pk, first.pk]),
            ({"studentId": "\u0661"}, [second.pk, first.pk]),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.ids(**query), expected)

    def test_it_costs_the_same_for_2_and_for_20_links(self) -> None:
        """B26."""

        def cost() -> int:
            with CaptureQueriesContext(connection) as captured:
                self.assertEqual(self.client_of_admin.get(LIST).status_code, 200)
            return len(captured)

        def add(count: int) -> None:
            for _ in range(count):
                adult = make_user(role="supervisor")
                SupervisorProfile.objects.create(user=adult)
                make_link(make_user(), adult)

        add(2)
        few = cost()
        add(18)
        self.assertEqual(cost(), few)
        self.assertLessEqual(few, 4)
