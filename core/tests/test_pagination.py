"""Pages: CONTRACT 1.5, line by line."""

from __future__ import annotations

from typing import Any

from django.test import SimpleTestCase, override_settings
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from core.exceptions import as_api_exception
from core.pagination import ContentPagination, HousePagination

ROWS = list(range(57))


class PaginationTests(SimpleTestCase):
    kind = HousePagination

    def page(self, rows: list[int] = ROWS, **params: Any) -> dict[str, Any]:
        request = Request(APIRequestFactory().get("/api/x/", params))
        paginator = self.kind()
        found: Any = paginator.paginate_queryset(rows, request)
        return dict(paginator.get_paginated_response(found).data)

    def test_20_rows_is_a_page(self) -> None:
        body = self.page()

        self.assertEqual((body["count"], body["results"]), (57, ROWS[:20]))
        self.assertEqual((body["previous"], body["next"]), (None, "http://testserver/api/x/?page=2"))

    def test_the_last_page_has_a_name(self) -> None:
        body = self.page(page="last")

        self.assertEqual((body["results"], body["next"]), (ROWS[40:], None))

    def test_neighbours_are_absolute_and_keep_the_other_parameters(self) -> None:
        body = self.page(page=2, page_size=10, q="é&x")

        self.assertEqual(body["next"], "http://testserver/api/x/?page=3&page_size=10&q=%C3%A9%26x")
        self.assertEqual(body["previous"], "http://testserver/api/x/?page_size=10&q=%C3%A9%26x")

    def test_the_size_is_clamped_and_nonsense_is_the_default(self) -> None:
        sizes = {"0": 1, "-5": 1, "1": 1, "57": 57, "101": 57, "9" * 5_000: 20, "x": 20, "": 20, "1.5": 20}
        for text, rows in sizes.items():
            with self.subTest(text[:10]):
                self.assertEqual(len(self.page(page_size=text)["results"]), rows)
        self.assertEqual(len(self.page(list(range(300)), page_size="300")["results"]), 100)

    def test_a_page_that_does_not_exist_is_404(self) -> None:
        for text in ("0", "-1", "4", "x", "1.5", "9" * 40, "9" * 5_000, "\x00"):
            with self.subTest(text[:10]), self.assertRaises(Exception) as caught:
                self.page(page=text)
            error: Any = as_api_exception(caught.exception)
            self.assertEqual(error.status_code, 404)

    def test_page_1_of_nothing_is_a_page(self) -> None:
        self.assertEqual(self.page([]), {"count": 0, "next": None, "previous": None, "results": []})


class ContentPaginationTests(PaginationTests):
    kind = ContentPagination

    def test_20_rows_is_a_page(self) -> None:
        """D9: here it is as many as the setting says."""
        rows = list(range(300))

        self.assertEqual(len(self.page(rows)["results"]), 100)
        with override_settings(CONTENT_PAGE_SIZE=150):
            self.assertEqual(len(self.page(rows)["results"]), 150)
            self.assertEqual(len(self.page(rows, page_size=140)["results"]), 100)

    def test_the_last_page_has_a_name(self) -> None:
        self.assertEqual(self.page(list(range(101)), page="last")["results"], [100])

    def test_the_size_is_clamped_and_nonsense_is_the_default(self) -> None:
        for text, rows in {"0": 1, "7": 7, "101": 100, "x": 100, "": 100}.items():
            with self.subTest(text):
                self.assertEqual(len(self.page(list(range(300)), page_size=text)["results"]), rows)
