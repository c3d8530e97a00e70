"""Bodies in: whatever is sent, the answer is a document or a 4xx, never a 500 (B11, B29)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import orjson
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.test import SimpleTestCase, override_settings
from rest_framework.test import APIClient

from core.parsers import BoundedFormParser, OrjsonParser
from core.refusals import TooLarge
from core.tests.raising import RaisingView

URL = "/api/framework/echo/"
LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
FORM = "application/x-www-form-urlencoded"


@override_settings(ROOT_URLCONF="core.tests.raising")
class BodyTestCase(SimpleTestCase):
    def setUp(self) -> None:
        self.client = APIClient(raise_request_exception=False)

    def send(self, body: bytes, kind: str = "application/json", **extra: Any) -> Any:
        return self.client.generic("POST", URL, body, content_type=kind, **extra)


class JsonTests(BodyTestCase):
    def test_an_object_is_taken_as_it_is(self) -> None:
        data = {"text": "Zoë 🧬", "none": None, "list": [1, {"a": 1.5}], "yes": True}

        self.assertEqual(self.send(orjson.dumps(data)).json(), {"parsed": data})

    def test_an_empty_body_is_an_empty_object(self) -> None:
        for body in (b"", b" \r\n "):
            with self.subTest(body):
                self.assertEqual(self.send(body).json(), {"parsed": {}})

    def test_anything_but_an_object_is_400(self) -> None:
        """B11, B29."""
        for body in (b"[]", b"[1]", b"null", b"5", b'"x"', b"true", b"1.5"):
            with self.subTest(body):
                response = self.send(body)

                self.assertEqual(response.status_code, 400)
                self.assertEqual(response.json()["non_field_errors"], ["The body must be a JSON object."])

    def test_what_is_no_json_is_400(self) -> None:
        broken = {
            "half": b'{"a":',
            "words": b"a=1",
            "NaN": b'{"a":NaN}',
            "infinite": b'{"a":1e400}',
            "lone surrogate": b'{"a":"\\ud800"}',
            "latin-1": b'{"a":"\xe9"}',
            "bom of UTF-16": b"\xff\xfe{\x00}\x00",
            "deep list": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            "deep object": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
            "raw control": b'{"a":"\x00"}',
        }
        for name, body in broken.items():
            with self.subTest(name):
                response = self.send(body)

                self.assertEqual((response.status_code, response.json()["code"]), (400, "parse_error"))
                self.assertEqual(response.json()["error"], "The request body could not be read.")

    def test_a_megabyte_and_a_number_without_end_are_read(self) -> None:
        self.assertEqual(self.send(b'{"a":"%s"}' % (b"x" * 1_000_000)).status_code, 200)
        self.assertEqual(self.send(b'{"a":%s}' % (b"9" * 300)).status_code, 200)

    def test_another_content_type_is_415(self) -> None:
        for kind in ("text/plain", "application/xml", "application/json-patch+json", "nonsense", "a/b; c"):
            with self.subTest(kind):
                self.assertEqual(self.send(b"{}", kind).status_code, 415)


class FormTests(BodyTestCase):
    def test_urlencoded_and_multipart_are_taken_like_json(self) -> None:
        for kind in (FORM, "multipart/form-data"):
            with self.subTest(kind):
                body = b"a=1&b=%C3%AB" if kind == FORM else None
                response = self.send(body, kind) if body else self.client.post(URL, {"a": "1", "b": "ë"})

                self.assertEqual(response.json(), {"parsed": {"a": "1", "b": "ë"}})

    def test_broken_forms_are_no_server_error(self) -> None:
        boundary = "multipart/form-data; boundary=x"
        cases = [
            (b"%ED%A0%80=%00&=&&a", FORM),
            (b"&".join(b"f%d=1" % n for n in range(1_001)), FORM),
            (b"--x\r\n", boundary),
            (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\x00\xff\r\n--x--', boundary),
            (b"{}", "multipart/form-data"),
            (b"{}", "multipart/form-data; boundary=" + "x" * 300),
            (b"a=1", f"{FORM}; charset=nonsense"),
        ]
        for body, kind in cases:
            with self.subTest(body=body[:30], kind=kind[:40]):
                self.assertLess(self.send(body, kind).status_code, 500)


class SizeTests(BodyTestCase):
    def test_a_body_that_says_it_is_too_large_is_refused_unread(self) -> None:
        """B109."""
        for length in (LIMIT + 1, 10**18, "9" * 5_000):
            with self.subTest(str(length)[:20]):
                response = self.send(b"", CONTENT_LENGTH=str(length))

                self.assertEqual((response.status_code, response.json()["code"]), (413, "payload_too_large"))

    def test_a_length_that_is_no_number_is_left_to_the_server(self) -> None:
        for length in ("", "x", "-1", "1e9", "²"):
            with self.subTest(length):
                self.assertLess(self.send(b"", CONTENT_LENGTH=length).status_code, 500)

    def test_files_have_the_limit_of_uploads(self) -> None:
        kind = "multipart/form-data; boundary=x"
        allowed = settings.FILE_UPLOAD_MAX_BYTES
        statuses = [
            self.send(b"--x--", kind, CONTENT_LENGTH=str(n)).status_code for n in (allowed, allowed * 2)
        ]

        self.assertNotEqual(statuses[0], 413)
        self.assertEqual(statuses[1], 413)

    def test_a_body_of_just_that_size_is_taken(self) -> None:
        body = b'{"a":"%s"}' % (b"x" * (LIMIT - 8))

        self.assertEqual(len(body), LIMIT)
        self.assertEqual(self.send(body).status_code, 200)

    def test_a_stream_without_a_length_is_cut_off_by_the_parsers(self) -> None:
        for parser in (OrjsonParser(), BoundedFormParser()):
            with self.subTest(type(parser).__name__), self.assertRaises(TooLarge):
                parser.parse(BytesIO(b"x" * (LIMIT + 1)))

    def test_a_length_that_lies_gets_no_further(self) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"9")]
        scope = {"type": "http", "method": "POST", "path": URL, "query_string": b"", "headers": headers}
        request = ASGIRequest(scope, BytesIO(b'{"a":"%s"}' % (b"x" * LIMIT)))

        response = RaisingView.as_view()(request, kind="echo")

        self.assertEqual((response.status_code, response.data["code"]), (413, "payload_too_large"))
