"""A reported message at the admin site in Chromium, on a phone: judged by keyboard, read by saying why."""

from __future__ import annotations

from django.test import tag
from django.urls import reverse

from chat.models import Message, TextOpening
from chat.tests.factories import make_message
from core.browser_testing import BrowserTestCase, violations
from users.tests.factories import make_admin, make_user


@tag("browser")
class ReportDeskInBrowserTests(BrowserTestCase):
    def test_an_admin_reads_hides_and_settles(self) -> None:
        message = make_message(text="Meet me behind the lab")
        report = message.reports.create(reporter=make_user(), category="unsafe", note="She is afraid")
        page, faults = self.tab, []
        page.set_viewport_size({"width": 390, "height": 844})
        self.come_in_as(make_admin(is_staff=True))

        self.open(reverse("admin:chat_messagereport_changelist"))
        page.click(f"text=No. {report.pk}")
        page.click("text=more_horiz")
        page.click("text=Open the text…")
        faults += violations(page)
        page.focus("[name=reason]")
        page.keyboard.type("A report of danger")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Meet me behind the lab")
        self.assertEqual(TextOpening.objects.get().reason, "A report of danger")
        faults += violations(page)

        self.open(reverse("admin:chat_messagereport_hide_message", args=[report.pk]))
        faults += violations(page)
        page.fill("[name=note]", "Not here.")
        page.click("text=Hide 1 message")
        page.wait_for_selector("text=Hide: done.")
        self.assertEqual(Message.objects.get().moderation_status, "rejected")
        faults += violations(page)
        self.assertEqual(faults, [])
        wider = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        self.assertFalse(wider)
