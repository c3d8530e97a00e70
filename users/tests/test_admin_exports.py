"""People as CSV from the list of the admin site."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.test import override_settings
from django.urls import reverse

from core.models import AuditEvent
from core.tests.proving import make_stale
from users.models import User
from users.tests.factories import make_user
from users.tests.test_admin_site import LIST, DeskTestCase, make_staff

EXPORT = reverse("admin:users_user_export")


class ExportTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        cache.clear()

    def addresses(self, response: Any) -> list[str]:
        lines = b"".join(response.streaming_content).decode().splitlines()
        return [line.split(",")[2] for line in lines[1:]]

    def recorded(self) -> dict[str, Any]:
        changes: dict[str, Any] = AuditEvent.objects.get(action="people_exported").changes
        return changes

    def test_it_has_whom_the_list_shows_in_its_order_and_is_recorded(self) -> None:
        make_user(email="b@example.org", first_name="Grace", role="mentor", status=User.Status.ACTIVE)
        make_user(email="a@example.org", first_name="Grace", role="mentor", status=User.Status.ACTIVE)
        query = "?role__exact=mentor&q=Grace&is_staff__exact=0&o=2"

        response = self.client.get(EXPORT + query)

        self.assertEqual(self.addresses(response), ["a@example.org", "b@example.org"])
        self.assertRegex(response.headers["Content-Disposition"], r"users-export-\d{8}-\d{6}\.csv")
        told = {"role": "mentor", "search": True, "others": True}
        self.assertEqual(self.recorded(), {"rows": 2, "filter": told})

    def test_the_button_of_the_list_has_its_filters_and_its_count(self) -> None:
        shown = self.client.get(f"{LIST}?status__exact=active&p=1")

        self.assertContains(shown, f'href="{EXPORT}?status__exact=active"')
        self.assertContains(shown, "Export 2 as CSV")

    def test_those_who_are_ticked_alone(self) -> None:
        make_user()
        body = {"action": "export_chosen", "_selected_action": [self.student.pk]}

        response = self.client.post(LIST, body)

        self.assertEqual(self.addresses(response), [self.student.email])
        self.assertEqual(self.recorded(), {"rows": 1, "filter": {"chosen": True}})

    def test_a_stale_proof_is_asked_for_anew_and_leads_back(self) -> None:
        make_stale(self.client)
        body = {"action": "export_chosen", "_selected_action": [self.student.pk]}

        back = self.client.get(f"{EXPORT}?q=Ada").headers["Location"]

        self.assertEqual(back, "/admin/confirm/?next=%2Fadmin%2Fusers%2Fuser%2Fexport%2F%3Fq%3DAda")
        self.assertTrue(self.client.post(LIST, body).headers["Location"].startswith("/admin/confirm/"))
        self.assertFalse(AuditEvent.objects.filter(action="people_exported").exists())

    @override_settings(EXPORTS_PER_USER="1/1h")
    def test_it_shares_the_budget_of_the_api_and_says_when_it_is_used_up(self) -> None:
        self.client.get(EXPORT)

        response = self.client.get(f"{EXPORT}?q=Ada", follow=True)

        self.assertEqual(response.redirect_chain, [(f"{LIST}?q=Ada", 302)])
        self.assertContains(response, "The next export is possible in 60 min.")
        self.assertEqual(AuditEvent.objects.filter(action="people_exported").count(), 1)

    def test_a_filter_that_is_none_leads_back_to_the_list(self) -> None:
        self.assertRedirects(
            self.client.get(f"{EXPORT}?date_joined__year=x"), f"{LIST}?e=1", fetch_redirect_response=False
        )

    def test_it_is_for_platform_admins(self) -> None:
        for staff, status in ((make_staff(), 403), (make_staff(role="admin"), 200)):
            with self.subTest(role=staff.role):
                self.sit_down(staff)
                self.assertEqual(self.client.get(EXPORT).status_code, status)
                self.assertEqual("as CSV" in self.client.get(LIST).content.decode(), status == 200)
