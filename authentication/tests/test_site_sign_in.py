"""Signing in at the admin site: for whom it opens, what opens it, and what does not."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.db import DatabaseError
from django.test import Client, override_settings
from redis.exceptions import ConnectionError as RedisAway
from rest_framework.test import APIClient

from authentication.challenges import Door, link_hash
from authentication.tasks import mail_sign_in
from authentication.tests.at_site import ASK, CODE, DESK, LINK, SiteTestCase, site_mail
from authentication.tests.signing_in import newest_mail, redeem_code, redeem_link, wrong
from core.models import AuditEvent, Delivery, NotificationSettings
from core.testing import undrawn
from core.tests.smtp import SmtpServer
from users.models import User
from users.tests.factories import make_superuser, make_user

REFUSED = "This code is wrong, used or too old."


class EnteringTests(SiteTestCase):
    def test_the_code_signs_in_in_the_browser_that_asked(self) -> None:
        code = self.mailed().code

        response = self.type_code(code)

        self.assert_led(response)
        event = AuditEvent.objects.get(action="signed_in")
        self.assertEqual((event.actor_id, event.object_id), (self.person.pk, str(self.person.pk)))
        self.assertEqual(event.changes, {"where": "admin site", "by": "code"})

    def test_the_link_signs_in_by_its_button_in_any_browser(self) -> None:
        token = self.mailed().token
        self.client = Client()

        page = self.client.get(LINK, {"token": token})
        self.assertContains(page, f'value="{token}"')
        self.assertFalse(self.is_in(), "To open the link signs nobody in.")

        self.assert_led(self.click(token))
        self.assertEqual(AuditEvent.objects.get(action="signed_in").changes["by"], "link")

    def test_opening_the_link_many_times_uses_nothing_up(self) -> None:
        token = self.mailed().token
        for _ in range(3):
            self.client.head(LINK, {"token": token})
            self.client.get(LINK, {"token": token})

        self.assertEqual(self.click(token).status_code, 302)

    def test_a_link_and_a_code_work_once_and_either_voids_the_other(self) -> None:
        for first, second in (("code", "link"), ("link", "code"), ("code", "code"), ("link", "link")):
            with self.subTest(first=first, second=second):
                cache.clear()
                self.client = Client()
                sent = self.mailed()
                ways: dict[str, Any] = {
                    "code": lambda sent=sent: self.type_code(sent.code),
                    "link": lambda sent=sent: self.click(sent.token),
                }
                self.assertEqual(ways[first]().status_code, 302)
                self.ask()  # the page of the code wants a browser that asked
                self.client.post("/admin/logout/")

                again = ways[second]()

                self.assertFalse(self.is_in())
                self.assertIn(again.status_code, {302, 400})

    def test_superusers_come_in_by_mail_too(self) -> None:
        make_superuser(email="boss@example.org")

        self.assert_led(self.type_code(self.mailed("boss@example.org").code))

    def test_the_site_opens_for_nobody_else_though_they_had_a_good_code(self) -> None:
        """Rights are read again when the code is typed: they may have gone since the mail."""
        for change in (
            {"is_staff": False},
            {"is_active": False},
            {"status": "inactive"},
            {"status": "pending"},
        ):
            with self.subTest(**change):
                cache.clear()
                code = self.mailed().code
                User.objects.filter(pk=self.person.pk).update(**change)

                response = self.type_code(code)

                self.assertContains(response, REFUSED, status_code=400)
                self.assertFalse(self.is_in())
                User.objects.filter(pk=self.person.pk).update(
                    is_staff=True, is_active=True, status=User.Status.ACTIVE
                )

    def test_nobody_else_is_mailed(self) -> None:
        make_user(email="student@example.org", status=User.Status.ACTIVE)
        make_user(email="gone@example.org", is_staff=True, status=User.Status.INACTIVE)
        make_user(email="waits@example.org", is_staff=True, status=User.Status.PENDING)
        for name in ("student", "gone", "waits", "nobody"):
            self.ask(f"{name}@example.org")

        self.assertEqual(mail.outbox, [])
        self.assertFalse(User.objects.filter(email="nobody@example.org").exists())

    def test_five_wrong_codes_void_the_code_and_not_the_link(self) -> None:
        sent = self.mailed()
        for _ in range(5):
            self.assertContains(self.type_code(wrong(sent.code)), REFUSED, status_code=400)

        self.assertEqual(self.type_code(sent.code).status_code, 400)
        self.assertEqual(self.click(sent.token).status_code, 302)

    def test_digits_may_be_set_apart(self) -> None:
        code = self.mailed().code

        self.assertEqual(self.type_code(f" {code[:3]} {code[3:]} ").status_code, 302)

    def test_an_address_is_taken_in_any_spelling(self) -> None:
        self.assertEqual(self.type_code(self.mailed(" Desk@EXAMPLE.org ").code).status_code, 302)

    def test_what_is_no_address_is_said_at_the_field(self) -> None:
        for text in ("", "desk", "a@b", "\x00@example.org", "x" * 400 + "@example.org"):
            with self.subTest(text[:20]):
                self.assertEqual(self.ask(text).status_code, 400)

    def test_the_page_of_the_code_wants_a_browser_that_asked(self) -> None:
        self.assertRedirects(self.client.get(CODE), ASK)
        self.client.cookies["btf_asked"] = "forged"

        self.assertRedirects(self.type_code("123456"), ASK)

    def test_who_is_in_is_led_on(self) -> None:
        self.client.force_login(self.person)

        self.assert_led(self.client.get(ASK, {"next": "/admin/?from=list"}), "/admin/?from=list")

    def test_where_the_database_fails_the_code_is_good_once_more(self) -> None:
        code = self.mailed().code
        with (
            patch("authentication.services.note_site_sign_in", side_effect=DatabaseError),
            self.assertRaises(DatabaseError),
        ):
            self.type_code(code)

        self.assertEqual(self.type_code(code).status_code, 302)


class DoorTests(SiteTestCase):
    """A challenge opens the door for which it was asked (docs/adr/0019)."""

    def test_what_is_mailed_for_the_site_is_no_use_over_the_api(self) -> None:
        sent = self.mailed()

        self.assertEqual(redeem_code(APIClient(), sent.code, DESK).status_code, 400)
        self.assertEqual(redeem_link(APIClient(), sent.token).status_code, 400)

    @override_settings(MAGIC_LINK_PER_ADDRESS="")
    def test_what_is_mailed_for_the_api_is_no_use_at_the_site(self) -> None:
        self.ask()
        self.client.post("/api/auth/magic-link/", {"email": DESK}, content_type="application/json")
        sent = newest_mail()

        self.assertEqual(self.type_code(sent.code).status_code, 400)
        self.assertEqual(self.click(sent.token).status_code, 400)
        self.assertEqual(redeem_code(APIClient(), sent.code, DESK).status_code, 200)

    def test_a_token_is_not_spelled_as_that_of_another_door(self) -> None:
        sent = self.mailed()
        others = (f"site.{sent.token}", f"proof.{sent.token}", f"{sent.token}\n", sent.token[:-1], "é" * 43)
        for token in others:
            with self.subTest(token):
                self.assertEqual(redeem_link(APIClient(), token).status_code, 400)

        self.assertEqual(self.click(sent.token).status_code, 302, "It was not used up.")

    def test_no_two_doors_know_a_token_by_one_name(self) -> None:
        token = secrets.token_urlsafe(32)
        spelled = [f"{door}{token}" for door in Door]

        named = {link_hash(text, door) for door in Door for text in spelled}

        self.assertEqual(len(named), len(Door) ** 2)

    def test_a_link_over_the_api_is_known_as_before(self) -> None:
        """Those that wait while a new version starts stay good."""
        self.assertEqual(link_hash("abc", Door.API), hashlib.sha256(b"abc").hexdigest())

    def test_what_waits_under_another_seal_is_a_wrong_link(self) -> None:
        """A challenge that was changed, or copied to another name, opens nothing, and breaks nothing."""
        sent, other = self.mailed(), secrets.token_urlsafe(32)
        waiting = cache.get(f"signin:link:{link_hash(sent.token, Door.SITE)}")
        for door in (Door.API, Door.SITE):
            cache.set(f"signin:link:{link_hash(other, door)}", waiting)

        self.assertEqual(redeem_link(APIClient(), other).status_code, 400)
        self.assertEqual(self.click(other).status_code, 400)

    @override_settings(MAGIC_LINK_PER_ADDRESS="")
    def test_the_newest_mail_counts_whichever_door_it_is_for(self) -> None:
        code = self.mailed().code
        self.client.post("/api/auth/magic-link/", {"email": DESK}, content_type="application/json")

        self.assertEqual(self.type_code(code).status_code, 400)


class NextTests(SiteTestCase):
    def test_people_come_to_the_page_that_they_wanted(self) -> None:
        wanted = "/admin/?from=mail"
        self.assertRedirects(self.client.get(wanted), f"{ASK}?next=/admin/%3Ffrom%3Dmail")

        response = self.type_code(self.mailed(next=wanted).code)

        self.assert_led(response, wanted)

    def test_no_other_host_is_ever_next(self) -> None:
        for text in (
            "https://evil.example.org/",
            "//evil.example.org/",
            "/\\evil.example.org/",
            "\\\\evil.example.org",
            "javascript:alert(1)",
            "///evil.example.org",
            "evil",
            "/" + "x" * 2_000,
        ):
            with self.subTest(text[:30]):
                cache.clear()
                self.client = Client()

                response = self.type_code(self.mailed(next=text).code)

                self.assertRedirects(response, "/admin/", fetch_redirect_response=False)


class BrowserStateTests(SiteTestCase):
    def test_a_session_that_somebody_planted_is_not_the_one_that_is_signed_in(self) -> None:
        self.client.session.save()
        planted = self.client.cookies[settings.SESSION_COOKIE_NAME].value

        self.type_code(self.mailed().code)

        self.assertNotEqual(self.client.cookies[settings.SESSION_COOKIE_NAME].value, planted)
        intruder = Client()
        intruder.cookies[settings.SESSION_COOKIE_NAME] = planted
        self.assertEqual(intruder.get("/admin/").status_code, 302)

    def test_every_form_of_the_door_wants_its_csrf_token(self) -> None:
        sent = self.mailed()
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = self.client.cookies
        bodies: dict[str, dict[str, str]] = {
            ASK: {"email": DESK},
            CODE: {"code": sent.code},
            LINK: {"token": sent.token},
            "/admin/login/password/": {"username": DESK, "password": "x"},
        }
        for path, body in bodies.items():
            with self.subTest(path):
                self.assertEqual(strict.post(path, body).status_code, 403)
        self.assertEqual(self.type_code(sent.code).status_code, 302, "Nothing of it was used up.")

    def test_the_page_of_the_link_is_sent_over_https_as_its_referrer_policy_makes_browsers_do(self) -> None:
        """With ``no-referrer`` they would name no origin, which Django's check refuses."""
        token = self.mailed().token
        strict = Client(enforce_csrf_checks=True)
        page = strict.get(LINK, {"token": token}, secure=True)
        body = {"token": token, "csrfmiddlewaretoken": page.context["csrf_token"]}

        for origin, status in (("null", 403), ("https://evil.example.org", 403), ("https://testserver", 302)):
            with self.subTest(origin):
                headers = {"origin": origin, "referer": f"{origin}/"}
                response = strict.post(LINK, body, secure=True, headers=headers)
                self.assertEqual(response.status_code, status)

    def test_asking_leaves_no_row_behind(self) -> None:
        self.ask()

        self.assertEqual(Session.objects.count(), 0)
        cookie = self.client.cookies["btf_asked"]
        self.assertEqual((cookie["httponly"], cookie["samesite"], cookie["path"]), (True, "Lax", "/admin/"))
        self.assertNotIn(DESK, cookie.value)

    def test_where_somebody_signed_in_before_strangers_cannot_use_up_their_guesses(self) -> None:
        """R11 at this door too."""
        self.type_code(self.mailed().code)
        self.client.post("/admin/logout/")
        with (
            override_settings(MAGIC_LINK_PER_ADDRESS=""),
            patch("authentication.challenges.GUESSES_PER_ACCOUNT_AND_DAY", 10),
            undrawn(),
        ):
            stranger = Client()
            for _ in range(2):
                stranger.post(ASK, {"email": DESK})
                code = site_mail().code
                for _ in range(5):
                    stranger.post(CODE, {"code": wrong(code)})
            stranger.post(ASK, {"email": DESK})
            self.assertEqual(stranger.post(CODE, {"code": site_mail().code}).status_code, 400)

            self.assertEqual(self.type_code(self.mailed().code).status_code, 302)


