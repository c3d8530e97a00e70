"""``GET /api/announcements/`` and ``GET /api/announcements/{id}/``: who reads what, in which order."""

from __future__ import annotations

from typing import Any, Final
from unittest.mock import patch

from django.test import override_settings
from django.utils import timezone

from announcements.models import Announcement
from announcements.tests.cases import NewsCase, call, url
from announcements.tests.factories import hours, make_announcement
from core.roles import Audience, Role
from users.tests.factories import make_superuser, make_user

KEYS: Final = {
    *("id", "title", "summary", "content", "author", "audience", "link", "createdAt", "updatedAt"),
    *("contentHtml", "pinned", "publishAt", "expiresAt", "state", "acknowledgedAt"),
}


def at(moment: Any) -> Any:
    """Let it be that moment."""
    return patch.object(timezone, "now", return_value=moment)


class AudienceTests(NewsCase):
    def test_each_role_reads_what_is_for_everyone_and_for_itself(self) -> None:
        for audience in Audience:
            make_announcement(title=audience, audience=audience)

        for role in Role:
            expected = set(Audience) if role == Role.ADMIN else {Audience.ALL, role}
            with self.subTest(role):
                self.assertEqual(set(self.titles(make_user(role=role))), expected)
        self.assertEqual(set(self.titles(make_superuser())), set(Audience))
        self.assertEqual(set(self.titles(make_user(is_staff=True))), {Audience.ALL, Audience.STUDENT})

    def test_what_is_for_others_does_not_exist(self) -> None:
        news = make_announcement(audience=Audience.MENTOR)

        self.assert_refused(call(self.student, "get", url("detail", news.pk)), 404)
        self.assertEqual(call(self.mentor, "get", url("detail", news.pk)).status_code, 200)
        self.assertEqual(call(self.admin, "get", url("detail", news.pk)).status_code, 200)

    def test_an_unknown_id_is_404(self) -> None:
        for pk in ("1", "x", "0", str(2**63)):
            with self.subTest(pk):
                self.assert_refused(call(self.admin, "get", f"/api/announcements/{pk}/"), 404)


class OrderTests(NewsCase):
    def test_the_newest_comes_first_and_of_one_moment_the_last(self) -> None:
        for title in "abcd":
            make_announcement(title=title)
        moments = {"a": hours(-1), "b": hours(-3), "c": hours(-1), "d": hours(-2)}
        for title, moment in moments.items():
            Announcement.objects.filter(title=title).update(created_at=moment)
        Announcement.objects.filter(title="c").update(created_at=moments["a"])

        self.assertEqual(self.titles(self.student), ["c", "a", "d", "b"])

    def test_pinned_ones_stand_before_all_others(self) -> None:
        for title, pinned in (("a", True), ("b", False), ("c", True), ("d", False)):
            make_announcement(title=title, pinned=pinned)

        self.assertEqual(self.titles(self.student), ["c", "a", "d", "b"])

    def test_what_was_scheduled_is_new_on_its_day(self) -> None:
        make_announcement(title="scheduled", publish_at=hours(-1), created_at=hours(-90))
        make_announcement(title="old", created_at=hours(-2))
        make_announcement(title="new", created_at=hours(-0.5))
        make_announcement(title="published long before it was written", publish_at=hours(-99))

        self.assertEqual(
            self.titles(self.student), ["published long before it was written", "new", "scheduled", "old"]
        )


class ScheduleTests(NewsCase):
    def setUp(self) -> None:
        super().setUp()
        self.rows = {
            "plain": make_announcement(title="plain"),
            "running": make_announcement(title="running", publish_at=hours(-1), expires_at=hours(1)),
            "scheduled": make_announcement(title="scheduled", publish_at=hours(1), expires_at=hours(2)),
            "expired": make_announcement(title="expired", publish_at=hours(-2), expires_at=hours(-1)),
            "over": make_announcement(title="over", expires_at=hours(-1)),
        }

    def test_others_than_admins_read_what_is_published_alone(self) -> None:
        self.assertEqual(set(self.titles(self.student)), {"plain", "running"})
        self.assertEqual(set(self.titles(self.admin)), set(self.rows))

        for title, row in self.rows.items():
            with self.subTest(title):
                status = call(self.student, "get", url("detail", row.pk)).status_code
                self.assertEqual(status, 200 if title in {"plain", "running"} else 404)

    def test_each_says_its_state_and_is_found_by_it(self) -> None:
        expected = {
            "published": {"plain", "running"},
            "scheduled": {"scheduled"},
            "expired": {"expired", "over"},
        }
        rows = call(self.admin, "get", url("list")).json()["results"]
        for state, titles in expected.items():
            with self.subTest(state):
                self.assertEqual({row["title"] for row in rows if row["state"] == state}, titles)
                self.assertEqual(set(self.titles(self.admin, state=state)), titles)
                seen = titles if state == "published" else set()
                self.assertEqual(set(self.titles(self.student, state=state)), seen)

    def test_the_moment_itself_belongs_to_what_follows(self) -> None:
        moment = hours(1)
        row = make_announcement(title="edge", publish_at=moment, expires_at=hours(2))
        with at(moment):
            self.assertEqual(row.state, "published")
            self.assertIn("edge", self.titles(self.student))
        row = make_announcement(title="edge of its end", expires_at=moment)
        with at(moment):
            self.assertEqual(row.state, "expired")
            self.assertNotIn("edge of its end", self.titles(self.student))


