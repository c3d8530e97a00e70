"""Who may permit whom to join, and whose word counts (B22, D3; SAFETY B20)."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any
from unittest.mock import patch

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import AuditEvent
from core.refusals import Forbidden
from users.models import JoinPermissionChange, StudentSupervisor, User
from users.services.links import decide_join_permission
from users.tests.factories import make_admin, make_link, make_user


class DecisionTestCase(TestCase):
    people: dict[str, User]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.people = {
            "student": make_user(),
            "adult": make_user(role="supervisor"),
            "admin": make_admin(),
            "stranger": make_user(role="supervisor"),
        }

    def link(self, *decisions: tuple[str, bool]) -> StudentSupervisor:
        """Return a new link after these decisions."""
        StudentSupervisor.objects.all().delete()
        link = make_link(self.people["student"], self.people["adult"])
        for who, granted in decisions:
            link = self.decide(link, who, granted=granted)
        return link

    def decide(self, link: StudentSupervisor, who: str, *, granted: bool) -> StudentSupervisor:
        return decide_join_permission(link, by=self.people[who], granted=granted)

    def history(self, link: StudentSupervisor) -> list[tuple[bool, str]]:
        return list(link.permission_changes.values_list("granted", "capacity"))

    def state(self, link: StudentSupervisor) -> tuple[bool, str, bool]:
        """Return granted, in which capacity, effective (asked both ways)."""
        stored = StudentSupervisor.objects.get(pk=link.pk)
        effective = StudentSupervisor.objects.effective().filter(pk=link.pk).exists()
        self.assertEqual(stored.permission_is_effective, effective)
        return stored.join_permission_granted, stored.granted_capacity, effective


class MatrixTests(DecisionTestCase):
    def test_either_end_and_admins_decide_and_only_an_adults_word_counts(self) -> None:
        """B22."""
        for who, granted in product(("student", "adult", "admin"), (True, False)):
            with self.subTest(who=who, granted=granted):
                before = () if granted else (("adult", True),)
                link = self.decide(self.link(*before), who, granted=granted)

                self.assertEqual(self.state(link), (granted, who, granted and who != "student"))
                self.assertEqual(link.granted_by, self.people[who])
                self.assertEqual(link.join_permission_granted_at is not None, granted)
                self.assertEqual(self.history(link)[-1], (granted, who))

    def test_an_adult_who_has_become_a_student_permits_nothing_any_more(self) -> None:
        """B22, SAFETY B20."""
        adult = make_user(role="supervisor")
        link = make_link(make_user(), adult)
        decide_join_permission(link, by=adult, granted=True)
        self.assertTrue(StudentSupervisor.objects.effective().filter(pk=link.pk).exists())

        User.objects.filter(pk=adult.pk).update(role="student")
        adult.refresh_from_db()
        for granted in (True, False, True):
            link = decide_join_permission(link, by=adult, granted=granted)
            with self.subTest(granted=granted):
                self.assertFalse(link.permission_is_effective)
                self.assertFalse(StudentSupervisor.objects.effective().filter(pk=link.pk).exists())
        self.assertEqual(link.granted_capacity, "student")

    def test_a_stranger_decides_nothing(self) -> None:
        link = self.link()
        for granted in (True, False):
            with self.subTest(granted), self.assertRaises(Forbidden):
                self.decide(link, "stranger", granted=granted)
        self.assertEqual((self.state(link), self.history(link)), ((False, "", False), []))

    def test_the_same_answer_again_writes_nothing(self) -> None:
        for who, granted in product(("student", "adult", "admin"), (True, False)):
            with self.subTest(who=who, granted=granted):
                link = self.link((who, True), (who, granted))
                updated, count = link.updated_at, JoinPermissionChange.objects.count()
                again = self.decide(link, who, granted=granted)

                self.assertEqual((again.updated_at, JoinPermissionChange.objects.count()), (updated, count))

    def test_an_adults_word_makes_a_students_grant_effective(self) -> None:
        """B22: when it was granted stays as it was."""
        for who in ("adult", "admin"):
            with self.subTest(who):
                link = self.link(("student", True))
                since = link.join_permission_granted_at
                confirmed = self.decide(link, who, granted=True)

                self.assertEqual(self.state(confirmed), (True, who, True))
                self.assertEqual(confirmed.join_permission_granted_at, since)
                self.assertEqual(self.history(link), [(True, "student"), (True, who)])

    def test_a_students_word_takes_nothing_from_an_adults_grant(self) -> None:
        link = self.link(("adult", True), ("student", True))

        self.assertEqual((self.state(link), len(self.history(link))), ((True, "adult", True), 1))

    def test_what_an_adult_withdrew_a_student_cannot_make_effective_again(self) -> None:
        """SAFETY B20."""
        link = self.link(("adult", True), ("adult", False), ("student", True))

        self.assertEqual(self.state(link), (True, "student", False))
        self.assertEqual(self.history(link), [(True, "adult"), (False, "adult"), (True, "student")])

    def test_an_admin_at_an_end_of_the_link_decides_as_that_end(self) -> None:
        admin = self.people["admin"]
        for link, expected in (
            (make_link(admin, self.people["adult"]), (True, "student", False)),
            (make_link(self.people["student"], admin), (True, "adult", True)),
        ):
            with self.subTest(expected):
                self.assertEqual(self.state(self.decide(link, "admin", granted=True)), expected)

    def test_the_profile_flag_grants_nothing(self) -> None:
        """B22: it is self-declared only."""
        link = self.link()
        client = APIClient()
        client.force_authenticate(self.people["student"])
        client.patch(reverse("users:me"), {"profile": {"joinPermissionGranted": True}}, format="json")

        self.assertEqual(self.state(link), (False, "", False))


class TraceTests(DecisionTestCase):
    def test_a_grant_is_dated_and_a_withdrawal_clears_the_date(self) -> None:
        moment = timezone.now() + timedelta(days=1)
        with patch("users.services.links.timezone.now", return_value=moment):
            link = self.link(("adult", True))

        self.assertEqual(link.join_permission_granted_at, moment)
        self.assertIsNone(self.decide(link, "adult", granted=False).join_permission_granted_at)

    def test_each_decision_is_audited_with_its_capacity(self) -> None:
        link = self.link(("student", True), ("adult", True), ("admin", False))

        events = AuditEvent.objects.filter(action="join_permission_decided").order_by("id")
        self.assertEqual(
            [(event.actor_id, event.changes["granted"], event.changes["as"]) for event in events],
            [
                (self.people["student"].pk, True, "student"),
                (self.people["adult"].pk, True, "adult"),
                (self.people["admin"].pk, False, "admin"),
            ],
        )
        self.assertEqual({event.object_id for event in events}, {str(link.pk)})


class OverHttpTests(DecisionTestCase):
    def send(self, link: StudentSupervisor, who: str, *, granted: Any, **extra: Any) -> Any:
        client = APIClient()
        client.force_authenticate(self.people[who])
        extra.setdefault("format", "json")
        url = reverse("users:me-supervisor-detail", args=[link.pk])
        return client.patch(url, {"joinPermissionGranted": granted, "notes": "x"}, **extra)

    def test_either_end_sets_the_flag_and_reads_the_link(self) -> None:
        """D3: accepted on the wire from the student too."""
        for who in ("student", "adult"):
            with self.subTest(who):
                link = self.link()
                body = self.send(link, who, granted=True).json()

                self.assertEqual((body["id"], body["joinPermissionGranted"]), (link.pk, True))
                self.assertRegex(body["joinPermissionGrantedAt"], r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
                self.assertEqual(body["notes"], "")
                self.assertEqual(self.state(link)[1], who)

    def test_withdrawing_clears_the_moment(self) -> None:
        body = self.send(self.link(("adult", True)), "student", granted=False).json()

        self.assertEqual((body["joinPermissionGranted"], body["joinPermissionGrantedAt"]), (False, None))

    def test_a_form_is_taken_too(self) -> None:
        link = self.link()

        self.assertEqual(self.send(link, "student", granted="true", format="multipart").status_code, 200)
        self.assertEqual(self.state(link), (True, "student", False))

    def test_a_form_without_the_flag_withdraws_nothing(self) -> None:
        """CONTRACT 5.4: required. A form's missing truth value is not a no."""
        link, client = self.link(("adult", True)), APIClient()
        client.force_authenticate(self.people["student"])

        response = client.patch(reverse("users:me-supervisor-detail", args=[link.pk]), {"x": "1"})

        self.assertEqual((response.status_code, "joinPermissionGranted" in response.json()), (400, True))
        self.assertEqual(self.state(link), (True, "adult", True))

    def test_nobody_grants_for_somebody_elses_student(self) -> None:
        """SAFETY B20."""
        link = self.link()

        self.assertEqual(self.send(link, "stranger", granted=True).status_code, 404)
        self.assertEqual(self.state(link), (False, "", False))