class BudgetTests(SiteTestCase):
    def test_one_address_is_mailed_as_often_as_over_the_api_together(self) -> None:
        self.client.post("/api/auth/magic-link/", {"email": DESK}, content_type="application/json")

        response = self.ask()

        self.assertContains(response, "Too many requests", status_code=429)
        self.assertGreater(int(response.headers["Retry-After"]), 0)

    @override_settings(MAGIC_LINK_PER_SOURCE="2/1m", MAGIC_LINK_PER_ADDRESS="")
    def test_one_source_asks_for_so_many_mails(self) -> None:
        self.assertEqual([self.ask().status_code for _ in range(3)], [302, 302, 429])

    @override_settings(VERIFY_PER_SOURCE="2/1m")
    def test_one_source_tries_so_many_codes_and_links(self) -> None:
        sent = self.mailed()
        self.type_code(wrong(sent.code))
        self.click("wrong")

        self.assertEqual(self.type_code(sent.code).status_code, 429)
        self.assertEqual(self.click(sent.token).status_code, 429)

    def test_while_the_counters_are_away_the_page_says_so(self) -> None:
        with patch("core.throttling.take", side_effect=RedisAway):
            response = self.ask()

        self.assertContains(response, "not available right now", status_code=503)
        self.assertEqual(response.headers["Retry-After"], "5")


