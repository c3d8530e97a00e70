"""The way out of a kind of mail: one click, without a sign-in, for nobody who has not got the mail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar
from unittest.mock import patch
from urllib.parse import urlsplit

from django.core import signing
from django.test import override_settings, tag
from django.urls import reverse
from rest_framework.test import APIClient

from core.browser_testing import BrowserTestCase
from core.models import NotificationChoice
from core.notifications.kinds import Kind, Pace
from core.notifications.unsubscribe import SALT, unsubscribe_link
from core.registry import notification_kinds
from core.tests.telling import KINDS, MailCase, TellingCase, words
from users.tests.factories import make_user

if TYPE_CHECKING:
    from users.models import User

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
FORM = "application/x-www-form-urlencoded"


def path_of(person: User, kind: str = "news") -> str:
    return urlsplit(unsubscribe_link(person.pk, kind)).path


def choices() -> list[tuple[int, str, str]]:
    return list(NotificationChoice.objects.values_list("person", "kind", "pace"))


class UnsubscribeTests(TellingCase):
    user: ClassVar[User]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = make_user(first_name="Zephyrine", email="zephyrine@example.org")

    def setUp(self) -> None:
        super().setUp()
        self.client: Any = APIClient(enforce_csrf_checks=True)
        self.path = path_of(self.user)

    def test_what_scanners_do_changes_nothing(self) -> None:
        for method in ("head", "get", "get", "options"):
            response = getattr(self.client, method)(self.path)
            self.assertEqual((response.status_code, response.cookies), (200, {}))

        self.assertEqual(choices(), [])

    def test_the_page_is_kept_nowhere_and_loads_nothing(self) -> None:
        first, second = (self.client.get(self.path) for _ in range(2))

        self.assertEqual(first["Content-Type"], "text/html; charset=utf-8")
        self.assertEqual(
            [first[name] for name in ("Cache-Control", "Referrer-Policy", "X-Robots-Tag")],
            ["no-store", "no-referrer", "noindex"],
        )
        policy = first["Content-Security-Policy"]
        nonce = re.search(r"style-src 'nonce-([\w-]+)'", policy)
        assert nonce
        self.assertIn(f'<style nonce="{nonce[1]}">', first.content.decode())
        self.assertNotIn(nonce[1], second["Content-Security-Policy"])
        for rule in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"):
            self.assertIn(rule, policy)
        self.assertNotIn("http", first.content.decode())

    def test_a_mail_program_ends_the_mail_with_one_click(self) -> None:
        """RFC 8058, 3.1: without cookies, sign-in or redirects, in either form."""
        bodies: list[dict[str, Any]] = [
            {"data": "List-Unsubscribe=One-Click", "content_type": FORM},
            {"data": ONE_CLICK, "format": "multipart"},
            {"data": b"", "content_type": "text/plain"},
        ]
        for body in bodies:
            with self.subTest(str(body)):
                NotificationChoice.objects.all().delete()
                response = self.client.post(self.path, **body)
                self.assertEqual((response.status_code, response.cookies), (200, {}))
                self.assertIn("You get no more mail of this kind: News.", response.content.decode())
                self.assertEqual(choices(), [(self.user.pk, "news", "off")])

    def test_again_is_harmless_and_changes_a_former_choice(self) -> None:
        self.wish(self.user, news="daily", urgent="daily")
        for _ in range(2):
            self.assertEqual(self.client.post(self.path, ONE_CLICK, format="multipart").status_code, 200)

        self.assertCountEqual(choices(), [(self.user.pk, "news", "off"), (self.user.pk, "urgent", "daily")])

    def test_the_pages_second_button_takes_it_back(self) -> None:
        self.assertNotIn("Get them again", self.client.get(self.path).content.decode())
        self.assertIn("Get them again", self.client.post(self.path).content.decode())

        for _ in range(2):
            response = self.client.post(self.path, "again=yes", content_type=FORM)
            self.assertEqual((response.status_code, response.cookies), (200, {}))
            self.assertIn("You get mail of this kind again: News.", response.content.decode())
            self.assertEqual(choices(), [])

    def test_who_never_ended_it_keeps_their_pace(self) -> None:
        self.wish(self.user, news="daily", urgent="off")

        self.client.post(self.path, "again=yes", content_type=FORM)

        self.assertCountEqual(choices(), [(self.user.pk, "news", "daily"), (self.user.pk, "urgent", "off")])

    def test_what_comes_as_an_exception_comes_at_its_first_pace(self) -> None:
        rare = Kind(name="news", label="x", write=words, paces=(Pace.DAILY, Pace.OFF), usual=Pace.OFF)
        with patch.dict(notification_kinds.entries, news=rare):
            self.client.post(self.path)
            self.client.post(self.path, "again=yes", content_type=FORM)

        self.assertEqual(choices(), [(self.user.pk, "news", "daily")])

    def test_no_other_form_takes_it_back(self) -> None:
        bodies: list[dict[str, Any]] = [
            {"data": {"again": "yes"}, "format": "multipart"},
            {"data": b"again=yes", "content_type": "text/plain"},
            {"data": b"--x", "content_type": "multipart/form-data; boundary=x"},
        ]
        for body in bodies:
            with self.subTest(str(body)):
                self.assertEqual(self.client.post(self.path, **body).status_code, 200)
                self.assertEqual(choices(), [(self.user.pk, "news", "off")])
        self.client.get(self.path + "?again=yes")
        self.assertEqual(choices(), [(self.user.pk, "news", "off")])

    def test_a_token_that_we_have_not_made_is_no_page(self) -> None:
        foreign = signing.dumps([self.user.pk, "news"], salt="another")
        another = path_of(make_user()).removesuffix("/").rpartition("/")[2]
        head, _, signature = self.path.removesuffix("/").rpartition("/")[2].rpartition(":")
        mixed = f"{another.rpartition(':')[0]}:{signature}"
        tokens = [foreign, head, mixed, f"{head}:", "x", "::", "%00", "x" * 4_000]
        tokens += [signing.dumps([self.user.pk, kind], salt=SALT) for kind in ("must", "former")]
        for token in tokens:
            for method in ("get", "post"):
                with self.subTest(token[:40], method=method):
                    response = getattr(self.client, method)(f"/api/notifications/unsubscribe/{token}/")
                    self.assertEqual((response.status_code, response.json()["code"]), (404, "not_found"))
        self.assertEqual(choices(), [])

    def test_it_never_tells_whose_mail_it_was(self) -> None:
        """The pages of a person, of another one and of nobody any more are the same."""
        gone = make_user()
        paths = [self.path, path_of(make_user()), path_of(gone)]
        gone.delete()
        again = {"data": "again=yes", "content_type": FORM}
        for method, body in (("get", {}), ("post", {}), ("post", again)):
            pages = {self.without_nonce(getattr(self.client, method)(path, **body)) for path in paths}
            with self.subTest(f"{method} {body}"):
                self.assertEqual(len(pages), 1)
                self.assertNotRegex(pages.pop().lower(), "zephyrine")
        self.assertNotIn(gone.pk, [person for person, _, _ in choices()])

    @staticmethod
    def without_nonce(response: Any) -> str:
        return re.sub(r'nonce="[\w-]+"', "", response.content.decode())

    def test_it_is_in_the_language_of_whose_mail_it_was(self) -> None:
        self.settings_of(self.user, language="pt-br")

        page = self.client.get(self.path, HTTP_ACCEPT_LANGUAGE="en").content.decode()

        self.assertIn('<html lang="pt-br">', page)
        self.assertNotIn("Do you want", page)

    @override_settings(API_WRITES_PER_USER="1/1d", TRUSTED_PROXY_COUNT=1)
    def test_it_is_never_too_often_and_looks_at_no_token(self) -> None:
        """A big mail provider posts for thousands of people from one address."""
        for _ in range(5):
            response = self.client.post(self.path, HTTP_AUTHORIZATION="Bearer a.b.c", HTTP_ACCEPT="image/png")
            self.assertEqual(response.status_code, 200)

    def test_the_kind_of_the_token_alone_is_ended(self) -> None:
        self.client.post(self.path)
        self.tell(self.user, title="unwanted")
        self.tell(self.user, title="wanted", kind="urgent")

        states = {row.notice.subject: row.state for row in self.user.deliveries.select_related("notice")}
        self.assertEqual(states, {"unwanted": "none", "wanted": "queued"})


@override_settings(PUBLIC_BASE_URL="https://hub.example.org")
class InMailTests(MailCase):
    def test_the_address_in_a_real_mail_ends_it_also_for_what_is_queued(self) -> None:
        ada = make_user()
        self.tell(ada, title="first")
        self.send_all()
        (mail,) = self.taken_of(ada)
        self.tell(ada, title="second")

        self.assertEqual(mail.message["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
        address = str(mail.message["List-Unsubscribe"]).strip("<> ")
        self.assertTrue(address.startswith("https://hub.example.org/api/notifications/unsubscribe/"))
        response = self.client.post(urlsplit(address).path, "List-Unsubscribe=One-Click", content_type=FORM)
        self.send_all()

        self.assertEqual(response.status_code, 200)
        self.assertEqual(len(self.taken_of(ada)), 1)
        self.assertEqual(self.delivery(ada, notice__subject="second").state, "dropped")

    def test_mail_that_nobody_can_switch_off_has_no_way_out(self) -> None:
        ada = make_user()
        self.tell(ada, kind="must")
        self.send_all()

        self.assertIsNone(self.taken_of(ada)[0].message["List-Unsubscribe"])


@tag("browser")
class UnsubscribeInChromiumTests(BrowserTestCase):
    def test_a_click_on_the_button_ends_the_mail(self) -> None:
        kinds = patch.dict(notification_kinds.entries, KINDS)
        kinds.start()
        self.addCleanup(kinds.stop)
        person = make_user()
        page = self.tab
        self.open(reverse("notifications:unsubscribe", args=[token_of(person)]))
        self.assertEqual(choices(), [])

        page.get_by_role("button", name="Unsubscribe").click()
        page.get_by_role("status").wait_for()

        self.assertEqual(choices(), [(person.pk, "news", "off")])

        page.get_by_role("button", name="Get them again").click()
        page.get_by_text("You get mail of this kind again").wait_for()

        self.assertEqual(choices(), [])


def token_of(person: User) -> str:
    return path_of(person).removesuffix("/").rpartition("/")[2]
