"""Whoever calls by token is not asked for cookies."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.http import HttpResponse
from django.test import RequestFactory, SimpleTestCase

from core.pages import PageMessages, PageSessions, PageUsers


class PassingTests(SimpleTestCase):
    """Each of the three passes by, or does what Django's own does."""

    def seen(self, path: str, **headers: str) -> list[str]:
        seen: list[str] = []

        def get_response(request: Any) -> HttpResponse:
            seen.extend(name for name in ("session", "user", "_messages") if hasattr(request, name))
            return HttpResponse()

        inner = PageMessages(get_response)
        with patch("core.sessions.SessionStore.load", return_value={}):
            PageSessions(PageUsers(inner))(RequestFactory().get(path, headers=headers))
        return seen

    def test_a_call_by_token_passes(self) -> None:
        for scheme in ("Bearer", "bearer"):
            self.assertEqual(self.seen("/api/users/me/", authorization=f"{scheme} x.y.z"), [])

    def test_all_else_has_its_session(self) -> None:
        everything = ["session", "user", "_messages"]
        self.assertEqual(self.seen("/admin/", authorization="Bearer x.y.z"), everything)
        self.assertEqual(self.seen("/media/a.pdf", authorization="Bearer x.y.z"), everything)
        self.assertEqual(self.seen("/api/docs/"), everything)
        self.assertEqual(self.seen("/api/docs/", authorization="Basic eDp5"), everything)
