"""A page of a running job in Chromium: it comes up to date by itself, and leaves focus and place alone."""

from __future__ import annotations

from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.conf import settings
from django.test import tag
from django.urls import reverse
from django.utils import timezone

from core.browser_testing import BrowserTestCase, violations
from groups.models import TemplateRun
from groups.tests.factories import make_group
from users.tests.factories import make_superuser

SAID = "document.getElementById('progress-said').textContent"
FOCUSED = "document.activeElement.textContent.trim()"
GROUPS = 12


@tag("browser")
@skipUnless(settings.ON_POSTGRESQL, "SQLite in memory lets nobody write a table while a page reads it.")
class RunningJobTests(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch("core.admin.progress.REFRESH_SECONDS", 1))
        boss = make_superuser()
        self.job = TemplateRun.objects.create(
            template_key=1, template_name="Plan", start_date="2031-02-03", plan=[], started_by=boss
        )
        for _ in range(GROUPS):
            self.job.groups.create(group=make_group())
        self.tab.set_viewport_size({"width": 1280, "height": 500})
        self.come_in_as(boss)
        self.asked: list[str] = []
        self.hear(self.tab, "request", lambda request: self.asked.append(request.url))
        path = reverse("admin:groups_templaterun_change", args=[self.job.pk])
        self.address = self.live_server_url + path
        self.open(path)

    def finish(self, count: int) -> None:
        waiting = list(self.job.groups.filter(state="waiting")[:count])
        self.job.groups.filter(pk__in=[row.pk for row in waiting]).update(state="applied")

    def sees(self, words: str) -> None:
        self.tab.locator("#progress").get_by_text(words, exact=True).wait_for()

    def looked(self) -> int:
        return self.asked.count(self.address)

    def test_it_comes_up_to_date_in_place_and_stops_when_it_is_done(self) -> None:
        tab: Any = self.tab
        self.assertEqual(violations(tab), [])
        self.sees(f"0 of {GROUPS}")
        tab.evaluate("window.isTheSame = true; window.scrollTo(0, 300)")
        link = tab.get_by_role("link", name="Look again")
        link.evaluate("element => element.focus({preventScroll: true})")
        place = tab.evaluate("window.scrollY")

        self.finish(3)
        self.sees(f"3 of {GROUPS}")

        self.assertEqual(tab.evaluate(SAID), f"Groups done: 3 of {GROUPS}")
        self.assertEqual(tab.get_attribute("#progress-said", "aria-live"), "polite")
        self.assertEqual(tab.evaluate(FOCUSED), "Look again")
        self.assertGreater(place, 0)
        self.assertEqual(tab.evaluate("window.scrollY"), place)

        self.finish(GROUPS)
        TemplateRun.objects.update(finished_at=timezone.now())
        self.sees(f"{GROUPS} of {GROUPS}")
        tab.get_by_text("Look again").wait_for(state="detached")
        tab.locator(".field-row", has_text="Groups that got it").get_by_text(
            f"{GROUPS}", exact=True
        ).wait_for()
        looked = self.looked()
        tab.wait_for_timeout(1500)
        self.assertEqual(self.looked(), looked)
        self.assertTrue(tab.evaluate("window.isTheSame"))
        self.assertEqual(violations(tab), [])

    def test_whoever_is_signed_out_meanwhile_is_told_that_it_has_stopped(self) -> None:
        self.tab.context.clear_cookies()

        self.tab.get_by_text("This page does not look again any more: load it anew.").wait_for()
