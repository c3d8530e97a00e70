"""What the table of announcements allows, and who sees which row."""

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
