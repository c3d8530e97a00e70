"""What the table of announcements allows, and who sees which row."""

from datetime import UTC, datetime
from importlib import import_module

from django.apps import apps
from django.test import TestCase

from announcements.models import Announcement
from core.roles import Audience, Role
from users.tests.factories import make_user


class AnnouncementTests(TestCase):
    def test_each_role_sees_what_is_for_everyone_and_for_itself(self) -> None:
        for audience in Audience:
            Announcement.objects.create(title=audience, summary="News", audience=audience)

        for role in Role:
            seen = set(Announcement.objects.visible_to(make_user(role=role)).values_list("title", flat=True))
            with self.subTest(role=role):
                self.assertEqual(seen, set(Audience) if role == Role.ADMIN else {Audience.ALL, role})

    def test_the_newest_comes_first(self) -> None:
        first, second = (Announcement.objects.create(title=title, summary="News") for title in "ab")
        Announcement.objects.update(created_at=second.created_at)

        self.assertEqual(list(Announcement.objects.all()), [second, first])

    def test_it_comes_from_the_team_to_everyone_unless_said_otherwise(self) -> None:
        news = Announcement.objects.create(title="Welcome", summary="News")

        self.assertEqual((news.author, news.audience, news.link), ("Program Team", "all", None))

    def test_moments_may_be_given_as_text(self) -> None:
        fields = {"title": "x", "summary": "x", "publish_at": "2031-05-06 08:00", "expires_at": "2031-05-07"}
        made = Announcement.objects.create(**fields)
        (one_of_many,) = Announcement.objects.bulk_create(
            [Announcement(**{**fields, "publish_at": "2031-05-06T08:00Z", "expires_at": "2031-05-07T00:00Z"})]
        )

        self.assertEqual(made.state, Announcement.State.SCHEDULED)
        for news in (made, one_of_many):
            news.refresh_from_db()
            self.assertEqual(news.expires_at, datetime(2031, 5, 7, tzinfo=UTC))
            self.assertEqual(news.appears_at, datetime(2031, 5, 6, 8, tzinfo=UTC))

    def test_rows_from_before_are_as_they_would_be_written_now(self) -> None:
        migration = import_module("announcements.migrations.0004_tidy_what_was_there")
        for author, link in (
            ("", ""),
            ("  ", "ftp://x.example/"),
            ("Ann", "https://x.example/"),
            ("Bo", None),
        ):
            news = Announcement.objects.create(title="x", summary="x")
            Announcement.objects.filter(pk=news.pk).update(author=author, link=link)

        migration.tidy(apps, None)

        self.assertEqual(
            list(Announcement.objects.order_by("pk").values_list("author", "link")),
            [("Program Team", None), ("Program Team", None), ("Ann", "https://x.example/"), ("Bo", None)],
        )
