"""Whose address counts behind 0, 1 or 2 proxies, whatever the client writes into the header."""

from __future__ import annotations

from typing import Any

from django.test import RequestFactory, SimpleTestCase, override_settings

from core.http import client_address, client_source, source_of_scope

PEER = "10.0.0.1"
# The header; then the address with 0, 1 and 2 trusted proxies.
CASES = [
    (None, PEER, PEER, PEER),
    ("", PEER, PEER, PEER),
    ("203.0.113.5", PEER, "203.0.113.5", PEER),
    ("203.0.113.5, 10.0.0.2", PEER, "10.0.0.2", "203.0.113.5"),
    ("1.1.1.1, 203.0.113.5, 10.0.0.2", PEER, "10.0.0.2", "203.0.113.5"),
    ("a,b,c,d,1.1.1.1,203.0.113.5", PEER, "203.0.113.5", "1.1.1.1"),
    (" 203.0.113.5 ,  10.0.0.2 ", PEER, "10.0.0.2", "203.0.113.5"),
    (",", PEER, PEER, PEER),
]
SOURCES = {
    "203.0.113.5": "203.0.113.5",
    "::ffff:203.0.113.5": "203.0.113.5",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
    "2001:0DB8:1:2::9": "2001:db8:1:2::",
    "2001:db8:1:3::9": "2001:db8:1:3::",
    "fe80::1%eth0": "fe80::",
    "203.0.113.5:4711": "unknown",
    "x" * 300: "unknown",
    "\x00": "unknown",
    "": "unknown",
}


class ClientAddressTests(SimpleTestCase):
    def test_only_what_trusted_proxies_wrote_is_believed(self) -> None:
        for header, *expected in CASES:
            headers = {} if header is None else {"X-Forwarded-For": header}
            request = RequestFactory(REMOTE_ADDR=PEER).get("/", headers=headers)
            for proxies, address in enumerate(expected):
                with self.subTest(header=header), override_settings(TRUSTED_PROXY_COUNT=proxies):
                    self.assertEqual(client_address(request), address, proxies)

    def test_a_sockets_handshake_is_judged_by_the_same_rule(self) -> None:
        for header, *expected in CASES:
            # Each proxy may have written a header of its own.
            given = (
                [] if header is None else [(b"x-forwarded-for", hop.encode()) for hop in header.split(",")]
            )
            scope = {"client": [PEER, 4711], "headers": [(b"host", b"x"), *given]}
            for proxies, address in enumerate(expected):
                with self.subTest(header=header), override_settings(TRUSTED_PROXY_COUNT=proxies):
                    source = client_source(RequestFactory(REMOTE_ADDR=address).get("/"))
                    self.assertEqual(source_of_scope(scope), source, proxies)

    def test_a_handshake_over_a_unix_socket_has_no_address(self) -> None:
        scopes: list[dict[str, Any]] = [{"headers": []}, {"client": None, "headers": []}]
        for scope in scopes:
            self.assertEqual(source_of_scope(scope), "unknown")

    def test_one_source_is_an_ipv4_address_or_a_64_of_ipv6(self) -> None:
        for address, source in SOURCES.items():
            with self.subTest(address):
                self.assertEqual(client_source(RequestFactory(REMOTE_ADDR=address).get("/")), source)
