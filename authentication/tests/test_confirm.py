"""The page that asks for a fresh proof: a code to one's own address, or a superuser's password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.test import Client, override_settings
from rest_framework.test import APIClient

from authentication.tests.at_site import ASK, CONFIRM, DESK, SiteTestCase, site_mail
from authentication.tests.signing_in import redeem_code, wrong
from core.models import AuditEvent
from core.sessions import PROVED_AT, seconds_now
from core.tests.proving import make_stale
from users.models import User
from users.tests.factories import make_superuser

WANTED = "/admin/?from=list"
WRONG = "wrong, used or too old"
PASSWORD = "correct horse battery"


class ConfirmTestCase(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.person)
        make_stale(self.client)

    def send(self) -> Any:
        return self.client.post(CONFIRM, {"do": "send"}, query_params={"next": WANTED})

    def confirm(self, code: str) -> Any:
        return self.client.post(CONFIRM, {"do": "code", "code": code}, query_params={"next": WANTED})

    def by_password(self, password: str) -> Any:
        return self.client.post(CONFIRM, {"do": "password", "password": password})

    def is_fresh(self) -> bool:
        return bool(seconds_now() - self.client.session[PROVED_AT] < 60)


class CodeTests(ConfirmTestCase):
    def test_a_code_to_ones_own_address_proves_and_leads_back(self) -> None:
        self.assertContains(self.client.get(CONFIRM), "Send me a code")
        response = self.client.get(self.send().headers["Location"])
        self.assertContains(response, 'name="code"')
        self.assertEqual(mail.outbox[-1].to, [DESK])
        self.assertNotIn("Magic Link", str(mail.outbox[-1].body))

        response = self.confirm(site_mail().code)

        self.assert_led(response, WANTED)
        self.assertTrue(self.is_fresh())
        event = AuditEvent.objects.get(action="proved")
        self.assertEqual((event.actor_id, event.changes), (self.person.pk, {"by": "code"}))

    def test_the_key_of_the_session_is_another_after_it(self) -> None:
        self.send()
        before = self.client.cookies[settings.SESSION_COOKIE_NAME].value

        self.confirm(site_mail().code)

        self.assertNotEqual(self.client.cookies[settings.SESSION_COOKIE_NAME].value, before)

    def test_a_wrong_code_proves_nothing_and_five_are_all(self) -> None:
        self.send()
        code = site_mail().code
        for _ in range(5):
            self.assertContains(self.confirm(wrong(code)), WRONG, status_code=400)

        self.assertEqual(self.confirm(code).status_code, 400)
        self.assertFalse(self.is_fresh())
        self.assertFalse(AuditEvent.objects.filter(action="proved").exists())

    def test_a_code_proves_once(self) -> None:
        self.send()
        code = site_mail().code
        self.confirm(code)
        make_stale(self.client)

        self.assertEqual(self.confirm(code).status_code, 400)
        self.assertFalse(self.is_fresh())

    @override_settings(MAGIC_LINK_PER_ADDRESS="")
    def test_a_code_of_another_door_proves_nothing_and_this_one_opens_no_other(self) -> None:
        Client().post(ASK, {"email": DESK})
        self.assertEqual(self.confirm(site_mail().code).status_code, 400)

        self.send()
        code = site_mail().code
        self.assertEqual(redeem_code(APIClient(), code, DESK).status_code, 400)
        self.assert_led(self.confirm(code), WANTED)

    @override_settings(MAGIC_LINK_PER_ADDRESS="")
    def test_somebody_elses_code_proves_nothing(self) -> None:
        make_superuser(email="boss@example.org")
        other = Client()
        other.force_login(User.objects.get(email="boss@example.org"))
        self.send()
        other.post(CONFIRM, {"do": "send"})

        self.assertEqual(self.confirm(site_mail().code).status_code, 400)

    def test_nothing_typed_is_a_wrong_code(self) -> None:
        for code in ("", "x" * 30, "\x00"):
            with self.subTest(code):
                self.assertContains(self.confirm(code), WRONG, status_code=400)


class BudgetTests(ConfirmTestCase):
    def test_mails_count_towards_the_budget_of_the_address(self) -> None:
        self.send()

        self.assertContains(self.send(), "Too many requests", status_code=429)

    @override_settings(VERIFY_PER_SOURCE="1/1m")
    def test_tries_count_towards_the_budget_of_the_source(self) -> None:
        self.confirm("000000")

        self.assertEqual(self.confirm("000000").status_code, 429)
        self.assertEqual(self.by_password("x").status_code, 429)


class PasswordTests(ConfirmTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.boss = make_superuser(email="boss@example.org", password=PASSWORD)
        self.client.force_login(self.boss)
        make_stale(self.client)

    def test_a_superuser_may_type_the_password_instead(self) -> None:
        self.assertContains(self.client.get(CONFIRM), "Confirm with my password")

        self.assert_led(self.by_password(PASSWORD))

        self.assertTrue(self.is_fresh())
        self.assertEqual(AuditEvent.objects.get(action="proved").changes, {"by": "password"})

    def test_a_wrong_one_proves_nothing(self) -> None:
        for password in ("wrong", "", "\x00"):
            with self.subTest(password):
                self.assertContains(self.by_password(password), "not correct", status_code=400)
        self.assertFalse(self.is_fresh())

    def test_ten_wrong_ones_close_this_way_for_a_while(self) -> None:
        for _ in range(10):
            self.by_password("wrong")

        self.assertEqual(self.by_password(PASSWORD).status_code, 400)

    def test_nobody_else_is_offered_that_nor_may(self) -> None:
        self.person.set_password(PASSWORD)
        self.person.save()
        self.client.force_login(self.person)
        make_stale(self.client)

        self.assertNotContains(self.client.get(CONFIRM), "password")
        self.assertEqual(self.by_password(PASSWORD).status_code, 400)
        self.assertFalse(self.is_fresh())


class GateTests(ConfirmTestCase):
    def test_who_is_not_in_signs_in_first(self) -> None:
        for path in (CONFIRM, f"{CONFIRM}?next=/admin/"):
            for send in (Client().get, Client().post):
                self.assertTrue(send(path).headers["Location"].startswith(f"{ASK}?next=/admin/confirm/"))
        self.assertEqual(mail.outbox, [])

    def test_it_leads_to_no_other_host(self) -> None:
        cache.clear()
        self.send()
        body = {"do": "code", "code": site_mail().code}

        response = self.client.post(CONFIRM, body, query_params={"next": "//evil.example.org/"})

        self.assert_led(response)

    def test_it_wants_its_csrf_token(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = self.client.cookies

        self.assertEqual(strict.post(CONFIRM, {"do": "send"}).status_code, 403)
        self.assertEqual(mail.outbox, [])
