"""The page of one person at the admin site, and how they are found."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.testing import context_of
from users.tests.factories import make_link, make_user
from users.tests.test_admin_site import LIST, DeskTestCase, make_staff, page

if TYPE_CHECKING:
    from users.models import User


class FindingTests(DeskTestCase):
    def found(self, text: str) -> list[str]:
        return [person.email for person in context_of(self.client, LIST, {"q": text})["cl"].queryset]

    def test_by_part_of_the_whole_name_or_of_the_address(self) -> None:
        make_user(email="ada@example.org", first_name="Ada", last_name="Lovelace")
        make_user(email="grace@example.org", first_name="Grace", last_name="Hopper")

        for text in ("ada love", "  ADA   Lovelace ", "ada@ex", "lace"):
            with self.subTest(text):
                self.assertEqual(self.found(text), ["ada@example.org"])
        self.assertEqual(self.found("hopper ada"), [])

    def test_choosing_somebody_for_a_link_finds_them_in_the_same_way(self) -> None:
        ada = make_user(first_name="Ada", last_name="Lovelace")
        query = {"app_label": "users", "model_name": "studentsupervisor", "field_name": "student"}

        response = self.client.get(reverse("admin:autocomplete"), {**query, "term": "ada love"})

        self.assertEqual([row["id"] for row in response.json()["results"]], [str(ada.pk)])


class SectionTests(DeskTestCase):
    def tabs(self, person: User) -> list[str]:
        formsets = context_of(self.client, page(person))["inline_admin_formsets"]
        return [str(formset.opts.verbose_name_plural) for formset in formsets]

    def test_a_student_has_supervisors_and_anybody_else_students(self) -> None:
        self.assertIn("supervisors", self.tabs(self.student))
        self.assertNotIn("students", self.tabs(self.student))
        self.assertIn("students", self.tabs(make_user(role="mentor")))

    def test_it_shows_links_groups_and_open_sessions(self) -> None:
        self.student.sessions.create(
            expires_at=timezone.now() + timedelta(days=1), device="Ended", revoked_at=timezone.now()
        )
        link = make_link(self.student, make_user(role="supervisor", first_name="Hedy", last_name="Lamarr"))

        shown = self.client.get(page(self.student))

        self.assertContains(shown, "Hedy Lamarr")
        self.assertContains(shown, reverse("admin:users_studentsupervisor_change", args=[link.pk]))
        self.assertNotContains(shown, "Ended")
        self.assertEqual(self.tabs(self.student)[-2:], ["sessions", "groups"])

    def test_it_costs_the_same_however_much_belongs_to_a_person(self) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                self.client.get(page(self.student))
            return len(captured)

        make_link(self.student, make_user(role="mentor"))
        context_of(self.client, page(self.student))
        few = queries()
        for _ in range(4):
            make_link(self.student, make_user(role="mentor"))
            self.student.sessions.create(expires_at=timezone.now() + timedelta(days=1))

        self.assertEqual(queries(), few)

    def test_saving_it_changes_nothing_that_is_only_looked_at(self) -> None:
        link = make_link(self.student, make_user(role="mentor"))

        self.assertEqual(self.fill_in(self.student, first_name="Ada").status_code, 302)

        link.refresh_from_db()
        self.assertFalse(link.join_permission_granted)
        self.assertEqual(self.student.sessions.filter(revoked_at=None).count(), 1)

    def test_a_desk_sees_the_sections_for_which_it_has_permissions(self) -> None:
        self.assert_tabs(["view_user", "change_user"], [])
        self.assert_tabs(["view_user", "view_studentsupervisor"], ["supervisors"])

    def assert_tabs(self, codenames: list[str], expected: list[str]) -> None:
        clerk = make_user(is_staff=True)
        clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        self.sit_down(clerk)
        self.assertEqual(self.tabs(self.student), expected)

    def test_the_password_is_shown_to_superusers_alone(self) -> None:
        self.assertContains(self.client.get(page(self.student)), "id_password")
        self.sit_down(make_staff())

        self.assertNotContains(self.client.get(page(self.student)), "id_password")
