"""The reference's defects with announcements (CONTRACT 19.5): one named test for each."""

from __future__ import annotations

from announcements.tests.cases import NewsCase, call, url
from announcements.tests.factories import make_announcement

CONTRACT = {"id", "title", "summary", "content", "author", "audience", "link", "createdAt", "updatedAt"}


class DefectTests(NewsCase):
    def test_lists_have_every_key_that_the_web_client_reads(self) -> None:
        """B92."""
        make_announcement(content="Whole", link="https://x.example/")

        (row,) = call(self.student, "get", url("list")).json()["results"]

        self.assertLessEqual(CONTRACT, set(row))
        self.assertEqual((row["content"], row["link"]), ("Whole", "https://x.example/"))

    def test_a_blank_author_is_the_programme(self) -> None:
        """B93."""
        for sent in ({}, {"author": ""}, {"author": "   "}):
            with self.subTest(sent):
                self.assertEqual(self.created(**sent)["author"], "Program Team")

    def test_no_link_is_null_however_it_was_sent(self) -> None:
        """B93."""
        for sent in ({}, {"link": ""}, {"link": "  "}, {"link": None}):
            with self.subTest(sent):
                pk = self.created(**sent)["id"]
                self.assertIsNone(call(self.student, "get", url("detail", pk)).json()["link"])

    def test_a_link_is_of_the_web_and_fits(self) -> None:
        """B82, as announcements had it too."""
        for link in ("ftp://x.example/", "javascript:alert(1)", f"https://x.example/{'y' * 183}"):
            with self.subTest(link[:20]):
                self.assert_refused(self.create(link=link), 400, "link")

    def test_filters_leave_one_announcement_alone(self) -> None:
        """B83, as announcements had it too."""
        news = make_announcement()
        for query in ({"search": "zz"}, {"audience": "mentor"}, {"state": "expired"}):
            with self.subTest(query):
                detail = call(self.student, "get", url("detail", news.pk), query)
                self.assertEqual(detail.status_code, 200)
