"""Chat at the admin site (DESIGN 16): the people in it are minors, so what they said is not on display."""

from django.test import TestCase
from django.urls import reverse

from chat.tests.factories import make_message
from users.tests.factories import make_superuser, make_user


class MessagePageTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(make_superuser())
        self.message = make_message(text="Meet me", moderation_note="Why though")
        self.message.attachments.create(file_url="https://cdn.example.org/plan.pdf", filename="holiday.pdf")
        teller = make_user(email="teller@example.org", first_name="Greta")
        self.report = self.message.reports.create(reporter=teller, category="spam", note="He lies")

    def test_no_page_shows_what_was_said_or_sent(self) -> None:
        pages = [
            reverse("admin:chat_message_changelist"),
            reverse("admin:chat_message_change", args=[self.message.pk]),
            reverse("admin:chat_messagereport_changelist"),
            reverse("admin:chat_messagereport_change", args=[self.report.pk]),
            reverse("admin:groups_group_change", args=[self.message.group_id]),
        ]
        for page in pages:
            response = self.client.get(page)
            for secret in ("Meet me", "Why though", "plan.pdf", "holiday.pdf", "He lies", "Greta", "teller@"):
                with self.subTest(page=page, secret=secret):
                    self.assertNotContains(response, secret)

    def test_nobody_writes_or_deletes_a_message_or_a_report_here(self) -> None:
        for row in (self.message, self.report):
            pages = f"admin:chat_{row._meta.model_name}"
            urls = {name: reverse(f"{pages}_{name}", args=[row.pk]) for name in ("change", "delete")}
            urls["add"] = reverse(f"{pages}_add")
            for name, url in urls.items():
                with self.subTest(pages, name=name):
                    self.assertEqual(self.client.post(url, {"text": "x", "post": "yes"}).status_code, 403)
