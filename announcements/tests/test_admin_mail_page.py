"""The page of the admin site from which an announcement is mailed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.core import mail
from django.db import connection
from django.test import Client, tag
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from announcements.models import Announcement
from announcements.tests.cases import MailedNewsCase
from announcements.tests.factories import hours, make_announcement
from core.browser_testing import BrowserTestCase
from core.models import AuditEvent, Delivery
from core.testing import undrawn
from users.models import User
from users.tests.factories import make_admin, make_superuser, make_user

SEND = {"confirmed": "yes"}


def page(news: Announcement, name: str = "mail") -> str:
    return reverse(f"admin:announcements_announcement_{name}", args=[news.pk])


def desk(**fields: Any) -> User:
    """Return somebody who may write announcements at the admin site."""
    person = make_user(is_staff=True, **fields)
    person.user_permissions.add(*Permission.objects.filter(content_type__app_label="announcements"))
    return person


class MailPageTests(MailedNewsCase):
    def setUp(self) -> None:
        super().setUp()
        self.boss = make_superuser()
        self.client.force_login(self.boss)

    def press(self, news: Announcement, **button: str) -> Any:
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post(page(news), button, follow=True)

    def test_the_announcements_page_leads_there(self) -> None:
        news = make_announcement()

        self.assertContains(self.client.get(page(news, "change")), f'href="{page(news)}"')
        self.assertNotContains(self.client.get(reverse("admin:announcements_announcement_add")), "E-mail…")

    def test_it_shows_how_many_get_it_and_how_it_looks(self) -> None:
        self.want(self.student, "off")
        news = make_announcement(title="Poster day", content='Print it in **"A1"**.')

        shown = self.client.get(page(news))

        self.assertContains(shown, "<strong>3</strong> of the 4 people")
        self.assertContains(shown, "Send to 3 people")
        self.assertContains(shown, "Sample: Poster day")
        self.assertContains(shown, f'<iframe sandbox src="{page(news)}sample/"')
        self.assertContains(self.client.get(page(news, "mail_sample")), '<strong>"A1"</strong>')
        self.assertContains(shown, "Print it in **&quot;A1&quot;**.")
        self.assertNotContains(shown, "data-look-again")
        self.assertEqual(Delivery.objects.count(), 0)

    def test_a_test_goes_to_oneself_alone(self) -> None:
        shown = self.press(make_announcement(title="Poster day"), test="x")

        self.assertContains(shown, f"A test is on its way to {self.boss.email}.")
        self.assertEqual(self.addressees(), [self.boss.email])
        self.assertEqual(mail.outbox[0].subject, "[Test] Poster day")

    def test_a_confirmed_press_sends_it_once(self) -> None:
        news = self.published()

        first, again = self.press(news, **SEND), self.press(news, **SEND)

        shown = self.client.get(page(news))
        self.assertContains(first, "The announcement goes by mail.")
        self.assertRegex(shown.content.decode(), r">Sent</th><td[^>]*>4</td>")
        self.assertNotContains(shown, 'name="confirmed"')
        self.assertContains(again, "This announcement is being mailed, or has been.")
        self.assertEqual(len(mail.outbox), 4)
        self.assertEqual(AuditEvent.objects.get(action="announcement_mailed").actor_id, self.boss.pk)

    def test_an_unconfirmed_press_sends_nothing(self) -> None:
        self.assertContains(self.press(self.published()), "tick the box first")

        self.assertEqual(mail.outbox, [])

    def test_it_looks_again_while_mail_has_yet_to_leave(self) -> None:
        news = self.queued()
        self.assertContains(self.client.get(page(news)), 'data-look-again="5"')

        self.send_all()

        self.assertNotContains(self.client.get(page(news)), "data-look-again")

    def test_a_scheduled_one_says_when_and_an_expired_one_that_it_cannot(self) -> None:
        self.assertContains(
            self.client.get(page(make_announcement(publish_at=hours(5)))), "Mail it when it is published ("
        )
        over = make_announcement(expires_at=hours(-1))
        self.assertContains(self.client.get(page(over)), "it cannot be mailed")
        self.assertContains(self.press(over, **SEND), "has expired: it cannot be mailed")

    def test_a_page_of_another_site_cannot_press(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(self.boss)

        self.assertEqual(client.post(page(make_announcement()), SEND).status_code, 403)

    def test_platform_admins_among_the_staff_alone_get_in(self) -> None:
        news = self.published()
        for who, status in (
            (self.admin, 302),  # not of the staff: to the sign-in
            (desk(role="mentor"), 403),
            (make_admin(is_staff=True), 200),
            (desk(role="admin"), 200),
        ):
            with self.subTest(who.role, staff=who.is_staff):
                self.client.force_login(who)
                with undrawn():
                    self.assertEqual(self.client.get(page(news)).status_code, status)
                self.assertEqual(self.client.get(page(news, "mail_sample")).status_code, status)
                if status != 200:
                    self.assertEqual(self.client.post(page(news), SEND).status_code, status)
                    continue
                self.assertContains(self.client.get(page(news, "change")), "E-mail…")
        self.client.force_login(desk(role="mentor"))
        self.assertNotContains(self.client.get(page(news, "change")), "E-mail…")
        self.assertEqual(mail.outbox, [])

    def test_one_that_is_not_there_is_missed(self) -> None:
        news = make_announcement()
        Announcement.objects.all().delete()

        self.assertEqual(self.client.get(page(news)).status_code, 404)

    def test_it_costs_the_same_however_many_people_there_are(self) -> None:
        costs = []
        news = make_announcement()
        for number in (0, 200):
            User.objects.bulk_create(User(username=f"p{n}", email=f"p{n}@example.org") for n in range(number))
            with CaptureQueriesContext(connection) as queries:
                self.client.get(page(news))
            costs.append(len(queries))

        self.assertEqual(costs[0], costs[1])


@tag("browser")
class MailPageInBrowserTests(BrowserTestCase):
    def test_an_admin_reads_the_sample_tries_it_and_sends_it(self) -> None:
        boss = make_superuser()
        make_user()
        news = make_announcement(title="Poster day", content="<script>parent.document.title = 'x'</script>")
        self.come_in_as(boss)
        tab = self.tab

        self.open(page(news, "change"))
        tab.click("text=E-mail…")
        sample = tab.frame_locator("iframe").locator(".opening")
        self.assertEqual(sample.text_content(), "Short")
        font = sample.evaluate("element => getComputedStyle(element).fontFamily")
        self.assertIn("Roboto", font)

        tab.click("text=Send a test to me")
        tab.wait_for_selector("text=A test is on its way")
        tab.click("text=Send to 2 people")  # the box is not ticked: the browser says so, and sends nothing
        self.assertEqual(len(mail.outbox), 1)
        tab.check("[name=confirmed]")
        tab.click("text=Send to 2 people")
        tab.wait_for_selector("text=How far it has got")

        self.assertEqual(len(mail.outbox), 3)
