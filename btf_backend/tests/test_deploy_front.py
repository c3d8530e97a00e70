"""What NGINX passes on, keeps to itself and answers in our place, by the configuration of deploy/nginx."""

from __future__ import annotations

import socket
import threading
import urllib.request
from contextlib import AsyncExitStack
from typing import ClassVar, Final

from django.conf import settings
from django.test import SimpleTestCase, tag
from websockets.asyncio.client import connect
from websockets.sync.server import Server, ServerConnection, serve

from btf_backend.tests.front import HOST, Answer, Front, Told, Upstream
from core.refusals import Missing, Refused, TooLarge, TooMany, Unavailable

SPA: Final = "https://hub.example.org"
WRITES: Final = ("POST", "PUT", "PATCH", "DELETE")


def echo(socket: ServerConnection) -> None:
    for message in socket:
        socket.send(message)


@tag("nginx")
class FrontTestCase(SimpleTestCase):
    http_config: ClassVar[str] = ""
    variables: ClassVar[dict[str, str]] = {}
    upstream: ClassVar[Upstream]
    sockets: ClassVar[Server]
    front: ClassVar[Front]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.upstream = Upstream()
        cls.addClassCleanup(cls.upstream.end)
        cls.sockets = serve(echo, HOST, 0)
        threading.Thread(target=cls.sockets.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.sockets.shutdown)
        # The other socket server is down: whoever is sent there is sent on.
        where = f"{HOST}:{cls.sockets.socket.getsockname()[1]}"
        variables = {"HUB_HTTP_UPSTREAM": cls.upstream.address, "HUB_SOCKETS_2": where, **cls.variables}
        cls.front = Front(http_config=cls.http_config, **variables)
        cls.addClassCleanup(cls.front.end)

    def setUp(self) -> None:
        self.upstream.begun.clear()
        self.upstream.asked.clear()
        self.upstream.answers.clear()

    def assert_refused(self, told: Told, refusal: type[Refused]) -> None:
        """The product's envelope, readable for the web client."""
        self.assertEqual(told.status, refusal.status)
        self.assertEqual(told.headers["Content-Type"], "application/json")
        self.assertEqual(
            told.json,
            {
                "error": refusal.sentence,
                "detail": refusal.sentence,
                "code": refusal.code,
                "requestId": told.headers["X-Request-ID"],
            },
        )
        self.assertRegex(told.headers["X-Request-ID"], r"^[A-Za-z0-9._-]{8,64}$")


