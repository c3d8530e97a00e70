"""Chromium opens our pages: they break no content security policy, and nothing smuggled in runs (B40)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.contrib import admin
from django.test import tag
from django.urls import reverse

from announcements.models import Announcement
from announcements.tests.factories import make_announcement
from btf_backend.tests.policed import PolicedCase
from btf_backend.tests.test_admin_site import MAKERS, page
from core.browser_testing import violations
from core.notifications.unsubscribe import unsubscribe_link
from users.models import StudentSupervisor
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Iterator


@tag("browser")
class PoliciesInChromiumTests(PolicedCase):
    def admin_pages(self) -> Iterator[str]:
        yield from ("/admin/", reverse("admin:password_change"), "/admin/core/")
        for model in admin.site._registry:
            row = MAKERS[model](1)
            yield page(model, "changelist")
            for name in ("change", "delete", "history"):
                yield page(model, name, row.pk)
            yield page(model, "add")

    @tag("walk")
    def test_no_page_of_the_admin_site_breaks_its_policy_or_shuts_somebody_out(self) -> None:
        """Nor does axe-core find in one what keeps somebody from using it."""
        opened = 0
        for path in self.admin_pages():
            with self.subTest(path):
                status = self.open(path).status

                opened += status == 200
                self.assertIn(status, {200, 403})
                self.assertEqual([told for told in self.broken() if "403" not in told], [])
                self.assertEqual(violations(self.tab), [])
        self.assertGreater(opened, 3 * len(MAKERS))

    def test_the_sign_in_and_the_signing_out_break_none(self) -> None:
        self.context.clear_cookies()
        for path in ("/admin/login/?next=/admin/", "/admin/logout/", "/nope"):
            with self.subTest(path):
                self.open(path)

                self.assertEqual([told for told in self.broken() if "40" not in told], [])

    def test_dates_are_picked_and_people_found_and_shown_in_a_window_of_their_own(self) -> None:
        self.open(page(Announcement, "add"))
        self.tab.locator("#calendarlink0").click()
        self.tab.locator("#calendarin0 td a").first.click()
        self.tab.locator("#clocklink0").click()
        self.tab.locator("#clockbox0 a").first.click()
        self.assertRegex(self.tab.locator("#id_publish_at_0").input_value(), r"^\d{4}-\d\d-\d\d$")
        self.open(page(StudentSupervisor, "add"))
        self.tab.locator(".select2-selection").first.click()
        self.tab.locator(".select2-results__option").filter(has_text=self.boss.email).click()
        with self.context.expect_page() as window:
            self.tab.get_by_role("button", name="More", exact=True).first.click()
            self.tab.locator("#view_id_student, #change_id_student").locator("visible=true").first.click()
        window.value.locator("#content-main").wait_for()
        self.assertIn("_popup=1", window.value.url)
        self.assertEqual(self.broken(), [])

    def test_the_mail_of_an_announcement_is_shown_with_its_styles(self) -> None:
        news = make_announcement(content="<script>1</script>")

        self.open(f"{page(Announcement, 'change', news.pk).removesuffix('change/')}mail/")

        sample = self.tab.frame_locator("iframe").locator(".letter")
        self.assertEqual(sample.evaluate("e => getComputedStyle(e).borderRadius"), "12px")
        self.assertEqual(self.broken(), [])

    def test_the_ways_out_of_a_mail_break_none(self) -> None:
        way_out = urlsplit(unsubscribe_link(make_user().pk, "announcement")).path
        for path in (way_out, "/auth/verify?token=x"):
            with self.subTest(path):
                self.open(path)
                self.tab.locator("button").first.wait_for()

                self.assertEqual(self.broken(), [])

    def test_no_page_runs_what_was_smuggled_into_it(self) -> None:
        """Nor does the documentation: ``test_docs_in_browser``."""
        way_out = urlsplit(unsubscribe_link(make_user().pk, "announcement")).path
        for path in ("/admin/", page(Announcement, "add"), way_out, "/nope"):
            with self.subTest(path):
                self.open(path)

                self.assert_nothing_smuggled_runs()
