"""Links of students and supervisors at the admin site: several at once."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.admin.confirming import NAMED
from users.models import StudentSupervisor
from users.tests.factories import make_link, make_user
from users.tests.test_admin_site import DeskTestCase

LIST = reverse("admin:users_studentsupervisor_changelist")


class DeletingLinksTests(DeskTestCase):
    def delete(self, **sent: str) -> Any:
        link = StudentSupervisor.objects.order_by("pk").first()
        body = {"action": "delete_selected", "_selected_action": link and link.pk, "select_across": "1"}
        return self.client.post(LIST, {**body, **sent}, follow=True)

    def make(self, count: int) -> None:
        for _ in range(count):
            make_link(make_user(), make_user(role="supervisor"))

    def test_some_are_named_and_all_are_counted(self) -> None:
        self.make(NAMED + 3)

        response = self.delete()

        self.assertContains(response, "<li>and 3 more</li>", html=True)
        self.assertIn(NAMED + 3, dict(response.context["model_count"]).values())

    def test_asking_costs_the_same_for_few_and_for_many(self) -> None:
        costs = []
        self.make(2)
        self.delete()
        for more in (0, 20):
            self.make(more)
            with CaptureQueriesContext(connection) as captured:
                self.delete()
            costs.append(len(captured))

        self.assertEqual(costs[0], costs[1])

    def test_more_than_the_bound_are_refused_in_words_before_and_after_the_question(self) -> None:
        self.make(2)
        for sent in ({}, {"post": "yes"}):
            with self.subTest(sent), patch("core.admin.confirming.MOST_AT_ONCE", 1):
                self.assertContains(self.delete(**sent), "At most 1 at once.")
        self.assertEqual(StudentSupervisor.objects.count(), 2)

    def test_the_confirmed_are_gone(self) -> None:
        self.make(2)

        self.delete(post="yes")

        self.assertFalse(StudentSupervisor.objects.exists())