class MailTests(SiteTestCase):
    def test_the_mail_is_a_delivery_of_the_person_and_lifts_a_bounce(self) -> None:
        self.mailed()

        delivery = Delivery.objects.select_related("notice").get(person=self.person)
        self.assertEqual(
            (delivery.state, delivery.notice.kind, delivery.notice.data), ("sent", "sign_in", {})
        )

    def test_over_a_real_mail_server_link_and_code_arrive_and_open_the_site(self) -> None:
        server = SmtpServer().start()
        self.addCleanup(server.stop)
        with patch("authentication.services.enqueue") as queue, override_settings(**server.settings):
            self.ask()
            mail_sign_in.call(**queue.call_args.kwargs)  # what a worker does

        (taken,) = server.to(DESK)
        body = taken.message.get_body(("plain",))
        assert body
        text = body.get_content()
        code = re.search(r"One-Time Code: (\d{6})", text)
        self.assertRegex(text, r"/admin/sign-in/\?token=[\w-]{43}\s")
        assert code
        self.assert_led(self.type_code(code[1]))

    def test_who_has_chosen_another_language_reads_it(self) -> None:
        NotificationSettings.objects.create(person=self.person, language="pt-br")
        self.mailed()

        self.assertIn("administração", str(mail.outbox[-1].subject))
