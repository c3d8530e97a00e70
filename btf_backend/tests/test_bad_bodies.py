"""Whatever is sent to whichever route by whomever: below 500, refusals in the envelope (B11, B28, B29)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson
from django.core.cache import cache
from django.test import TestCase, override_settings, tag
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from btf_backend.tests.routes import (
    ENVELOPE,
    METHODS,
    api_paths,
    body_fields,
    is_public,
    offered,
    operations,
)
from core.testing import undone
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON, FORM, PARTS = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
BODIES: Final[dict[str, tuple[bytes, str]]] = {
    "nothing": (b"", JSON),
    "array": (b"[1]", JSON),
    "null": (b"null", JSON),
    "number": (b"5", JSON),
    "string": (b'"x"', JSON),
    "half": (b'{"a":', JSON),
    "raw NUL": (b'{"a":"\x00"}', JSON),
    "escaped NUL": (b'{"\\u0000":"\\u0000"}', JSON),
    "lone surrogate": (b'{"a":"\\ud800"}', JSON),
    "deep list": (b'{"profile":' + b"[" * 50_000 + b"]" * 50_000 + b"}", JSON),
    "deep object": (b'{"profile":' * 900 + b"1" + b"}" * 900, JSON),
    "1 MB string": (b'{"email":"%s"}' % (b"x" * 1_000_000), JSON),
    "too large": (b'{"a":"%s"}' % (b"x" * 2_700_000), JSON),
    "wrong type": (b"<a/>", "application/xml"),
    "no type": (b"{}", ""),
    "broken type": (b"{}", "nonsense;;"),
    "form with NUL": (b"email=%00&code=%ED%A0%80&profile=x&%=&=&", FORM),
    "parts without end": (b"--x\r\n", PARTS),
    "parts of bytes": (
        b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n\xff\x00\r\n--x--',
        PARTS,
    ),
}
# As they stand in JSON.
VALUES: Final[dict[str, bytes]] = {
    "null": b"null",
    "int": b"5",
    "negative": b"-5",
    "fraction": b"1.5",
    "beyond int64": b"9" * 30,
    "1e400": b"1e400",
    "bool": b"true",
    "list": b"[1,[2],{}]",
    "object": b'{"a":{"b":null}}',
    "empty": b'""',
    "NUL": b'"a\\u0000b"',
    "10 kB": b'"%s"' % (b"x" * 10_000),
    "emoji": '"👩‍🔬\u202e"'.encode(),
}
UNREAD: Final = {"nothing", "half", "too large"}
WORDS: Final = {"email": "ada@example.org", "code": "123456"}


@override_settings(
    API_WRITES_PER_USER="", MAGIC_LINK_PER_SOURCE="", MAGIC_LINK_PER_ADDRESS="", VERIFY_PER_SOURCE=""
)
@tag("walk")
class BadBodyTests(TestCase):
    clients: dict[str, APIClient]

    @classmethod
    def setUpTestData(cls) -> None:
        cache.clear()
        cls.clients = {
            "anonymous": APIClient(),
            "student": signed_in_client(make_user()),
            "admin": signed_in_client(make_admin()),
        }

    def check(self, who: str, method: str, path: str, body: bytes, kind: str = JSON) -> None:
        """Send, undo whatever it did, and look at the answer."""
        client: Any = self.clients[who]
        client.handler.raise_request_exception = False
        with undone():
            response = client.generic(method.upper(), path, body, content_type=kind)
        self.assertLess(response.status_code, 500, response.content[:300])
        if response.status_code >= 400 and method != "head":
            self.assertLessEqual(ENVELOPE, set(orjson.loads(response.content)))

    def test_every_route_and_method_with_every_kind_of_body(self) -> None:
        """B11, B29."""
        for path in api_paths():
            for method in METHODS:
                for who, name in self.senders(path, method):
                    with self.subTest(path=path, method=method, body=name, who=who):
                        self.check(who, method, path, *BODIES[name])

    @staticmethod
    def senders(path: str, method: str) -> Iterator[tuple[str, str]]:
        """Yield who sends what: each kind of body where it is read, some where it is refused before."""
        is_public = offered().get((path, method))
        for who, is_read in (("anonymous", is_public), ("student", is_public is not None)):
            yield from ((who, name) for name in (BODIES if is_read else UNREAD))

    def test_every_known_field_with_every_type_of_value(self) -> None:
        """B28, B29."""
        for method, path, operation in operations():
            url = re.sub(r"\{\w+\}", "1", path)
            who = "anonymous" if is_public(operation) else "admin"
            for name, body in self.bodies(body_fields(operation)):
                with self.subTest(operation=f"{method} {path}", body=name):
                    self.check(who, method, url, body)

    @staticmethod
    def bodies(fields: dict[str, list[str]]) -> Iterator[tuple[str, bytes]]:
        """Yield a body for each field and each value; the other fields are good where we know a good one."""
        for field, inner in fields.items():
            others = {name: word for name, word in WORDS.items() if name in fields and name != field}
            for kind, value in VALUES.items():
                start = orjson.dumps(others)[:-1] + (b"," if others else b"")
                yield f"{field}: {kind}", b'%s"%s":%s}' % (start, field.encode(), value)
                for name in inner:
                    yield (
                        f"{field}.{name}: {kind}",
                        b'{"%s":{"%s":%s}}' % (field.encode(), name.encode(), value),
                    )

    @override_settings(TRUSTED_PROXY_COUNT=1, VERIFY_PER_SOURCE="999/1m", MAGIC_LINK_PER_SOURCE="999/1m")
    def test_queries_and_headers_of_any_kind(self) -> None:
        """SAFETY B17, B24."""
        queries = [
            "page=%00",
            "page=" + "9" * 5_000,
            "page_size=1e400",
            "token=%ff",
            "a[]=1&=&&%",
            "format=xml",
        ]
        headers: list[dict[str, Any]] = [
            {"HTTP_AUTHORIZATION": value}
            for value in (
                "",
                "Bearer",
                "Bearer ",
                "Bearer \xff",
                "Bearer a.b.c",
                "Basic x",
                "Bearer " + "x" * 65_536,
            )
        ]
        headers += [{"HTTP_ACCEPT": "a/b;;q=x"}, {"CONTENT_LENGTH": "x"}]
        headers += [{"HTTP_X_FORWARDED_FOR": text} for text in (", \x00 x y", "x" * 9_000)]
        client = APIClient(raise_request_exception=False)
        for path in api_paths():
            for query in queries:
                with self.subTest(path=path, query=query[:20]):
                    self.check("student", "get", f"{path}?{query}", b"")
            for header in headers:
                with self.subTest(path=path, header=str(header)[:50]):
                    self.assertLess(client.get(path, **header).status_code, 500)
