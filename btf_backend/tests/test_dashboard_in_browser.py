"""Chromium draws the dashboard: its charts, on a desk and on a phone, for everybody."""

from __future__ import annotations

from typing import Final

from django.test import tag

from btf_backend.tests.test_admin_site import MAKERS
from core.browser_testing import BrowserTestCase, violations
from core.models import AuditEvent, Delivery
from events.models import EventRegistration
from users.tests.factories import make_superuser

# How many of a picture's points are not empty.
INKED: Final = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
    .data.filter((value, place) => place % 4 === 3 && value > 0).length"""


@tag("browser")
class DashboardInChromiumTests(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        for model in (AuditEvent, Delivery, EventRegistration):
            MAKERS[model](0)
        self.come_in_as(make_superuser())

    def test_charts_are_drawn_and_their_numbers_can_be_read_on_every_screen(self) -> None:
        tab, told = self.tab, []
        self.hear(tab.context, "console", lambda message: told.append(message.text))
        self.hear(tab.context, "weberror", lambda error: told.append(str(error.error)))
        for width, scheme in ((1280, "light"), (390, "dark")):
            with self.subTest(width=width, scheme=scheme):
                tab.set_viewport_size({"width": width, "height": 800})
                tab.emulate_media(color_scheme=scheme)
                self.open("/admin/")
                pictures = tab.get_by_role("img", name="week by week")
                self.assertEqual(pictures.count(), 4)
                for place in range(4):
                    self.assertGreater(pictures.nth(place).evaluate(INKED), 100)

                tab.get_by_text("The numbers of New people").focus()
                tab.keyboard.press("Enter")
                tab.get_by_role("columnheader", name="New people").wait_for()

                self.assertEqual(tab.evaluate("document.documentElement.scrollWidth"), width)
                self.assertEqual(violations(tab, ".desk"), [])
        self.assertEqual(told, [])

    def test_an_entry_of_the_work_queue_opens_its_list(self) -> None:
        self.open("/admin/")
        self.tab.get_by_role("link", name="Pending accounts").click()

        self.tab.wait_for_url("**/admin/users/user/?status__exact=pending")
        self.tab.get_by_role("heading", name="people").first.wait_for()
