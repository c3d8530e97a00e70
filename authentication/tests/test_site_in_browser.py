"""Chromium at the door of the admin site: by keyboard alone, on a phone, and as a screen reader has it."""

from __future__ import annotations

from django.core import mail
from django.test import override_settings, tag
from django.urls import reverse

from authentication.tests.at_site import ASK, CONFIRM, DESK, site_mail
from core.browser_testing import BrowserTestCase, violations
from core.models import AuditEvent
from users.models import User
from users.tests.factories import make_superuser, make_user

PHONE = {"width": 360, "height": 740}


@tag("browser")
@override_settings(MAGIC_LINK_PER_ADDRESS="")
class DoorInChromiumTests(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        # The mail is written in this process: its links are to find this server.
        self.enterContext(override_settings(PUBLIC_BASE_URL=self.live_server_url))
        self.tab.set_viewport_size(PHONE)
        self.told: list[str] = []
        self.hear(self.tab, "console", lambda message: self.told.append(message.text))

    def check(self) -> None:
        """Nothing scrolls sideways, and axe has nothing to say."""
        self.assertEqual(self.tab.evaluate("document.documentElement.scrollWidth"), PHONE["width"])
        self.assertEqual(violations(self.tab), [])

    def press(self, *keys: str) -> None:
        for key in keys:
            self.tab.keyboard.press(key)

    def test_somebody_at_the_desk_signs_in_by_code_with_the_keyboard_alone(self) -> None:
        make_user(email=DESK, is_staff=True)
        self.open("/admin/password_change/done/")
        self.check()
        self.tab.locator(":focus[name=email]").wait_for()
        self.tab.keyboard.type(DESK)
        self.press("Enter")
        self.tab.get_by_role("heading", name="Look into your mail").wait_for()
        self.check()
        self.tab.locator(":focus[name=code]").wait_for()
        self.tab.keyboard.type("000000")
        self.press("Enter")
        self.tab.get_by_role("alert").get_by_text("This code is wrong").wait_for()
        self.check()
        self.tab.locator(":focus[name=code]").wait_for()
        self.tab.keyboard.type(site_mail().code)
        self.press("Enter")

        self.tab.wait_for_url("**/admin/password_change/done/")
        self.assertEqual(AuditEvent.objects.filter(action="signed_in").count(), 1)
        self.assertEqual([text for text in self.told if "Security Policy" in text], [])

    def test_the_link_of_the_mail_signs_in_by_its_button(self) -> None:
        make_user(email=DESK, is_staff=True)
        self.open(ASK)
        self.tab.get_by_label("E-mail address").fill(DESK)
        self.tab.get_by_role("button", name="Send me a link and a code").click()
        self.tab.get_by_role("heading", name="Look into your mail").wait_for()
        token = site_mail().token
        asked: list[str] = []
        self.hear(self.tab, "request", lambda request: asked.append(str(request.headers.get("referer", ""))))

        self.open(f"/admin/sign-in/?token={token}")
        self.check()
        self.tab.get_by_role("button", name="Sign in").click()

        self.tab.wait_for_url("**/admin/")
        self.assertEqual(AuditEvent.objects.filter(action="signed_in").count(), 1)
        self.assertEqual([text for text in asked if token in text], [])

    def test_a_stale_proof_is_renewed_before_somebody_is_deleted(self) -> None:
        make_superuser(email=DESK, password="correct horse battery")
        gone = make_user(email="gone@example.org")
        self.open("/admin/login/password/")
        self.check()
        self.tab.get_by_label("E-mail address").fill(DESK)
        self.tab.get_by_label("Password").fill("correct horse battery")
        self.press("Enter")
        self.tab.wait_for_url("**/admin/")
        with override_settings(ADMIN_PROOF_MINUTES=0):
            self.open(reverse("admin:users_user_delete", args=[gone.pk]))
            self.tab.wait_for_url(f"**{CONFIRM}?next=*")
        self.check()
        self.tab.get_by_role("button", name="Send me a code").click()
        self.tab.get_by_label("Six-digit code").fill(site_mail().code)
        self.check()
        self.tab.get_by_role("button", name="Confirm", exact=True).click()
        self.tab.wait_for_url("**/delete/")
        self.tab.get_by_role("button", name="Yes, I").click()
        self.tab.wait_for_url("**/admin/users/user/")

        self.assertFalse(User.objects.filter(pk=gone.pk).exists())
        self.assertEqual(len(mail.outbox), 1)