class FilterTests(NewsCase):
    def test_the_audience_is_exact(self) -> None:
        for audience in Audience:
            make_announcement(title=audience, audience=audience)

        self.assertEqual(self.titles(self.admin, audience="mentor"), ["mentor"])
        self.assertEqual(self.titles(self.student, audience="mentor"), [])
        self.assertEqual(self.titles(self.student, audience="student"), ["student"])
        self.assertEqual(len(self.titles(self.admin, audience="")), len(Audience))

    def test_a_value_that_does_not_exist_is_named(self) -> None:
        for name in ("audience", "state"):
            for value in ("teacher", "Student", "PUBLISHED", "\x00"):
                with self.subTest(name, value=value):
                    self.assert_refused(call(self.student, "get", url("list"), {name: value}), 400, name)

    def test_words_are_found_in_title_summary_and_content_alone(self) -> None:
        make_announcement(title="Poster Day", author="Quokka")
        make_announcement(title="b", summary="Bring your POSTER")
        make_announcement(title="c", content="100% a_b\nO'Hara C:\\temp")

        for text, titles in (
            ("poster", ["b", "Poster Day"]),
            ("  ster d ", ["Poster Day"]),
            ("quokka", []),
            ("0%", ["c"]),
            ("%", ["c"]),
            ("a_b", ["c"]),
            ("_", ["c"]),
            ("o'hara c:\\T", ["c"]),
            ("dayshort", []),
            ("", ["c", "b", "Poster Day"]),
        ):
            with self.subTest(text):
                self.assertEqual(self.titles(self.student, search=text), titles)

    def test_a_search_is_no_essay(self) -> None:
        self.assertEqual(self.titles(self.student, search="x" * 200), [])
        self.assert_refused(call(self.student, "get", url("list"), {"search": "x" * 201}), 400, "search")

    def test_filters_narrow_the_list_alone(self) -> None:
        """B83."""
        news = make_announcement(audience=Audience.STUDENT)

        response = call(self.student, "get", url("detail", news.pk), {"audience": "mentor", "search": "zz"})

        self.assertEqual(response.status_code, 200)


class PageTests(NewsCase):
    def page(self, **query: Any) -> Any:
        return call(self.student, "get", url("list"), query).json()

    def test_a_hundred_is_a_page(self) -> None:
        """D9."""
        Announcement.objects.bulk_create(Announcement(title=f"{n}", summary="x") for n in range(101))

        body = self.page()
        self.assertEqual((body["count"], len(body["results"]), body["previous"]), (101, 100, None))
        self.assertTrue(body["next"].startswith("http"))
        self.assertEqual(len(self.page(page=2)["results"]), 1)
        self.assertEqual(len(self.page(page_size=7)["results"]), 7)
        self.assertEqual(len(self.page(page_size=500)["results"]), 100)
        self.assertEqual(call(self.student, "get", url("list"), {"page": 3}).status_code, 404)
        with override_settings(CONTENT_PAGE_SIZE=30):
            self.assertEqual(len(self.page()["results"]), 30)

    def test_a_row_of_the_list_is_the_whole_announcement(self) -> None:
        news = make_announcement(content="**Now**", link="https://x.example/")

        (row,) = self.page()["results"]
        detail = call(self.student, "get", url("detail", news.pk)).json()

        self.assertEqual(set(row), KEYS)
        self.assertEqual(detail, {**row, "audienceCount": None, "acknowledgedCount": None})
        self.assertEqual(row["contentHtml"], "<p><strong>Now</strong></p>\n")
        self.assertEqual((row["author"], row["state"], row["pinned"]), ("Program Team", "published", False))
        self.assertTrue(row["createdAt"].endswith("Z"))
