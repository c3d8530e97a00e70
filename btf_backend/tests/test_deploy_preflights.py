"""What NGINX answers where a browser asks first: nothing, but where it would refuse the request itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

from corsheaders.conf import conf
from django.core.wsgi import get_wsgi_application
from django.test import override_settings, tag

from btf_backend.tests.front import HOST, Answer, Front, Told, Upstream
from btf_backend.tests.test_deploy_front import SPA, FrontTestCase
from core.browser_testing import BrowserTestCase
from core.refusals import Missing, Refused, TooLarge, TooMany, Unavailable

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer

FOREIGN: Final = "https://evil.example"
ALLOW: Final = "Access-Control-Allow-"
# What is no preflight does not wear it.
ASKS: Final = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}

# As the web client writes.
WRITE: Final = """async address => {
    const headers = {"Authorization": "Bearer t", "Content-Type": "application/json", "Idempotency-Key": "k"}
    try {
        const answer = await fetch(address, {method: "PUT", headers, body: "{}"})
        return [answer.status, answer.headers.get("Retry-After"), (await answer.json()).code]
    } catch (error) {
        return String(error)
    }
}"""


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - theirs
        """Say nothing."""


class PreflightTestCase(FrontTestCase):
    def preflight(self, path: str = "/api/x/", origin: str = SPA, **headers: str) -> Told:
        return self.front.ask(path, "OPTIONS", headers={"Origin": origin, **ASKS, **headers})

    def assert_may_follow(self, told: Told) -> None:
        """Whatever a page of ours sends; without cookies, and for this once."""
        self.assertEqual((told.status, told.body), (204, b""))
        self.assertEqual(told.headers.get_all(f"{ALLOW}Origin"), ["*"])
        self.assertEqual(told.headers[f"{ALLOW}Methods"].split(", "), list(conf.CORS_ALLOW_METHODS))
        self.assertEqual(told.headers[f"{ALLOW}Headers"].split(", "), list(conf.CORS_ALLOW_HEADERS))
        self.assertNotIn(f"{ALLOW}Credentials", told.headers)
        self.assertEqual(told.headers["Access-Control-Max-Age"], "0")
        self.assertEqual(told.headers["Cache-Control"], "no-store")
        self.assertEqual(told.headers["X-Request-ID"], told.id)

    def assert_readable(self, told: Told, refusal: type[Refused]) -> None:
        self.assert_refused(told, refusal)
        self.assertEqual(told.headers[f"{ALLOW}Origin"], SPA)


class AwayTests(PreflightTestCase):
    """gunicorn is down."""

    variables = {"HUB_HTTP_UPSTREAM": f"{HOST}:9", "HUB_SOCKETS_2": f"{HOST}:9"}

    def test_the_request_may_follow_and_is_told_503(self) -> None:
        for path in ("/api/x/", "/api/uploads/", "/api/auth/magic-link/", "/media/t/k"):
            with self.subTest(path):
                self.assert_may_follow(self.preflight(path))
                self.assert_readable(self.front.ask(path, "PUT", headers={"Origin": SPA}), Unavailable)

    def test_what_is_nowhere_is_granted_nothing(self) -> None:
        for path in ("/nowhere", "/metrics", "/api/metrics/"):
            with self.subTest(path):
                told = self.preflight(path)

                self.assert_refused(told, Missing)
                self.assertNotIn(f"{ALLOW}Methods", told.headers)

    def test_only_options_is_a_preflight(self) -> None:
        self.assert_readable(self.front.ask("/api/x/", "POST", headers={"Origin": SPA, **ASKS}), Unavailable)


class SilentTests(PreflightTestCase):
    def test_the_request_may_follow_where_a_worker_hangs_up(self) -> None:
        self.upstream.answers = [Answer(hang_up=True)]

        self.assert_may_follow(self.preflight())
        self.assertEqual(len(self.upstream.asked), 1)


class RefusedTests(PreflightTestCase):
    variables = {"HUB_REQUESTS_PER_SECOND": "1", "HUB_BURST": "1"}
    http_config = "set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address;\n"

    def test_beyond_a_budget_the_request_may_follow_and_is_told_429(self) -> None:
        one = {"X-Test-Address": "192.0.2.1"}
        self.assertEqual([self.preflight(**one).status for _ in range(2)], [200, 200])

        self.assert_may_follow(self.preflight(**one))
        self.assert_readable(self.front.ask("/api/x/", "PUT", headers={"Origin": SPA, **one}), TooMany)
        self.assertEqual([asked.method for asked in self.upstream.asked], ["OPTIONS"] * 2)

    def test_beyond_a_size_the_request_may_follow_and_is_told_413(self) -> None:
        huge = {"Content-Length": str(64 * 1024 * 1024), "X-Test-Address": "192.0.2.2"}

        self.assert_may_follow(self.preflight(**huge))
        self.assert_readable(self.front.ask("/api/x/", "PUT", headers={"Origin": SPA, **huge}), TooLarge)
        self.assertEqual(self.upstream.asked, [])


@override_settings(CORS_ALLOWED_ORIGINS=[SPA], ALLOWED_HOSTS=[HOST])
class JudgedTests(PreflightTestCase):
    """Django is there, and judges by its own list."""

    django: ClassVar[WSGIServer]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.django = make_server(HOST, 0, get_wsgi_application(), handler_class=Quiet)
        threading.Thread(target=cls.django.serve_forever, args=(0.02,), daemon=True).start()
        cls.addClassCleanup(cls.django.server_close)
        cls.addClassCleanup(cls.django.shutdown)
        cls.front = Front(HUB_HTTP_UPSTREAM=f"{HOST}:{cls.django.server_port}")
        cls.addClassCleanup(cls.front.end)

    def test_our_origin_is_granted_by_name(self) -> None:
        told = self.preflight("/api/users/me/")

        self.assertEqual(told.status, 200)
        self.assertEqual(told.headers.get_all(f"{ALLOW}Origin"), [SPA])
        self.assertEqual(told.headers[f"{ALLOW}Credentials"], "true")

    def test_a_foreign_origin_is_granted_nothing(self) -> None:
        told = self.preflight("/api/users/me/", FOREIGN)

        self.assertEqual([name for name in told.headers if name.startswith(ALLOW)], [])


@tag("browser", "nginx")
class InChromiumTests(BrowserTestCase):
    def test_a_page_reads_503_in_place_of_a_network_error(self) -> None:
        front = Front(HUB_HTTP_UPSTREAM=f"{HOST}:9")
        self.addCleanup(front.end)
        page = Upstream()  # of another origin, and without the policy of our own answers
        self.addCleanup(page.end)
        context = self.browser.new_context(ignore_https_errors=True)
        self.addCleanup(context.close)
        tab = context.new_page()
        tab.goto(f"http://{page.address}/")

        for _ in range(2):
            told = tab.evaluate(WRITE, f"https://{HOST}:{front.port}/api/users/me/")
            self.assertEqual(told, [503, str(Unavailable.retry_after), Unavailable.code])

        # The grant was not kept.
        asked = [line["method"] for line in front.lines if line["path"] == "/api/users/me/"]
        self.assertEqual(asked, ["OPTIONS", "PUT"] * 2)
