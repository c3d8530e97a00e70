"""Whatever a view raises, the client reads one envelope and nothing of what went wrong inside."""

from __future__ import annotations

from typing import Any

from django.test import override_settings
from rest_framework.test import APIClient, APISimpleTestCase

from core.tests.raising import ERRORS, SECRET

EXPECTED = {
    "refusal": (400, "refused"),
    "refusal-of-a-field": (400, "refused"),
    "forbidden": (403, "permission_denied"),
    "missing": (404, "not_found"),
    "too-many": (429, "throttled"),
    "unavailable": (503, "service_unavailable"),
    "not-authenticated": (403, "not_authenticated"),  # 401 where the view has a scheme to name
    "authentication-failed": (403, "token_not_valid"),
    "framework-throttle": (429, "throttled"),
    "media-type": (415, "unsupported_media_type"),
    "django-404": (404, "not_found"),
    "django-403": (403, "permission_denied"),
    "suspicious": (400, "bad_request"),
    "too-big": (413, "payload_too_large"),
    "integrity": (409, "conflict"),
    "data": (400, "invalid"),
    "operational": (503, "service_unavailable"),
    "interface": (503, "service_unavailable"),
    "redis-gone": (503, "service_unavailable"),
    "redis-slow": (503, "service_unavailable"),
    "cache-gone": (503, "service_unavailable"),
    "unexpected": (500, "server_error"),
    "flat": (400, "validation_error"),
    "nested": (400, "validation_error"),
    "listed": (400, "validation_error"),
    "by-index": (400, "validation_error"),
    "whole-body": (400, "validation_error"),
}
OUTSIDE_ONLY = {"not-authenticated": 401, "authentication-failed": 401}


@override_settings(ROOT_URLCONF="core.tests.raising")
class ErrorTestCase(APISimpleTestCase):
    def setUp(self) -> None:
        self.client = APIClient(raise_request_exception=False)

    def get(self, kind: str, door: str = "framework") -> Any:
        return self.client.get(f"/api/{door}/{kind}/")


class EnvelopeTests(ErrorTestCase):
    def test_every_kind_of_error_wears_the_envelope_inside_the_framework_and_outside(self) -> None:
        """B102."""
        self.assertEqual(set(EXPECTED) | {"named-code", "deep", "whole-list"}, set(ERRORS))
        for kind, (status, code) in EXPECTED.items():
            for door in ("framework", "plain"):
                with self.subTest(kind=kind, door=door):
                    response = self.get(kind, door)
                    body = response.json()
                    wanted = status if door == "framework" else OUTSIDE_ONLY.get(kind, status)

                    self.assertEqual((response.status_code, body["code"]), (wanted, code))
                    self.assertEqual(response.headers["Content-Type"], "application/json")
                    self.assertTrue(body["error"])
                    self.assertEqual(body["detail"], body["error"])
                    self.assertEqual(body["requestId"], response.headers["X-Request-ID"])

    def test_no_answer_tells_what_the_exception_said(self) -> None:
        """B100: not with DEBUG on either."""
        for debug in (False, True):
            for kind in ERRORS:
                with self.subTest(kind=kind, debug=debug), override_settings(DEBUG=debug):
                    answers = [self.get(kind, door).content.decode() for door in ("framework", "plain")]

                    for word in (SECRET, "10.0.0.7", "Traceback", "RuntimeError", "raising.py"):
                        self.assertNotIn(word, "".join(answers))

    def test_what_may_pass_says_when_to_come_back(self) -> None:
        waits = {"too-many": "7", "framework-throttle": "3", "unavailable": "5"}
        waits |= dict.fromkeys(["operational", "interface", "redis-gone", "redis-slow", "cache-gone"], "5")
        for kind, seconds in waits.items():
            for door in ("framework", "plain"):
                with self.subTest(kind=kind, door=door):
                    self.assertEqual(self.get(kind, door).headers["Retry-After"], seconds)

    def test_a_store_that_is_away_is_logged_by_its_kind_alone(self) -> None:
        with self.assertLogs("core.exceptions", "ERROR") as logs:
            self.get("redis-gone")

        self.assertEqual([record.getMessage() for record in logs.records], ["store_unavailable"])
        self.assertEqual(vars(logs.records[0])["store_error"], "ConnectionError")

    def test_what_nobody_expected_is_logged_with_its_traceback(self) -> None:
        for door in ("framework", "plain"):
            with self.subTest(door), self.assertLogs("core.exceptions", "ERROR") as logs:
                self.get("unexpected", door)

            record = logs.records[0]
            self.assertEqual(record.getMessage(), "unhandled_error")
            self.assertIsInstance(record.exc_info and record.exc_info[1], RuntimeError)

    def test_a_page_outside_the_api_stays_a_page(self) -> None:
        response = self.client.get("/pages/unexpected/")

        self.assertEqual(response.status_code, 500)
        self.assertTrue(response.headers["Content-Type"].startswith("text/html"))


class FieldErrorTests(ErrorTestCase):
    def fields(self, kind: str) -> dict[str, Any]:
        body = self.get(kind).json()
        return {name: body[name] for name in body if name not in {"detail", "code", "requestId"}}

    def test_nesting_is_kept_and_the_sentence_names_the_field(self) -> None:
        self.assertEqual(
            self.fields("nested"),
            {
                "error": "yearLevel: Must be a whole number.",
                "profile": {"yearLevel": ["Must be a whole number."]},
            },
        )

    def test_a_refusal_of_a_field_stands_under_its_name(self) -> None:
        self.assertEqual(
            self.fields("refusal-of-a-field"),
            {"error": "groupId: The group is full.", "groupId": ["The group is full."]},
        )

    def test_a_list_of_rows_becomes_a_list_of_sentences(self) -> None:
        self.assertEqual(
            self.fields("listed"),
            {"error": "members.1.email: Enter an address.", "members": ["1.email: Enter an address."]},
        )

    def test_items_are_told_by_their_index(self) -> None:
        self.assertEqual(
            self.fields("by-index"),
            {"error": "areasOfInterest.1: Too long.", "areasOfInterest": ["1: Too long.", "3: Too long."]},
        )

    def test_objects_in_objects_in_a_list_are_told_by_their_way(self) -> None:
        self.assertEqual(
            self.fields("deep"),
            {"error": "milestones.1.tasks.0.name: Blank.", "milestones": ["1.tasks.0.name: Blank."]},
        )

    def test_an_error_of_a_whole_list_is_the_lists_own(self) -> None:
        self.assertEqual(
            self.fields("whole-list"), {"error": "milestones: Too many.", "milestones": ["Too many."]}
        )

    def test_an_error_of_the_whole_body_is_a_plain_sentence(self) -> None:
        self.assertEqual(self.fields("whole-body")["error"], "The body must be a JSON object.")
        self.assertEqual(self.fields("flat"), {"error": "One sentence."})

    def test_a_field_called_code_leaves_the_slug_its_place(self) -> None:
        body = self.get("named-code").json()

        self.assertEqual((body["code"], body["error"]), ("validation_error", "code: Wrong."))
