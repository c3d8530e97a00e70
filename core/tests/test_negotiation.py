"""In which form an answer is told: what the framework says, read once."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.test import SimpleTestCase
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from core import negotiation
from core.negotiation import RememberedNegotiation
from core.renderers import OrjsonRenderer

HEADERS = (
    None,
    "*/*",
    "application/json",
    "application/json, text/plain, */*",
    "application/json; indent=4",
    "text/html,application/xhtml+xml,*/*;q=0.8",
    "application/*",
    "text/html",
    "nonsense",
    "",
    "text/html, " * 30 + "*/*",
)


class Plain(OrjsonRenderer):
    """Another form."""

    media_type, format = "text/plain", "txt"


class NegotiationTests(SimpleTestCase):
    def setUp(self) -> None:
        RememberedNegotiation.known.clear()

    def chosen(self, by: Any, accept: str | None, query: str = "", renderers: Any = None) -> Any:
        """Return which of the renderers answers and its media type, or why none does."""
        headers = {} if accept is None else {"accept": accept}
        request = Request(APIRequestFactory().get(f"/{query}", headers=headers))
        able = renderers or [OrjsonRenderer(), Plain()]
        try:
            renderer, media_type = by().select_renderer(request, able)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must be the same
            return type(error)
        return able.index(renderer), media_type

    def test_it_is_the_framework_s_choice_the_first_time_and_later(self) -> None:
        for accept in HEADERS:
            for query in ("", "?format=txt", "?format=nope"):
                with self.subTest(accept=accept, query=query):
                    expected = self.chosen(DefaultContentNegotiation, accept, query)
                    for _ in range(2):
                        self.assertEqual(self.chosen(RememberedNegotiation, accept, query), expected)

    def test_a_header_that_is_known_is_not_read_again(self) -> None:
        self.chosen(RememberedNegotiation, "application/json")

        with patch.object(DefaultContentNegotiation, "select_renderer", side_effect=AssertionError):
            self.assertEqual(self.chosen(RememberedNegotiation, "application/json"), (0, "application/json"))

    def test_other_forms_are_another_question(self) -> None:
        self.assertEqual(self.chosen(RememberedNegotiation, "text/plain"), (1, "text/plain"))
        alone = [OrjsonRenderer()]
        self.assertIs(self.chosen(RememberedNegotiation, "text/plain", renderers=alone), NotAcceptable)

    def test_nobody_fills_the_memory(self) -> None:
        with patch.object(negotiation, "HEADERS_KEPT", 3):
            for number in range(9):
                self.chosen(RememberedNegotiation, f"application/json;v={number}, */*")
        self.chosen(RememberedNegotiation, "x" * 300 + ", */*")

        self.assertLessEqual(len(RememberedNegotiation.known), 3)
