"""Who reads of an announcement in their inbox: whoever may see it at that moment, and has been told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import time_machine
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from announcements.models import Announcement
from announcements.services.announcements import change_announcement, create_announcement
from announcements.tasks import publish_announcements
from announcements.tests.cases import MailedNewsCase, call, url
from announcements.tests.factories import hours
from authentication.sessions import open_session
from authentication.sweep import inbox_sweeper
from btf_backend.routing import application
from core.models import Delivery, Notice
from core.notifications.digests import write_daily_mails
from core.notifications.inbox import mark_read, news_of
from core.notifications.retention import documents_of, prune_notices
from core.registry import notification_kinds
from users.models import User
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from datetime import datetime

LIST, UNREAD = reverse("notifications:notification-list"), reverse("notifications:notification-unread")
EIGHT = "2027-01-05T08:00:00Z"
LATE = "2027-01-05T23:00:00Z"
NEXT_DAY = "2027-01-06T23:00:00Z"


class SightCase(MailedNewsCase):
    def change(self, news: Announcement, **values: Any) -> None:
        """Change it over the API, and let the workers do what that leaves to them."""
        with self.captureOnCommitCallbacks(execute=True):
            response = call(self.admin, "patch", url("detail", news.pk), values)
        self.assertEqual(response.status_code, 200, response.content)

    def publish_due(self) -> int:
        with self.captureOnCommitCallbacks(execute=True):
            return publish_announcements()["told"]

    def seen(self, who: User) -> list[str]:
        """Return the titles in somebody's inbox. Badge, socket and their own data must say the same."""
        reader = User.objects.get(pk=who.pk)
        titles = [row["title"] for row in call(reader, "get", LIST).json()["results"]]
        news = news_of(reader, after=0, known=())
        told: Any = dict(documents_of(reader))["notifications"]
        abouts = [row["about"]["title"] for row in told if row["about"]]
        self.assertEqual([row.title for row in reversed(news.rows)], titles)
        self.assertEqual(abouts[::-1], titles)
        self.assertEqual(call(reader, "get", UNREAD).json(), {"unread": len(titles)})
        return titles

    def seen_by_all(self) -> tuple[list[str], ...]:
        return self.seen(self.student), self.seen(self.mentor), self.seen(self.admin)


class SightTests(SightCase):
    def test_a_narrower_audience_takes_it_from_the_others_until_it_is_theirs_again(self) -> None:
        news = self.published(title="For all")

        self.change(news, audience="mentor", title="For mentors", summary="Ada is to be moved.")
        self.assertEqual(self.seen_by_all(), ([], ["For mentors"], ["For mentors"]))

        self.change(news, audience="all", title="Again")
        self.assertEqual(self.seen_by_all(), (["Again"],) * 3)

    def test_what_is_put_off_with_a_new_text_is_read_by_nobody_before_its_time(self) -> None:
        news = self.published(title="Poster day")

        self.change(news, publishAt=hours(1).isoformat(), title="Secret until then")
        self.assertEqual(self.seen_by_all(), ([],) * 3)

        with time_machine.travel(hours(2)):
            self.assertEqual(self.publish_due(), 1)
            self.assertEqual(self.seen_by_all(), (["Secret until then"],) * 3)

    def test_what_is_taken_down_stands_in_no_inbox_until_it_is_put_up_again(self) -> None:
        news = self.published(title="Wrong")

        self.change(news, expiresAt=hours(0).isoformat(), title="Taken down")
        self.assertEqual(self.seen_by_all(), ([],) * 3)

        self.change(news, expiresAt=None, title="Right")
        self.assertEqual(self.seen_by_all(), (["Right"],) * 3)

    def test_it_goes_out_of_inboxes_when_it_expires(self) -> None:
        self.published(title="Today", expiresAt=hours(1).isoformat())
        self.assertEqual(self.seen_by_all(), (["Today"],) * 3)

        with time_machine.travel(hours(2)):
            self.assertEqual(self.seen_by_all(), ([],) * 3)

    def test_who_changes_their_role_reads_of_what_is_for_them_alone(self) -> None:
        self.published(title="For students", audience="student")
        self.published(title="For all")
        for role, titles in (
            ("mentor", ["For all"]),
            ("supervisor", ["For all"]),
            ("admin", ["For all", "For students"]),
            ("student", ["For all", "For students"]),
        ):
            User.objects.filter(pk=self.student.pk).update(role=role)
            with self.subTest(role):
                self.assertEqual(self.seen(self.student), titles)

    def test_an_admin_who_is_none_any_more_reads_of_nothing_that_was_for_admins(self) -> None:
        self.published(title="Budget", audience="admin")

        User.objects.filter(pk=self.admin.pk).update(role="mentor")

        self.assertEqual(self.seen(self.admin), [])

    def test_its_notice_says_the_same_as_it_after_every_change(self) -> None:
        news = self.published(title="News", audience="student", publishAt=hours(-1).isoformat())
        self.assert_followed(news)
        for values in (
            {"audience": "mentor"},
            {"publishAt": hours(2).isoformat()},
            {"expiresAt": hours(3).isoformat(), "title": "Other"},
            {"publishAt": None},
            {"expiresAt": hours(-1).isoformat(), "audience": "all"},
            {"expiresAt": None, "summary": "x", "link": "https://example.org/"},
        ):
            self.change(news, **values)
            with self.subTest(values):
                self.assert_followed(news)

    def assert_followed(self, news: Announcement) -> None:
        news.refresh_from_db()
        notice = Notice.objects.get(pk=self.notice_id(news))
        self.assertEqual(
            (notice.audience, notice.shown_from, notice.shown_until, notice.stale_at),
            (news.audience, news.publish_at, news.expires_at, news.expires_at),
        )
        self.assertEqual(
            notice.data,
            {"id": news.pk, "title": news.title, "summary": news.summary, "link": news.link},
        )

    def test_a_change_costs_the_same_however_many_were_told_and_rings_nobody(self) -> None:
        costs = set[int]()
        for people in (0, 30):
            for _ in range(people):
                make_user()
            news = self.published()
            with self.captureOnCommitCallbacks() as work, CaptureQueriesContext(connection) as queries:
                change_announcement(news, by=self.admin, values={"audience": "mentor", "title": "x"})
            self.assertEqual(work, [])
            costs.add(len(queries))

        self.assertEqual(len(costs), 1)


