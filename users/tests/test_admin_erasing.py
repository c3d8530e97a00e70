"""The page before an erasure at the admin site: who is erased, by name; what goes along, by number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import Delivery, Notice
from core.testing import context_of
from users.tests.factories import make_link, make_user
from users.tests.test_admin_site import DeskTestCase, make_staff

if TYPE_CHECKING:
    from users.models import User

MANY = 200


class ErasingTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = reverse("admin:users_user_delete", args=[self.student.pk])

    def deliver(self, person: User, number: int) -> None:
        data = {"parts": [], "more": 0}
        before = Notice.objects.count()
        notices = [Notice(kind="daily", subject=f"{before + n}", data=data) for n in range(number)]
        Delivery.objects.bulk_create(
            Delivery(notice=notice, person=person, state="sent")
            for notice in Notice.objects.bulk_create(notices)
        )

    def asked(self) -> tuple[Any, int]:
        with CaptureQueriesContext(connection) as captured:
            response = self.client.get(self.url)
        self.assertEqual(response.status_code, 200)
        return response, len(captured)

    def test_it_counts_what_goes_along_and_names_the_person_alone(self) -> None:
        self.deliver(self.student, 2)
        mentor = make_user(role="mentor", first_name="Hedy", last_name="Lamarr")
        make_link(self.student, mentor)

        response, _ = self.asked()

        context = response.context
        self.assertEqual(context["deleted_objects"], [str(self.student)])
        counts = dict(context["model_count"])
        self.assertEqual((counts["people"], counts["deliveries"]), (1, 2))
        self.assertNotContains(response, "Hedy")
        self.assertFalse(context["perms_lacking"] or context["protected"])

    def test_it_is_as_long_and_costs_as_much_however_much_goes_along(self) -> None:
        self.deliver(self.student, 1)
        context_of(self.client, self.url)
        few, queries = self.asked()
        self.deliver(self.student, MANY)

        many, queries_of_many = self.asked()

        self.assertContains(many, f"{MANY + 1}")
        self.assertLess(abs(len(many.content) - len(few.content)), 100)
        self.assertEqual(queries_of_many, queries)

    def test_several_people_are_named_with_nothing_of_theirs(self) -> None:
        people = [self.student, *(make_user() for _ in range(9))]
        for person in people:
            self.deliver(person, 50)

        response = self.choose("delete_selected", *people)

        self.assertEqual(len(response.context["deletable_objects"][0]), 10)
        self.assertEqual(dict(response.context["model_count"])["deliveries"], 500)

    def test_whoever_may_not_delete_one_of_them_deletes_none(self) -> None:
        self.sit_down(make_staff())

        response = self.choose("delete_selected", self.student, make_staff())

        self.assertTrue(response.context["perms_lacking"])
