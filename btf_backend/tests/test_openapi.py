"""The OpenAPI document is clean and says enough; the pages that show it need nobody else."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.core.management import call_command
from django.test import TestCase, override_settings, tag
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from btf_backend.operation_names import NAMES
from btf_backend.tests.routes import ENVELOPE, operations, schema
from btf_backend.tests.test_permission_matrix import table
from core import docs
from core.schema import envelope as refusal
from core.testing import in_parallel
from groups.tests.matrix import TABLE, statuses

# What creates without an ``Idempotency-Key``, and why that may be sent again all the same.
NEEDS_NO_KEY = {
    "/api/announcements/{id}/ack/": "one per person: again is 200",
    "/api/events/{id}/register/": "one seat per person: again is 400 already_registered",
    "/api/events/{id}/waitlist/": "one place per person: again is 400 already_waiting",
    "/api/groups/{group_id}/messages/{message_id}/report": "one per person: again is 200",
    "/api/users/me/calendar/": "one per person: the newest address is the one that works",
    "/api/ws/ticket/": "good once and for 30 seconds: one whose answer got lost is replaced by another",
}
FOREIGN = re.compile(r"(?:https?:)?//(?!testserver)[\w.-]+\.\w+")


class DocumentTests(TestCase):
    @tag("walk")
    def test_it_is_valid_and_gives_no_warning(self) -> None:
        with tempfile.TemporaryDirectory() as folder, mock.patch("sys.stderr"):
            path = Path(folder) / "openapi.yaml"
            call_command("spectacular", validate=True, fail_on_warn=True, file=str(path))

            self.assertTrue(path.read_text().startswith("openapi: 3.1.1"))

    def test_every_operation_says_what_it_does(self) -> None:
        tags = {tag["name"] for tag in settings.SPECTACULAR_SETTINGS["TAGS"]}
        for method, path, operation in operations():
            with self.subTest(f"{method} {path}"):
                self.assertTrue(operation["summary"])
                self.assertTrue(operation["description"])
                self.assertEqual(len(operation["tags"]), 1)
                self.assertIn(operation["tags"][0], tags)

    def test_every_operation_names_its_refusals(self) -> None:
        for method, path, operation in operations():
            with self.subTest(f"{method} {path}"):
                signed_in = {} not in operation.get("security", [{}])
                expected = {"400", "413", "415"} if "requestBody" in operation else set()
                expected |= {"401", "503"} if signed_in else set()
                expected |= {"404"} if "{" in path else set()
                expected |= {"429"} if signed_in and method != "GET" else set()
                self.assertLessEqual(expected, set(operation["responses"]))

    def test_a_page_is_a_number_or_the_last(self) -> None:
        pages = [
            parameter["schema"]["oneOf"]
            for _, _, operation in operations()
            for parameter in operation.get("parameters", [])
            if parameter["name"] == "page"
        ]

        self.assertGreater(len(pages), 20)
        for one in pages:
            self.assertEqual(one, [{"type": "integer", "minimum": 1}, {"const": "last"}])

    def test_a_text_is_as_long_as_it_may_be(self) -> None:
        for name in ("NewMessageRequest", "PatchedMessageChangeRequest"):
            text = schema()["components"]["schemas"][name]["properties"]["text"]
            self.assertEqual(text["maxLength"], settings.MESSAGE_MAX_CHARS)

    def test_nothing_is_named_by_the_library_alone(self) -> None:
        self.assertNotIn("BlankEnum", str(schema()))
        role = schema()["components"]["schemas"]["JoiningRequest"]["properties"]["role"]
        self.assertIn({"const": ""}, role["oneOf"])

    def test_what_has_to_wait_is_told_for_how_long(self) -> None:
        for method, path, operation in operations():
            for status in {"429", "503"} & set(operation["responses"]):
                with self.subTest(f"{method} {path}", status=status):
                    self.assertTrue(operation["responses"][status]["headers"]["Retry-After"]["required"])

    def test_what_takes_a_key_says_what_becomes_of_it(self) -> None:
        takes_key = [
            operation
            for _, _, operation in operations()
            if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", []))
        ]

        self.assertTrue(takes_key)
        for operation in takes_key:
            with self.subTest(operation["operationId"]):
                self.assertLessEqual({"400", "404", "422"}, set(operation["responses"]))
                made = [operation["responses"].get(status, {}) for status in ("200", "201", "202")]
                self.assertTrue(any("Idempotent-Replayed" in answer.get("headers", {}) for answer in made))

    def test_whatever_creates_takes_a_key_or_needs_none(self) -> None:
        """SAFETY B34: a phone that hears no answer sends its POST again."""
        creating = {
            path: any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", []))
            for method, path, operation in operations()
            if method == "POST" and "201" in operation["responses"]
        }

        self.assertEqual({path for path, takes_key in creating.items() if not takes_key}, set(NEEDS_NO_KEY))

    def test_operations_are_called_what_the_table_calls_them(self) -> None:
        """A name is what generated clients call: none comes and goes by itself."""
        called = {f"{method} {path}": operation["operationId"] for method, path, operation in operations()}

        self.assertEqual(called, NAMES)

    def test_refusals_list_the_codes_of_their_status(self) -> None:
        schemas = schema()["components"]["schemas"]
        for status, code in ((400, "validation_error"), (404, "not_found"), (409, "event_full")):
            with self.subTest(status):
                known = schemas[f"Refusal{status}"]["properties"]["code"]["enum"]
                self.assertIn(code, known)
                self.assertLess(set(known), set(schemas["Refusal"]["properties"]["code"]["enum"]))

    def test_no_word_of_openapi_3_0_is_left(self) -> None:
        self.assertNotIn("'nullable'", str(schema()))

    def test_names_of_operations_are_there_once(self) -> None:
        names = [operation["operationId"] for _, _, operation in operations()]

        self.assertEqual(len(names), len(set(names)))

    def test_the_refusal_is_the_envelope(self) -> None:
        self.assertCountEqual(schema()["components"]["schemas"]["Refusal"]["required"], ENVELOPE)
        self.assertEqual(schema()["components"]["schemas"]["Refusal"], refusal())

    def test_the_refusal_lists_the_codes_of_our_rules_and_of_the_framework(self) -> None:
        codes = schema()["components"]["schemas"]["Refusal"]["properties"]["code"]["enum"]

        self.assertLessEqual(
            {"limit_reached", "template_empty", "last_admin", "not_found", "parse_error"}, set(codes)
        )

    def test_every_status_in_the_tables_of_who_may_do_what_is_documented(self) -> None:
        documented = {f"{method} {path}": set(one["responses"]) for method, path, one in operations()}
        for operation, cells in {**table(), **statuses(TABLE)}.items():
            with self.subTest(operation):
                self.assertEqual({str(cell) for cell in cells} - documented[operation], set())

    def test_whatever_needs_a_token_says_so(self) -> None:
        for method, path, operation in operations():
            with self.subTest(f"{method} {path}"):
                status = APIClient().generic(method, re.sub(r"\{\w+\}", "1", path)).status_code
                self.assertEqual(status == 401, {"accessToken": []} in operation.get("security", []))


@override_settings(API_DOCS_PUBLIC=True)
class PageTests(TestCase):
    def test_no_page_asks_another_host(self) -> None:
        for path in ("/api/docs/", "/api/redoc/"):
            with self.subTest(path):
                page = self.client.get(path).content.decode()

                self.assertEqual(FOREIGN.findall(page), [])
                self.assertIn("/static/drf_spectacular_sidecar/", page)

    def test_no_schema_is_sent_to_a_validator(self) -> None:
        self.assertIn('"validatorUrl": null', self.client.get("/api/docs/?script=").content.decode())

    def test_the_schema_is_yaml_or_json(self) -> None:
        with mock.patch("core.docs.SchemaGenerator.get_schema", side_effect=AssertionError("made again")):
            text, document = (self.client.get(f"/api/schema/{form}") for form in ("", "?format=json"))

        self.assertTrue(text.content.startswith(b"openapi: 3.1.1"))
        self.assertEqual(text.headers["Content-Type"], "application/vnd.oai.openapi; charset=utf-8")
        self.assertRegex(text.headers["Content-Disposition"], r'^inline; filename="[^"]+\.yaml"$')
        self.assertEqual(document.json()["info"]["version"], "1.0.0")
        self.assertEqual(document.headers["Content-Type"], "application/vnd.oai.openapi+json")

    def test_it_is_made_once_however_many_ask_at_once(self) -> None:
        make = SchemaGenerator.get_schema
        with mock.patch.object(SchemaGenerator, "get_schema", autospec=True, side_effect=make) as making:
            docs.made.cache_clear()
            in_parallel(lambda _: docs.document(), 4)

        self.assertEqual(making.call_count, 1)