class PutOffTests(SightCase):
    """A look by oneself first, and then for everybody, an hour later."""

    def test_a_preview_for_admins_is_told_to_everybody_at_its_time(self) -> None:
        for is_mailed in (False, True):
            mail.outbox.clear()
            news = self.published(title=f"Preview {is_mailed}", audience="admin", sendEmail=is_mailed)
            mine = Delivery.objects.get(notice=self.notice_id(news)).pk
            self.change(news, audience="all", publishAt=hours(1).isoformat())
            with self.subTest(is_mailed=is_mailed), time_machine.travel(hours(2)):
                self.assertEqual([self.publish_due(), self.publish_due()], [1, 0])
                state = "sent" if is_mailed else "none"
                self.assertEqual(self.told(news), dict.fromkeys(("student", "mentor", "admin"), state))
                self.assertEqual({news.title in titles for titles in self.seen_by_all()}, {True})
                everybody = sorted(one.email for one in (self.student, self.mentor, self.admin))
                self.assertEqual(self.addressees(), everybody if is_mailed else [])
            self.assertTrue(Delivery.objects.filter(pk=mine, person=self.admin).exists())

    def test_who_came_meanwhile_is_told_as_well(self) -> None:
        news = self.published(title="News", sendEmail=True)
        self.change(news, publishAt=hours(1).isoformat())
        late = make_user()

        with time_machine.travel(hours(2)):
            self.publish_due()
            self.assertEqual(self.seen(late), ["News"])

        self.assertEqual(len(self.addressees()), 4)

    def test_what_is_put_off_by_weeks_is_mailed_in_spite_of_its_age(self) -> None:
        news = self.queued()
        self.change(news, publishAt=hours(400).isoformat())
        self.send_all()
        self.assertEqual(set(self.told(news).values()), {"dropped"})

        with time_machine.travel(hours(401)):
            self.publish_due()

        self.assertEqual((set(self.told(news).values()), len(self.addressees())), ({"sent"}, 3))

    def test_what_stood_in_inboxes_for_weeks_can_be_mailed(self) -> None:
        news = self.published()

        with time_machine.travel(hours(400)):
            self.ask(news)

        self.assertEqual((set(self.told(news).values()), len(self.addressees())), ({"sent"}, 3))

    def test_it_is_kept_for_as_long_as_what_is_told_at_that_time(self) -> None:
        news = self.published(title="News")
        self.change(news, publishAt=hours(170 * 24).isoformat())
        with time_machine.travel(hours(170 * 24 + 1)):
            self.publish_due()

        with time_machine.travel(hours(200 * 24)):
            prune_notices()
            self.assertEqual(self.seen_by_all(), (["News"],) * 3)
        with time_machine.travel(hours(351 * 24)):
            prune_notices()
            self.assertEqual(self.seen_by_all(), ([],) * 3)

    def test_who_has_read_it_has_read_it(self) -> None:
        news = self.published()
        mark_read(self.student)
        self.change(news, publishAt=hours(1).isoformat())

        with time_machine.travel(hours(2)):
            self.publish_due()

        self.assertEqual(call(self.student, "get", UNREAD).json(), {"unread": 0})

    def test_it_is_told_to_whom_it_is_for_by_then(self) -> None:
        news = self.published(title="News", audience="student")
        self.change(news, audience="mentor", publishAt=hours(1).isoformat())

        with time_machine.travel(hours(2)):
            self.publish_due()
            self.assertEqual(self.seen_by_all(), ([], ["News"], ["News"]))

    def test_what_is_put_off_while_people_are_told_of_it_reaches_everybody_once(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            news = Announcement.objects.get(pk=self.created(title="News", sendEmail=True)["id"])
            change_announcement(news, by=self.admin, values={"publish_at": hours(1)})
        self.assertEqual((self.seen_by_all(), mail.outbox), (([],) * 3, []))

        with time_machine.travel(hours(2)):
            self.publish_due()
            self.assertEqual(self.seen_by_all(), (["News"],) * 3)
        self.assertEqual((len(self.addressees()), len(set(self.addressees()))), (3, 3))

    def test_a_wider_audience_alone_tells_nobody_and_shows_it_in_the_list(self) -> None:
        news = self.published(title="News", audience="admin", sendEmail=True)

        self.change(news, audience="all")

        self.assertEqual(self.seen_by_all(), ([], [], ["News"]))
        self.assertEqual(self.titles(self.student), ["News"])
        self.assertEqual(self.addressees(), [self.admin.email])


class DailyTests(SightCase):
    def setUp(self) -> None:
        super().setUp()
        self.want(self.student, "daily")

    def daily_of(self, moment: str) -> list[str]:
        """Write and send the daily mails of a moment; return those of the student."""
        mail.outbox.clear()
        with time_machine.travel(moment), self.captureOnCommitCallbacks(execute=True):
            write_daily_mails()
            self.send_all()
        return [str(one.body) for one in mail.outbox if one.to == [self.student.email]]

    def put_off(self, moment: datetime | str) -> Announcement:
        """Publish it in the morning, and put it off before the daily mail leaves."""
        with time_machine.travel(EIGHT):
            news = self.published(title="Poster day", sendEmail=True)
            self.assertEqual(self.told(news)["student"], "waiting")
            self.change(news, publishAt=moment)
        return news

    def test_whoever_waits_for_the_daily_mail_loses_nothing_that_is_put_off(self) -> None:
        news = self.put_off("2027-01-06T08:00:00Z")
        self.assertEqual((self.daily_of(LATE), self.told(news)["student"]), ([], "dropped"))

        with time_machine.travel("2027-01-06T08:00:30Z"):
            self.assertEqual(self.publish_due(), 1)
        self.assertEqual(self.told(news)["student"], "waiting")

        (body,) = self.daily_of(NEXT_DAY)
        self.assertIn("Poster day", body)
        self.assertEqual(self.told(news)["student"], "digested")
        self.assertEqual(self.daily_of("2027-01-07T23:00:00Z"), [])

    def test_what_comes_back_before_the_daily_mail_goes_with_it(self) -> None:
        news = self.put_off("2027-01-05T10:00:00Z")
        with time_machine.travel("2027-01-05T10:00:30Z"):
            self.publish_due()

        (body,) = self.daily_of(LATE)
        self.assertIn("Poster day", body)
        self.assertEqual(self.told(news)["student"], "digested")

    def test_ones_own_data_have_no_words_of_it_before_its_time(self) -> None:
        self.put_off("2027-01-06T08:00:00Z")
        self.daily_of(LATE)

        with time_machine.travel(LATE):
            told: Any = dict(documents_of(self.student))["notifications"]
        self.assertNotIn("Poster day", str(told))


class ListedTests(MailedNewsCase):
    def test_nobody_chooses_about_tests_of_announcements(self) -> None:
        path = reverse("notifications:preferences")
        for who in (self.student, self.admin):
            kinds = [kind["kind"] for kind in call(who, "get", path).json()["kinds"]]
            self.assertIn("announcement", kinds)
            self.assertNotIn("announcement_test", kinds)
            refused = call(who, "patch", path, {"kinds": {"announcement_test": "off"}})
            self.assertEqual(refused.status_code, 400)
            self.assertIn("There is no mail of the kind", str(refused.json()["kinds"]))
        self.assertTrue(notification_kinds.entries["announcement_test"].is_mandatory)


class SocketTests(TransactionTestCase):
    """Nobody rings: a socket looks for itself."""

    def setUp(self) -> None:
        cache.clear()
        self.admin, self.student = make_admin(), make_user()
        self.token = open_session(self.student, user_agent="").access

    async def test_what_goes_and_comes_is_told_with_the_next_round(self) -> None:
        create, change = sync_to_async(create_announcement), sync_to_async(change_announcement)
        with patch.object(inbox_sweeper, "every_seconds", 0.1):
            socket = WebsocketCommunicator(application, f"/ws/notifications/?token={self.token}")
            await socket.connect()
            await socket.receive_json_from()
            news = await create(by=self.admin, title="News", summary="x")
            self.assertEqual((await socket.receive_json_from())["payload"]["title"], "News")

            for gone, back in (
                ({"audience": "mentor", "title": "Hidden"}, {"audience": "all"}),
                ({"publish_at": hours(1)}, {"publish_at": None}),
                ({"expires_at": hours(-1)}, {"expires_at": None}),
            ):
                with self.subTest(gone):
                    await change(news, by=self.admin, values=gone)
                    frame = await socket.receive_json_from()
                    self.assertEqual(frame, {"type": "notifications.read", "unread": 0})
                    await change(news, by=self.admin, values={**back, "title": f"Back {back}"})
                    frame = await socket.receive_json_from()
                    self.assertEqual((frame["payload"]["title"], frame["unread"]), (f"Back {back}", 1))
            self.assertTrue(await socket.receive_nothing(timeout=0.3))
            await socket.disconnect()
