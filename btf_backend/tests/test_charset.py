"""The guard before Django: an odd charset is no way to an error page."""

from __future__ import annotations

import io
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.test import SimpleTestCase, override_settings

from btf_backend.charset import PlainCharset

ODD = (
    "hex",
    "idna",
    "punycode",
    "undefined",
    "rot13",
    "base64",
    "zip",
    "bz2",
    "uu",
    "quopri",
    "x",
    "",
    "utf-7",
)


@override_settings(ALLOWED_HOSTS=["testserver"])
class CharsetTests(SimpleTestCase):
    def status(self, content_type: str, path: str = "/api/health/live/", query: str = "") -> str:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": content_type,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
        }
        answered: list[str] = []

        def start_response(status: str, *args: Any) -> None:
            answered.append(status)

        list(PlainCharset(WSGIHandler())(environ, start_response))
        return answered[0]

    def test_no_codec_of_python_is_an_error_page(self) -> None:
        """SAFETY B02: Django decodes the query by the charset of a body, before any middleware."""
        for charset in ODD:
            for form in (f"a/b; charset={charset}", f'a/b;x=1; Charset="{charset}"; y=2'):
                with self.subTest(form):
                    self.assertEqual(self.status(form, query="a=%ff"), "200 OK")

    def test_the_charsets_of_the_web_are_left_alone(self) -> None:
        kept = ["text/plain; charset=UTF-8", "text/plain", "", "multipart/form-data; boundary=x"]
        seen: list[str] = []

        def inner(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            seen.append(environ["CONTENT_TYPE"])
            return []

        for content_type in kept:
            PlainCharset(inner)({"CONTENT_TYPE": content_type}, None)

        self.assertEqual(seen, kept)
