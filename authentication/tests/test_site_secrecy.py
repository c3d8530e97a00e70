"""The admin site's door tells nobody who works here, and no log what was mailed or typed (B01, B40)."""

from __future__ import annotations

import io
import logging
import re
from typing import Any
from unittest.mock import patch

from django.core.cache import cache
from django.test import Client, override_settings

from authentication.tests.at_site import ASK, CODE, CONFIRM, DESK, LINK, SiteTestCase, site_mail
from authentication.tests.signing_in import wrong
from authentication.tests.test_enumeration import Work
from authentication.tests.test_secrecy import WholeRecord
from core.models import AuditEvent
from core.tests.proving import make_stale
from users.models import User
from users.tests.factories import make_superuser, make_user

SECRET = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')

VARYING = {"X-Request-ID", "Expires"}  # the time of the answer


def seen(response: Any) -> tuple[Any, ...]:
    """Return all that a browser learns from an answer, without what is random in every one."""
    headers = {name: value for name, value in response.headers.items() if name not in VARYING}
    cookies = sorted((name, len(cookie.value)) for name, cookie in response.cookies.items())
    return response.status_code, headers, cookies, SECRET.sub("", response.content.decode())


@override_settings(MAGIC_LINK_PER_ADDRESS="")
class EnumerationTests(SiteTestCase):
    """All addresses here are of one length, so that nothing else differs."""

    addresses: list[str]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        make_user(email="pupil@example.org", status=User.Status.ACTIVE)
        make_user(email="gone1@example.org", is_staff=True, status=User.Status.INACTIVE)
        make_user(email="waits@example.org", is_staff=True, status=User.Status.PENDING)
        make_user(email="staff@example.org", is_staff=True)
        make_superuser(email="chief@example.org")
        names = ("nobod", "pupil", "gone1", "waits", "staff", "chief")
        cls.addresses = [f"{name}@example.org" for name in names]

    def test_asking_answers_and_costs_the_same_for_every_address(self) -> None:
        answers, works = [], []
        for address in self.addresses:
            with patch("authentication.services.enqueue") as enqueue, Work() as work:
                answers.append(seen(Client().post(ASK, {"email": address})))
            enqueue.assert_called_once()
            works.append(work.done())

        for answer, done in zip(answers, works, strict=True):
            self.assertEqual(answer, answers[0])
            self.assertEqual(done, works[0])
        self.assertEqual(works[0][1], 0, "Who is mailed is decided in the background.")

    def test_the_page_of_the_code_is_the_same_for_every_address(self) -> None:
        pages = []
        for address in self.addresses:
            self.client = Client()
            self.ask(address)
            pages.append(seen(self.client.get(CODE)))

        for page in pages:
            self.assertEqual(page, pages[0])

    def test_a_wrong_code_answers_and_costs_the_same_for_every_address(self) -> None:
        answers, works = [], []
        for address in self.addresses:
            cache.clear()
            self.client = Client()
            self.ask(address)
            with Work() as work:
                answers.append(seen(self.type_code("000000")))
            works.append(work.done())

        for answer, done in zip(answers, works, strict=True):
            self.assertEqual(answer, answers[0])
            self.assertEqual(done, works[0])


class SecrecyTests(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = io.StringIO()
        handler = logging.StreamHandler(self.log)
        handler.setFormatter(WholeRecord())
        root = logging.getLogger()
        root.addHandler(handler)
        self.addCleanup(root.removeHandler, handler)
        self.addCleanup(root.setLevel, root.level)
        root.setLevel(logging.DEBUG)

    @override_settings(MAGIC_LINK_PER_ADDRESS="")
    def test_a_day_at_the_desk_leaves_no_secret_in_the_log(self) -> None:
        first = self.mailed()
        self.type_code(wrong(first.code))
        self.client.get(LINK, {"token": first.token})
        Client(enforce_csrf_checks=True).post(LINK, {"token": first.token})
        self.click(first.token)
        self.click(first.token)
        make_stale(self.client)
        self.client.post(CONFIRM, {"do": "send"})
        proof = site_mail()
        self.client.post(CONFIRM, {"do": "code", "code": proof.code})
        self.client.post("/admin/login/password/", {"username": DESK, "password": "pa55-w0rd"})

        written = self.log.getvalue()
        self.assertIn("signed_in", written)
        self.assertIn("Forbidden", written)
        for secret in (DESK, first.token, f" {first.code}", f"'{first.code}", f"'{proof.code}", "pa55-w0rd"):
            self.assertNotIn(secret, written)
        self.assertNotIn(DESK, str(list(AuditEvent.objects.values())))

    def test_the_page_of_the_link_tells_its_address_to_nobody(self) -> None:
        """Its style sheets and its form would else be fetched with the token in ``Referer``."""
        page = self.client.get(LINK, {"token": "t0k3n"})

        self.assertEqual(page.headers["Referrer-Policy"], "strict-origin")
        self.assertIn("no-store", page.headers["Cache-Control"])
        self.assertContains(page, 'action="/admin/sign-in/"')
        self.assertNotRegex(page.content.decode(), r'(href|src|action)="[^"]*t0k3n')

    def test_what_stands_in_the_address_is_text_and_nothing_else(self) -> None:
        page = self.client.get(LINK, {"token": '"><script>alert(1)</script>'})

        self.assertNotContains(page, "<script>alert")

    def test_no_page_of_the_door_is_kept_by_caches_or_framed(self) -> None:
        self.ask()
        for path in (ASK, CODE, LINK, "/admin/login/password/"):
            with self.subTest(path):
                page = self.client.get(path)

                self.assertIn("no-store", page.headers["Cache-Control"])
                self.assertEqual(page.headers["X-Frame-Options"], "DENY")
                self.assertIn("frame-ancestors 'none'", page.headers["Content-Security-Policy"])
