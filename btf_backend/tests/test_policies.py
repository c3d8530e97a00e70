"""Which policies stand on which answer: one of each kind, on every kind of route (SAFETY B37, B40)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import admin
from django.http import HttpResponse
from django.test import Client, TestCase, override_settings, tag
from django.urls import path, reverse

from announcements.models import Announcement
from announcements.tests.factories import make_announcement
from authentication.devices import COOKIE, remember
from authentication.tests.signing_in import signed_in_client
from btf_backend.tests.routes import METHODS, api_paths
from btf_backend.tests.test_admin_site import MAKERS, page
from btf_backend.urls import urlpatterns as routes
from core.notifications.unsubscribe import unsubscribe_link
from core.policies import ADMIN_SITE, LETTER, NO_DEVICES, NOTHING, OWN_FILES, REDOC, SWAGGER
from core.tests.files import sent, use_own_storage
from core.uploads.links import Links
from core.uploads.store import store_upload
from core.views import welcome
from events.models import CalendarFeed
from users.tests.factories import make_superuser, make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

FILE: Final = "sandbox; default-src 'none'"
NONCE: Final = re.compile(r"'nonce-[\w-]{22}'")
WAY_OUT: Final = "style-src 'nonce'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
BRIDGE: Final = (
    "script-src 'nonce'; style-src 'nonce'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def failing(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("Nobody expected this.")


urlpatterns = [*routes, path("failing", failing), path("", welcome)]


@override_settings(API_DOCS_PUBLIC=True, ROOT_URLCONF=__name__, DEBUG=False)
class PolicyTests(TestCase):
    def setUp(self) -> None:
        use_own_storage(self)
        self.user = make_superuser()
        self.client = Client(raise_request_exception=False)
        self.api: Any = signed_in_client(self.user)

    def policies(self, response: Any) -> list[str]:
        """Return the policies of an answer, nonces as one word, as they go over the wire."""
        b"".join(response)  # read to its end a file is closed
        lines = [value for name, value in response.items() if name == "Content-Security-Policy"]
        return [NONCE.sub("'nonce'", line) for line in lines]

    def pages(self) -> Iterator[tuple[str, str]]:
        """Yield a path of each kind, and the policy of what is answered there."""
        upload = store_upload(sent("a.txt", b"Hello", "text/plain"), prefix="uploads", owner=self.user)
        link = Links(self.user.pk, "").to(upload.key)
        feed = CalendarFeed.objects.create(user=make_user()).token
        yield from ((link, FILE), (f"{link}x", NOTHING), ("/media/x/y", NOTHING))
        yield from ((f"/calendar/{feed}.ics", NOTHING), ("/calendar/nope.ics", NOTHING))
        yield from (("/api/docs/", SWAGGER), ("/api/docs/?script=", SWAGGER), ("/api/redoc/", REDOC))
        yield from (("/api/schema/", NOTHING), ("/api/health/", NOTHING), ("/api/nope/", NOTHING))
        yield urlsplit(unsubscribe_link(self.user.pk, "announcement")).path, f"default-src 'none'; {WAY_OUT}"
        yield "/auth/verify?token=x", f"default-src 'none'; {BRIDGE}"
        yield from (("/", OWN_FILES), ("/nope", NOTHING), ("/failing", NOTHING))
        yield from (("/admin/", ADMIN_SITE), ("/admin/nope/", ADMIN_SITE), ("/admin", NOTHING))
        yield page(Announcement, "mail_sample", make_announcement().pk), LETTER

    def test_every_kind_of_page_has_one_policy_of_its_own(self) -> None:
        for where, policy in self.pages():
            for is_signed_in in (True, False):
                if is_signed_in:
                    self.client.force_login(self.user)
                with self.subTest(where, signed_in=is_signed_in):
                    response = self.client.get(where)

                    is_sent_away = response.status_code == 302
                    self.assertEqual(self.policies(response), [ADMIN_SITE if is_sent_away else policy])
            self.client.logout()

    def test_every_answer_of_the_api_lets_nothing_be_loaded(self) -> None:
        """Nor does what strangers are answered, of which ``test_routes`` has every answer."""
        for where in api_paths():
            for method in METHODS:
                with self.subTest(where, method=method):
                    response = getattr(self.api, method)(where)

                    self.assertEqual(len(self.policies(response)), 1)
                    if response.headers.get("Content-Type") == "application/json":
                        self.assertEqual(self.policies(response), [NOTHING])

    def test_what_the_edge_answers_itself_has_them_all(self) -> None:
        """Refusals before any view, preflights, and answers without a body."""
        origin = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "PUT"}
        etag = self.api.get("/api/users/me/").headers["ETag"]
        answers = {
            "too large": self.client.post("/api/uploads/", CONTENT_LENGTH="99999999999"),
            "preflight": self.client.options("/api/users/me/", headers=origin),
            "another host": self.client.get("/api/users/me/", headers={"Host": "evil.example"}),
            "not modified": self.api.get("/api/users/me/", headers={"If-None-Match": etag}),
            "failed": self.client.get("/failing"),
        }
        for name, response in answers.items():
            with self.subTest(name, status=response.status_code):
                self.assertEqual(self.policies(response), [NOTHING])
                self.assertEqual(response.headers["X-Frame-Options"], "DENY")
                self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
                self.assertEqual(response.headers["Permissions-Policy"], NO_DEVICES)
                self.assertEqual(response.headers["Cross-Origin-Opener-Policy"], "same-origin")
                self.assertEqual(response.headers["Referrer-Policy"], "same-origin")

    def test_files_are_for_pages_of_every_site_and_nothing_else_is(self) -> None:
        """The web client is another site, and shows covers as backgrounds."""
        upload = store_upload(sent("a.txt", b"Hello", "text/plain"), prefix="uploads", owner=self.user)
        file = self.client.get(Links(self.user.pk, "").to(upload.key))

        self.assertEqual(b"".join(file), b"Hello")  # read to its end the file is closed
        self.assertEqual(file.headers["Cross-Origin-Resource-Policy"], "cross-origin")
        for where in ("/api/users/me/", "/admin/login/", "/auth/verify", "/nope"):
            with self.subTest(where):
                answer = self.client.get(where)
                self.assertEqual(answer.headers["Cross-Origin-Resource-Policy"], "same-origin")

    def test_no_policy_takes_scripts_from_a_page_or_anything_from_another_host(self) -> None:
        for policy in (NOTHING, OWN_FILES, ADMIN_SITE, SWAGGER, REDOC, LETTER):
            with self.subTest(policy):
                rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))

                self.assertEqual(rules["default-src"], "'none'")
                self.assertIn(rules["frame-ancestors"], {"'none'", "'self'"})
                self.assertNotIn("unsafe-inline", rules.get("script-src", ""))
                self.assertEqual(re.findall(r"\*|https?:", policy), [])
                # Alpine, of the admin site, makes programs of what attributes say.
                self.assertEqual("unsafe-eval" in policy, policy == ADMIN_SITE)

    @tag("walk")
    def test_no_page_of_the_admin_site_holds_script_or_style(self) -> None:
        self.client.force_login(self.user)
        for model in admin.site._registry:
            row = MAKERS[model](1)
            for where in (page(model, "changelist"), page(model, "change", row.pk), page(model, "add")):
                with self.subTest(where):
                    html = self.client.get(where).content.decode()

                    found = re.findall(r"<script(?![^>]*(?:src=|application/json))|\son\w+=|<style", html)
                    self.assertEqual(found, [])

    @override_settings(DEBUG=True)
    def test_developers_read_their_tracebacks(self) -> None:
        self.assertEqual(self.policies(self.client.get("/failing")), [])
        self.assertEqual(self.policies(self.client.get("/api/nope/")), [NOTHING])


@skipUnless(settings.PRODUCTION, "of the production profile")
class ProductionTests(TestCase):
    """As the settings have it where nothing says otherwise: the suite's pass on servers runs so."""

    def test_cookies_go_over_https_alone_and_no_script_reads_them(self) -> None:
        user = make_superuser(password="xyz-12-abc")
        client = Client()
        client.get("/admin/login/", secure=True)
        form = {"username": user.username, "password": "xyz-12-abc"}
        client.post("/admin/login/password/", form, secure=True)
        response = HttpResponse()
        remember(response, None, "key")

        cookies = {**client.cookies, **response.cookies}
        self.assertEqual(set(cookies), {"sessionid", "csrftoken", COOKIE})
        for name, cookie in cookies.items():
            with self.subTest(name):
                self.assertTrue(cookie["secure"])
                self.assertTrue(cookie["httponly"])
                self.assertEqual(cookie["samesite"], "None" if name == COOKIE else "Lax")

    def test_browsers_are_told_to_come_over_https_for_a_year(self) -> None:
        for where in ("/api/health/live/", reverse("admin:login"), "/nope"):
            with self.subTest(where):
                told = self.client.get(where, secure=True).headers["Strict-Transport-Security"]
                self.assertEqual(told, "max-age=31536000; includeSubDomains; preload")
