"""Weak ETags of what people read, and 304 for whoever has it (RFC 9110, 8.8.3 and 13.1.2)."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.test import SimpleTestCase, TestCase, override_settings

from authentication.tests.signing_in import signed_in_client
from btf_backend.tests.routes import operations
from core.conditional import NotTags, etag_of, is_copied, is_unchanged, says
from core.models import Upload
from core.uploads.links import HOUR, Links
from resources.models import Resource
from users.models import User
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = int(datetime(2027, 2, 1, tzinfo=UTC).timestamp()) // (6 * HOUR) * 6 * HOUR + 100
ME = "/api/users/me/"
HEALTH = ("/api/health/", "/api/health/live/")
# Reads whose success is no JSON document: files, pages, streams; and a word of the platform to everybody.
WITHOUT = {
    *(*HEALTH, "/api/auth/verify/", "/api/admin/users/export/"),
    *("/api/users/me/export/", "/api/resources/{id}/download/"),
    *("/api/events/{id}/roster/export/", "/api/admin/users/import/{id}/rejected/"),
    "/api/notifications/unsubscribe/{token}/",
}


def at(seconds: float) -> Any:
    return patch("time.time", return_value=seconds)


@contextmanager
def linking_at(seconds: float) -> Iterator[None]:
    """Let links and ETags be made at a moment, while sessions go by the clock."""
    with patch("core.uploads.links.time") as links, patch("core.conditional.time") as tags:
        links.time.return_value = tags.time.return_value = seconds
        yield


class ETagTests(SimpleTestCase):
    def body(self, seconds: float, *, text: str = "", viewer: int = 1) -> bytes:
        with at(seconds):
            link = Links(viewer, "https://api.example.org").to("uploads/3f0c9a.pdf")
        return f'{{"text":"{text}","url":"{link}"}}'.encode()

    def etag(self, seconds: float, body: bytes | None = None) -> str:
        with at(seconds):
            return etag_of(self.body(seconds) if body is None else body)

    def test_it_is_weak_short_and_that_of_the_content(self) -> None:
        self.assertRegex(etag_of(b'{"a":1}'), r'^W/"[0-9a-f]{24}"$')
        self.assertEqual(etag_of(b'{"a":1}'), etag_of(b'{"a":1}'))
        self.assertNotEqual(etag_of(b'{"a":1}'), etag_of(b'{"a":2}'))

    def test_a_link_that_is_signed_anew_changes_nothing(self) -> None:
        first, later = self.body(NOW), self.body(NOW + 2 * HOUR)

        self.assertNotEqual(first, later)
        self.assertEqual(self.etag(NOW), self.etag(NOW + 2 * HOUR))

    def test_it_is_the_same_where_the_hour_ends_between_signing_and_counting(self) -> None:
        end_of_hour = NOW // HOUR * HOUR + HOUR

        self.assertEqual(self.etag(end_of_hour, self.body(end_of_hour - 1)), self.etag(end_of_hour))

    def test_a_link_to_another_file_changes_it(self) -> None:
        other = self.body(NOW).replace(b"3f0c9a", b"3f0c9b")

        self.assertNotEqual(self.etag(NOW), self.etag(NOW, other))

    def test_words_that_look_like_an_old_link_count_as_words(self) -> None:
        """What somebody writes is content: nothing but what was signed just now is left out."""
        with at(NOW - 24 * HOUR):
            pasted = Links(1, "").to("uploads/3f0c9a.pdf")
        other = re.sub(r"-[\w-]{24}/", f"-{'x' * 24}/", pasted)

        self.assertNotEqual(
            self.etag(NOW, self.body(NOW, text=pasted)), self.etag(NOW, self.body(NOW, text=other))
        )

    def test_a_copy_is_sent_anew_while_half_of_the_life_of_its_links_is_left(self) -> None:
        with override_settings(FILE_LINK_HOURS=12):
            kept, soon, late = self.etag(NOW), self.etag(NOW + 5 * HOUR), self.etag(NOW + 6 * HOUR)

        self.assertEqual(kept, soon)
        self.assertFalse(is_copied(late, kept))
        self.assertTrue(is_unchanged(late, kept))
        self.assertEqual(says(late), says(kept))

    def test_without_links_a_copy_is_good_for_ever(self) -> None:
        self.assertEqual(self.etag(NOW, b"{}"), self.etag(NOW + 1_000 * HOUR, b"{}"))

    def test_tags_are_compared_weakly(self) -> None:
        """RFC 9110, 8.8.3.2: with or without W/."""
        for header in ('W/"ab"', '"ab"', '"x", W/"ab"', '"x",W/"ab" , "y"', ', "ab",,', " * "):
            with self.subTest(header):
                self.assertTrue(is_copied('W/"ab"', header))
                self.assertTrue(is_unchanged('W/"ab"', header))
        for header in ('"abc"', 'W/"a"', '"x", "y"', '"AB"', '""', 'W/"ab.1x"'):
            with self.subTest(header):
                self.assertFalse(is_copied('W/"ab"', header))
        self.assertTrue(is_unchanged('W/"ab.2"', 'W/"ab.1"'))

    def test_what_names_no_tag_is_no_copy_and_no_condition(self) -> None:
        long = ("," * 50_000, '"' * 50_001, " " * 50_000 + '"a"x')
        for header in ("", "ab", '"a', "w/*", '"a" "b"', '"a", "', *long):
            with self.subTest(header[:10]):
                self.assertFalse(is_copied('W/"ab"', header))
                with self.assertRaises(NotTags):
                    is_unchanged('W/"ab"', header)


@override_settings(CORS_ALLOWED_ORIGINS=["https://hub.example.org"])
class ReadingTests(TestCase):
    user: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = make_user()

    def setUp(self) -> None:
        self.api: Any = signed_in_client(self.user)

    def read(self, path: str = ME, **headers: str) -> Any:
        return self.api.get(path, headers=headers)

    def test_who_has_it_is_answered_without_a_body_and_with_the_same_headers(self) -> None:
        """RFC 9110, 15.4.5."""
        asked = {"Origin": "https://hub.example.org", "X-Request-ID": "abcdefgh"}
        first = self.read(**asked)

        again = self.read(**asked, **{"If-None-Match": first.headers["ETag"]})

        self.assertEqual((again.status_code, again.content), (304, b""))
        without = {name: value for name, value in first.headers.items() if not name.startswith("Content-")}
        self.assertLessEqual(without.items(), dict(again.headers.items()).items())
        for name in ("ETag", "Cache-Control", "Vary", "X-Request-ID", "Access-Control-Allow-Origin"):
            self.assertIn(name, again.headers)
        self.assertEqual(again.headers["Cache-Control"], "no-store")
        self.assertNotIn("Content-Type", again.headers)

    def test_what_has_changed_is_sent(self) -> None:
        etag = self.read().headers["ETag"]
        User.objects.filter(pk=self.user.pk).update(track="AUS-NSW")

        again = self.read(**{"If-None-Match": etag})

        self.assertEqual((again.status_code, again.json()["track"]), (200, "AUS-NSW"))
        self.assertNotEqual(again.headers["ETag"], etag)

    def test_a_star_is_any_copy_and_nonsense_is_none(self) -> None:
        self.assertEqual(self.read(**{"If-None-Match": "*"}).status_code, 304)
        self.assertEqual(self.read(**{"If-None-Match": "nonsense"}).status_code, 200)

    def test_lists_have_one_for_each_page_and_filter(self) -> None:
        for title in ("One", "Two"):
            Resource.objects.create(title=title, type="guide", role="all")
        tags = {
            self.read(f"/api/resources/?{query}").headers["ETag"]
            for query in ("page_size=1", "page_size=1&page=2", "search=One", "")
        }

        self.assertEqual(len(tags), 4)

    def test_a_document_with_links_is_the_same_an_hour_later(self) -> None:
        key = "resources/files/a.pdf"
        Upload.objects.create(key=key, filename="a.pdf", size=1, mime_type="application/pdf")
        resource = Resource.objects.create(title="Guide", type="guide", role="all", file_url=key)
        path = f"/api/resources/{resource.pk}/"
        with linking_at(NOW):
            first = self.read(path)
        with linking_at(NOW + HOUR):
            later = self.read(path, **{"If-None-Match": first.headers["ETag"]})
            whole = self.read(path)

        self.assertEqual(later.status_code, 304)
        self.assertNotEqual(first.json()["url"], whole.json()["url"])

    def test_head_has_the_etag_of_get(self) -> None:
        etag = self.read().headers["ETag"]

        self.assertEqual(self.api.head(ME).headers["ETag"], etag)
        self.assertEqual(self.api.head(ME, headers={"If-None-Match": etag}).status_code, 304)

    def test_a_reading_may_be_for_one_state_alone(self) -> None:
        etag = self.read().headers["ETag"]

        self.assertEqual(self.read(**{"If-Match": etag}).status_code, 200)
        stale = self.read(**{"If-Match": '"x"', "If-None-Match": etag})
        self.assertEqual((stale.status_code, stale.json()["code"]), (412, "precondition_failed"))
        self.assertEqual(self.read(**{"If-Match": "x"}).status_code, 400)

    def test_refusals_have_none_and_know_no_copy(self) -> None:
        for path in ("/api/groups/NOPE/", "/api/nope/"):
            with self.subTest(path):
                refusal = self.read(path, **{"If-None-Match": "*"})

                self.assertEqual(refusal.status_code, 404)
                self.assertNotIn("ETag", refusal.headers)

    def test_what_is_no_document_has_none(self) -> None:
        """Streams, exports, health: nobody keeps them, and nothing may be held back to be counted."""
        admin = signed_in_client(make_admin())
        for path in (*HEALTH, "/api/admin/users/export/", "/api/users/me/export/"):
            with self.subTest(path):
                self.assertNotIn("ETag", admin.get(path).headers)

    def test_every_document_that_is_read_says_so_in_the_schema(self) -> None:
        for method, path, operation in operations():
            if method == "GET":
                with self.subTest(path):
                    told = "304" in operation["responses"]
                    self.assertEqual(told, path not in WITHOUT)
                    self.assertEqual(told, "ETag" in operation["responses"].get("200", {}).get("headers", {}))

    def test_it_costs_no_query(self) -> None:
        with self.assertNumQueries(2):
            etag = self.read().headers["ETag"]
        with self.assertNumQueries(2):
            self.read(**{"If-None-Match": etag})