class PassedOnTests(FrontTestCase):
    def test_what_is_believed_is_overwritten(self) -> None:
        self.front.ask(
            "/api/x/?a=1",
            headers={
                "X-Forwarded-Proto": "http",
                "X-Forwarded-For": "1.2.3.4",
                "X-Forwarded-Host": "evil.example",
                "Host": "hub.example.org",
            },
        )

        (asked,) = self.upstream.asked
        self.assertEqual(asked.path, "/api/x/?a=1")
        self.assertEqual(asked.headers.get_all("X-Forwarded-Proto"), ["https"])
        self.assertEqual(asked.headers.get_all("X-Forwarded-For"), [f"1.2.3.4, {HOST}"])
        self.assertEqual(asked.headers.get_all("Host"), ["hub.example.org"])
        self.assertNotIn("X-Forwarded-Host", asked.headers)
        self.assertEqual(asked.headers["Connection"], "close")

    def test_a_request_keeps_a_name_that_is_well_formed(self) -> None:
        for given, kept in (("phone-1234.x", True), ("short", False), ('"; drop--------', False)):
            with self.subTest(given):
                self.front.ask("/api/x/", headers={"X-Request-ID": given})

                name = self.upstream.asked[-1].headers["X-Request-ID"]
                self.assertEqual(name == given, kept)
                self.front.line(request_id=name)
                self.assertRegex(name, r"^[A-Za-z0-9._-]{8,64}$")

    def test_every_part_of_the_product_is_reached(self) -> None:
        paths = ("/api", "/api/users/me/", "/admin/", "/admin/login/", "/calendar/t.ics", "/media/t/k")
        for path in (*paths, "/auth/verify?token=t"):
            with self.subTest(path):
                self.assertEqual(self.front.ask(path).body, b"ok")
        self.assertEqual(len(self.upstream.asked), 7)

    def test_numbers_and_files_are_not_reached_from_outside(self) -> None:
        (self.front.folder / "media" / "secret.txt").write_bytes(b"x")
        paths = ("/metrics", "/api/metrics", "/api/metrics/", "/%6detrics", "/_files/secret.txt")
        for path in (*paths, f"/_bucket/{self.upstream.address}/secret", "/static../key.pem", "/"):
            with self.subTest(path):
                self.assert_refused(self.front.ask(path), Missing)
        self.assertEqual(self.upstream.asked, [])

    async def test_a_socket_passes_though_one_server_is_down(self) -> None:
        address = f"wss://{HOST}:{self.front.port}/ws/chat/BTF046/?token=t"
        for _ in range(4):
            async with connect(address, ssl=self.front.trust) as one:
                await one.send("hello")
                self.assertEqual(await one.recv(), "hello")

    def test_a_read_that_a_worker_dropped_is_sent_once_more(self) -> None:
        for method in ("GET", "HEAD"):
            with self.subTest(method):
                self.upstream.asked.clear()
                self.upstream.answers = [Answer(hang_up=True)]

                self.assertEqual(self.front.ask("/api/x/", method).status, 200)
                self.assertEqual(len(self.upstream.asked), 2)

    def test_a_write_is_never_sent_twice(self) -> None:
        for method in WRITES:
            with self.subTest(method):
                self.upstream.asked.clear()
                self.upstream.answers = [Answer(hang_up=True)]

                self.assert_refused(self.front.ask("/api/x/", method, body=b"{}"), Unavailable)
                self.assertEqual(len(self.upstream.asked), 1)

    def test_a_slow_body_costs_no_thread_of_ours(self) -> None:
        """SAFETY B36: a body of a byte a second waits here."""
        with self.front.trust.wrap_socket(
            socket.create_connection((HOST, self.front.port)), server_hostname=HOST
        ) as slow:
            slow.sendall(b"POST /api/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab")

            self.assertEqual(self.front.ask("/api/other/").status, 200)
            self.assertEqual(self.upstream.begun, ["/api/other/"])
            slow.sendall(b"cd")
            self.assertTrue(slow.recv(100).startswith(b"HTTP/1.1 200"))
        self.assertEqual(self.upstream.asked[-1].body, b"abcd")

    def test_http_leads_to_https_and_to_the_certificate_office(self) -> None:
        plain = f"http://{HOST}:{self.front.plain_port}"
        folder = self.front.folder / "acme" / ".well-known" / "acme-challenge"
        folder.mkdir(parents=True)
        (folder / "abc").write_bytes(b"proof")

        with urllib.request.urlopen(f"{plain}/.well-known/acme-challenge/abc") as response:  # noqa: S310 - ours
            self.assertEqual(response.read(), b"proof")
        with socket.create_connection((HOST, self.front.plain_port)) as client:
            client.sendall(b"GET /api/x?a=1 HTTP/1.0\r\nHost: hub.example.org\r\n\r\n")
            answer = client.recv(2_000).decode()

        self.assertIn(" 301 ", answer)
        self.assertIn(f"Location: https://hub.example.org:{self.front.port}/api/x?a=1\r\n", answer)
        self.assertEqual(self.upstream.asked, [])

    def test_static_files_are_served_from_here_and_kept(self) -> None:
        (self.front.folder / "static" / "a.css").write_bytes(b"p{}")

        told = self.front.ask("/static/a.css")

        self.assertEqual((told.status, told.body, told.headers["Content-Type"]), (200, b"p{}", "text/css"))
        self.assertEqual(told.headers["Cache-Control"], "public, max-age=86400")
        self.assertEqual(told.headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(told.headers["Server"], "nginx")
        self.assertEqual(self.upstream.asked, [])


class RefusedTests(FrontTestCase):
    def test_bodies_end_where_the_product_ends_them(self) -> None:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        self.assertEqual(self.front.ask("/api/x/", "POST", body=b"x" * most).status, 200)

        told = self.front.ask("/api/x/", "POST", body=b"x" * (most + 1), headers={"Origin": SPA})

        self.assert_refused(told, TooLarge)
        self.assertEqual(told.headers["Access-Control-Allow-Origin"], SPA)
        self.assertEqual(len(self.upstream.asked), 1)

    def test_uploads_are_as_large_as_the_product_takes_them(self) -> None:
        most = settings.FILE_UPLOAD_MAX_BYTES + 1024 * 1024
        paths = ("/api/uploads/", "/api/resources", "/api/resources/7/cover/", "/api/events/7/cover/")
        admin = ("/admin/resources/resource/add/", "/admin/resources/resource/7/change/")
        covers = ("/admin/events/event/add/", "/admin/events/event/7/change/")
        people = ("/api/admin/users/import/", "/admin/users/peopleimport/add/")
        for path in (*paths, *admin, *covers, *people, "/api/resources/7/"):
            with self.subTest(path):
                self.assertEqual(self.front.ask(path, "POST", body=bytes(most)).status, 200)
        told = self.front.ask("/api/uploads/", "POST", body=bytes(most + 2 * 1024 * 1024))
        self.assert_refused(told, TooLarge)

    def test_what_cannot_be_read_is_refused_in_our_words(self) -> None:
        cases = (
            (b"GET /api/%s HTTP/1.1\r\nHost: h\r\n\r\n" % (b"a" * 9_000), 414, "uri_too_long"),
            (b"GET /api/ HTTP/1.1\r\nHost: h\r\nX: %s\r\n\r\n" % (b"a" * 9_000), 431, "headers_too_large"),
            (b"GET /api/ HTTP/1.1\r\n\r\n", 400, "bad_request"),
            (b"\x00nonsense\r\n\r\n", 400, "bad_request"),
        )
        for words, status, code in cases:
            with (
                self.subTest(code),
                self.front.trust.wrap_socket(
                    socket.create_connection((HOST, self.front.port)), server_hostname=HOST
                ) as client,
            ):
                client.sendall(words)
                answer = client.makefile("rb").read().decode()
                self.assertIn(f" {status} ", answer.splitlines()[0] + " ")
                self.assertIn(f'"code":"{code}"', answer)
        self.assertEqual(self.upstream.asked, [])

    def test_our_own_errors_pass_as_they_are(self) -> None:
        for status in (400, 404, 413, 429, 500, 503):
            with self.subTest(status):
                self.upstream.answers = [Answer(status, {"Retry-After": "7"}, b"ours")]

                told = self.front.ask("/api/x/")

                self.assertEqual((told.status, told.body), (status, b"ours"))
                self.assertEqual(told.headers["Retry-After"], "7")
                self.assertNotIn("Access-Control-Allow-Origin", told.headers)


class OffTests(FrontTestCase):
    """The machine of one socket server is off: it neither answers nor refuses."""

    @classmethod
    def setUpClass(cls) -> None:
        off = cls.enterClassContext(socket.create_server((HOST, 0), backlog=0))
        # What no longer fits into the queue of one that accepts nobody is dropped.
        waiting = [cls.enterClassContext(socket.socket()) for _ in range(3)]
        for one in waiting:
            one.settimeout(0)
            one.connect_ex(off.getsockname())
        cls.variables = {"HUB_SOCKETS_1": f"{HOST}:{off.getsockname()[1]}"}
        super().setUpClass()

    async def test_every_socket_goes_to_the_other(self) -> None:
        """It had the fewest sockets, so each new one was sent there, and refused."""
        address = f"wss://{HOST}:{self.front.port}/ws/chat/BTF046/?token=t"
        async with AsyncExitStack() as opened:
            for _ in range(4):
                one = await opened.enter_async_context(connect(address, ssl=self.front.trust))
                await one.send("hello")
                self.assertEqual(await one.recv(), "hello")


class AwayTests(FrontTestCase):
    """gunicorn is down; the socket servers too."""

    variables = {"HUB_HTTP_UPSTREAM": f"{HOST}:9", "HUB_SOCKETS_2": f"{HOST}:9"}

    def test_it_is_a_503_that_the_web_client_can_read(self) -> None:
        for method in ("GET", *WRITES):
            with self.subTest(method):
                told = self.front.ask("/api/x/", method, headers={"Origin": SPA, "X-Request-ID": "abcdefgh"})

                self.assert_refused(told, Unavailable)
                self.assertEqual(told.headers["Retry-After"], str(Unavailable.retry_after))
                self.assertEqual(told.headers["X-Request-ID"], "abcdefgh")
                self.assertEqual(told.headers["Cache-Control"], "no-store")
                self.assertEqual(told.headers["Access-Control-Allow-Origin"], SPA)
                self.assertEqual(told.headers["Access-Control-Allow-Credentials"], "true")
                self.assertIn("Retry-After", told.headers["Access-Control-Expose-Headers"])

    def test_options_that_are_no_preflight_are_told_so_too(self) -> None:
        told = self.front.ask("/api/x/", "OPTIONS", headers={"Origin": SPA})

        self.assert_refused(told, Unavailable)
        self.assertNotIn("Access-Control-Allow-Methods", told.headers)

    def test_nor_does_a_socket_open(self) -> None:
        self.assert_refused(self.front.ask("/ws/chat/BTF046/"), Unavailable)

    def test_no_token_is_in_any_log_then_either(self) -> None:
        """SAFETY B27: an error line of NGINX would hold the whole request line."""
        for path in ("/ws/?token=SECRET", "/media/SECRET/a", "/api/auth/verify?token=SECRET"):
            told = self.front.ask(path, headers={"Referer": f"{SPA}/?SECRET"})

            self.assertEqual(self.front.line(request_id=told.id)["upstream_status"], "502, 502")
        self.assertNotIn("SECRET", str(self.front.lines) + self.front.complaints)


class SilentTests(FrontTestCase):
    def test_what_does_not_answer_in_time_is_a_503_and_is_asked_once(self) -> None:
        with socket.create_server((HOST, 0)) as silent:
            address = f"{HOST}:{silent.getsockname()[1]}"
            front = Front(HUB_HTTP_UPSTREAM=address)
            self.addCleanup(front.end)

            for method in ("GET", "POST"):
                with self.subTest(method):
                    told = front.ask("/api/x/", method)

                    self.assert_refused(told, Unavailable)
                    self.assertEqual(front.line(request_id=told.id)["upstream_status"], "504")


class LoggedTests(FrontTestCase):
    def test_the_log_holds_paths_without_tokens_and_no_query(self) -> None:
        """SAFETY B27."""
        paths = {
            "/media/SECRET/uploads/a.txt": "/media/***",
            "//media//SECRET/a.txt": "/media/***",
            "/%6dedia/SECRET/a.txt": "/media/***",
            "/api/../media/SECRET/a.txt": "/media/***",
            "/calendar/SECRET.ics": "/calendar/***",
            "/api/notifications/unsubscribe/SECRET/": "/api/notifications/unsubscribe/***",
            "/auth/verify?token=SECRET": "/auth/verify",
            "/api/admin/users/?search=SECRET": "/api/admin/users/",
            "/ws/?token=SECRET": "/ws/",
            "/nowhere?SECRET": "/nowhere",
        }
        for path, logged in paths.items():
            with self.subTest(path):
                told = self.front.ask(path, headers={"Referer": f"{SPA}/?SECRET", "Authorization": "SECRET"})

                self.assertEqual(self.front.line(request_id=told.id)["path"], logged)

        with socket.create_connection((HOST, self.front.plain_port)) as client:
            client.sendall(b"GET /media/SECRET/a?SECRET HTTP/1.0\r\n\r\n")
            client.recv(1_000)
        self.front.line(status="301", path="/media/***")
        self.assertNotIn("SECRET", str(self.front.lines) + self.front.complaints)

    def test_a_line_says_what_an_operator_looks_for(self) -> None:
        self.upstream.answers = [Answer(201)]
        told = self.front.ask("/api/groups/", "POST", body=b"{}")

        line = self.front.line(request_id=told.id)
        self.assertEqual(
            {
                name: line[name]
                for name in ("address", "method", "path", "status", "upstream", "upstream_status")
            },
            {
                "address": HOST,
                "method": "POST",
                "path": "/api/groups/",
                "status": "201",
                "upstream": self.upstream.address,
                "upstream_status": "201",
            },
        )


class BudgetTests(FrontTestCase):
    """Of one source: an IPv4 address, or the /64 of an IPv6 one."""

    http_config = "set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address;\n"
    variables = {"HUB_REQUESTS_PER_SECOND": "1", "HUB_BURST": "2"}

    def statuses(self, *addresses: str) -> list[int]:
        return [self.front.ask("/api/", headers={"X-Test-Address": address}).status for address in addresses]

    def test_one_source_is_bounded_and_another_is_not(self) -> None:
        self.assertEqual(self.statuses(*["192.0.2.1"] * 3), [200] * 3)

        told = self.front.ask("/api/", headers={"X-Test-Address": "192.0.2.1", "Origin": SPA})

        self.assert_refused(told, TooMany)
        self.assertEqual(told.headers["Retry-After"], "5")
        self.assertEqual(told.headers["Access-Control-Allow-Origin"], SPA)
        self.assertEqual(self.statuses("192.0.2.2"), [200])

    def test_a_household_has_one_budget_however_many_addresses(self) -> None:
        ours = [f"2001:db8:0:1::{number:x}" for number in range(4)]
        self.assertEqual(self.statuses(*ours), [200, 200, 200, 429])
        self.assertEqual(self.statuses("2001:db8:0:2::1"), [200])


class SignInBudgetTests(FrontTestCase):
    """A flood of sign-ins costs no thread of ours (R15); nothing else is held up by it."""

    variables = {"HUB_SIGN_INS_PER_SECOND": "1", "HUB_SIGN_IN_BURST": "1"}

    def test_signing_in_has_a_budget_of_its_own(self) -> None:
        paths = ["/api/auth/magic-link/", "/api/auth/verify-otp", "/api/auth/verify/", "/api/auth/magic-link"]
        told = [self.front.ask(path, "POST", body=b"{}").status for path in paths]

        self.assertEqual(told, [200, 200, 429, 429])
        self.assertEqual(self.front.ask("/api/auth/refresh/", "POST", body=b"{}").status, 200)
        self.assertEqual(self.front.ask("/api/groups/").status, 200)


class BothFamiliesTests(FrontTestCase):
    """One port that listens to IPv6 and IPv4: whoever comes by IPv4 is a source of their own all the same."""

    variables = {"HUB_REQUESTS_PER_SECOND": "1", "HUB_BURST": "1"}
    http_config = "set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address;\n"

    def test_addresses_of_four_bytes_are_told_apart(self) -> None:
        def ask(address: str) -> int:
            return self.front.ask("/api/", headers={"X-Test-Address": f"::ffff:{address}"}).status

        self.assertEqual([ask("192.0.2.1") for _ in range(3)], [200, 200, 429])
        self.assertEqual(ask("192.0.2.2"), 200)
