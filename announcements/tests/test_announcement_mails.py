"""Announcements that people are told of: in their inbox, and by mail where an admin asks for it."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless
from unittest.mock import patch

import time_machine
from django.apps import apps
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext

from announcements.models import Announcement
from announcements.services.announcements import change_announcement, create_announcement, delete_announcement
from announcements.services.mailing import ask_for_mail, send_test
from announcements.services.telling import tell_due
from announcements.tasks import publish_announcements
from announcements.tests.cases import MailedNewsCase, call, url
from announcements.tests.factories import hours, make_announcement
from core.models import AuditEvent, Delivery, MailTrouble, Notice, NotificationSettings
from core.notifications.digests import write_daily_mails
from core.notifications.inbox import inbox_of, words_of
from core.notifications.sending import send_next_batch
from core.notifications.wishes import Wishes
from core.refusals import Missing, Refused
from core.testing import in_parallel
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from email.message import EmailMessage

    from users.models import User

LONG_TITLE: Final = "Æ" + "x" * 253 + "!"


def read(message: Any) -> EmailMessage:
    """Return a mail as its reader's program takes it out of the bytes."""
    parsed: EmailMessage = message_from_bytes(message.message().as_bytes(), policy=policy.default)
    return parsed


def subject_of(message: Any) -> str:
    """Return the subject as it is read: a long one stands on lines of its own."""
    return str(read(message)["Subject"]).strip()


def inbox(person: User) -> list[str]:
    """Return what stands in somebody's inbox."""
    reader = Wishes().reader
    found = [words_of(row, person=person, reader=reader) for row in inbox_of(person)]
    return [letter.subject for letter in found if letter]


class PublicationTests(MailedNewsCase):
    def test_everybody_for_whom_it_is_reads_of_it(self) -> None:
        news = self.published(title="Poster day", audience="student")

        self.assertEqual(self.told(news), {"student": "none", "admin": "none"})
        self.assertEqual((inbox(self.student), inbox(self.mentor)), (["Poster day"], []))
        self.assertEqual(mail.outbox, [])

    def test_it_is_mailed_where_that_is_asked(self) -> None:
        news = self.published(sendEmail=True)

        self.assertEqual(self.told(news), {"student": "sent", "mentor": "sent", "admin": "sent"})
        people = (self.student, self.mentor, self.admin)
        self.assertEqual(self.addressees(), sorted(one.email for one in people))

    def test_no_mail_names_anybody_but_its_one_reader(self) -> None:
        self.published(sendEmail=True)

        for message in mail.outbox:
            text = message.message().as_string() + "".join(
                part.as_string() for part in message.message().walk()
            )
            others = [address for address in self.addressees() if address not in message.to]
            self.assertEqual((len(message.to), message.cc, message.bcc), (1, [], []))
            self.assertEqual([address for address in others if address in text], [])

    def test_the_mail_says_what_the_announcement_says(self) -> None:
        link = "https://example.org/posters"
        self.published(
            title="Poster day",
            summary="Bring <it> on Friday.",
            content="Print it in **A1**.",
            author="Ann Desk",
            link=link,
            audience="mentor",
            sendEmail=True,
        )

        message: Any = next(one for one in mail.outbox if one.to == [self.mentor.email])
        html = str(message.alternatives[0][0])
        self.assertEqual(message.subject, "Poster day")
        for part in ("Bring <it> on Friday.", "Print it in **A1**.", link, "Ann Desk"):
            self.assertIn(part, message.body)
        for part in ("Bring &lt;it&gt; on Friday.", "<strong", f'href="{link}"', "Ann Desk"):
            self.assertIn(part, html)

    def test_a_summary_of_several_paragraphs_keeps_its_lines(self) -> None:
        summary = "Dear all,\n\nbring <it> on Friday.\r\nNot on Monday."
        self.published(summary=summary, sendEmail=True)

        message: Any = mail.outbox[0]
        html = re.sub("<br ?/?>", "\n", str(message.alternatives[0][0]))
        self.assertIn("Dear all,\n\nbring &lt;it&gt; on Friday.\nNot on Monday.", html)
        text = str(message.body).replace("\r\n", "\n")
        self.assertIn("Dear all,\n\nbring <it> on Friday.\nNot on Monday.", text)

    def test_one_without_a_link_leads_to_the_client(self) -> None:
        self.published(sendEmail=True)

        self.assertIn("/#/announcements", mail.outbox[0].body)

    def test_each_reads_it_in_their_own_language(self) -> None:
        NotificationSettings.objects.create(person=self.student, language="pt-br")
        self.published(sendEmail=True)

        bodies = {message.to[0]: message.body for message in mail.outbox}
        self.assertIn("Announcements: https://", bodies[self.mentor.email])
        self.assertIn("Avisos: https://", bodies[self.student.email])

    def test_a_title_may_be_written_in_any_script(self) -> None:
        for title in ("Pôsteres 🧬 на пятницу", "海報日", "يوم الملصقات"):
            with self.subTest(title):
                mail.outbox.clear()
                self.published(title=title, audience="mentor", sendEmail=True)
                self.assertEqual(subject_of(mail.outbox[0]), title)

    def test_a_title_adds_no_header(self) -> None:
        for end in ("\r\n", "\n", "\r", "\u2028", "\x85"):
            with self.subTest(repr(end)):
                mail.outbox.clear()
                self.published(title=f"News{end}Bcc: eve@example.org", audience="mentor", sendEmail=True)
                parsed = read(mail.outbox[0])
                self.assertEqual(parsed["Subject"], "News Bcc: eve@example.org")
                self.assertEqual((parsed["Bcc"], len(mail.outbox[0].recipients())), (None, 1))

    def test_a_title_of_255_characters_is_read_whole(self) -> None:
        self.published(title=LONG_TITLE, sendEmail=True)

        self.assertEqual(subject_of(mail.outbox[0]), LONG_TITLE[:119] + "…")
        self.assertIn(LONG_TITLE, mail.outbox[0].body)
        self.assertEqual(inbox(self.student), [LONG_TITLE])

    def test_one_that_is_over_is_neither_told_nor_mailed(self) -> None:
        self.assert_refused(self.create(expiresAt=hours(-1).isoformat(), sendEmail=True), 400)
        self.assertFalse(Announcement.objects.exists())

        news = self.published(expiresAt=hours(-1).isoformat())
        self.assertEqual((self.told(news), news.told_at), ({}, None))

    def test_what_fails_tells_nobody(self) -> None:
        with self.captureOnCommitCallbacks(execute=True), self.assertRaises(Refused):
            create_announcement(
                by=self.admin,
                title="x",
                summary="x",
                publish_at=hours(2),
                expires_at=hours(1),
                send_email=True,
            )

        self.assertEqual((Notice.objects.count(), mail.outbox), (0, []))

    def test_a_repeat_of_the_request_mails_nobody_again(self) -> None:
        """SAFETY B34."""
        body = {"title": "News", "summary": "x", "sendEmail": True}
        for status in (201, 201):
            with self.captureOnCommitCallbacks(execute=True):
                response = call(self.admin, "post", url("list"), body, headers={"Idempotency-Key": "phone-1"})
            self.assertEqual(response.status_code, status)

        self.assertEqual(len(mail.outbox), 3)

    def test_its_document_is_as_before(self) -> None:
        body = self.created(sendEmail=True)

        self.assertEqual({name for name in body if "mail" in name.lower() or "told" in name.lower()}, set())

    def test_what_is_no_truth_value_is_named(self) -> None:
        values: tuple[Any, ...] = (None, "perhaps", [], 5)
        for value in values:
            with self.subTest(value=value):
                self.assert_refused(self.create(sendEmail=value), 400, "sendEmail")

    def test_it_is_recorded(self) -> None:
        news = self.published(sendEmail=True)

        acts = AuditEvent.objects.filter(object_id=str(news.pk)).order_by("pk")
        self.assertEqual(
            list(acts.values_list("action", flat=True)), ["announcement_created", "announcement_mailed"]
        )


class WishesTests(MailedNewsCase):
    def test_whoever_wants_no_mail_reads_of_it_alone(self) -> None:
        self.want(self.student, "off")
        news = self.published(title="Poster day", sendEmail=True)

        self.assertEqual(self.told(news)["student"], "none")
        self.assertEqual(inbox(self.student), ["Poster day"])
        self.assertNotIn(self.student.email, self.addressees())

    def test_whoever_wants_it_daily_gets_it_with_the_daily_mail(self) -> None:
        self.want(self.student, "daily")
        news = self.published(title="Poster day", sendEmail=True)
        self.assertEqual(self.told(news)["student"], "waiting")

        mail.outbox.clear()
        with time_machine.travel("2027-01-05T23:00:00Z"):
            write_daily_mails()
            self.send_all()

        self.assertEqual(self.told(news)["student"], "digested")
        (daily,) = (one for one in mail.outbox if one.to == [self.student.email])
        self.assertIn("Poster day", daily.body)

    def test_a_mailbox_that_takes_none_gets_none(self) -> None:
        MailTrouble.objects.create(person=self.student, address=self.student.email, cause="bounced")
        news = self.published(sendEmail=True)

        self.assertEqual(self.told(news)["student"], "dropped")
        self.assertNotIn(self.student.email, self.addressees())

    def test_the_mail_says_how_to_end_it(self) -> None:
        self.published(sendEmail=True)

        self.assertIn("List-Unsubscribe", mail.outbox[0].extra_headers)


class ScheduledTests(MailedNewsCase):
    def test_its_time_tells_of_it_once(self) -> None:
        with time_machine.travel(hours(0), tick=False) as clock:
            news = self.published(title="Poster day", publishAt=hours(2).isoformat(), sendEmail=True)
            for late, told in ((1, 0), (1, 1), (0, 0), (5, 0)):
                clock.shift(late * 3600)
                with self.subTest(late), self.captureOnCommitCallbacks(execute=True):
                    self.assertEqual(publish_announcements(), {"told": told})

            self.assertEqual(inbox(self.student), ["Poster day"])

        self.assertEqual(self.told(news), {"student": "sent", "mentor": "sent", "admin": "sent"})
        self.assertEqual(len(mail.outbox), 3)

    def test_an_outage_delays_it_and_loses_nothing_but_what_is_over(self) -> None:
        kept = make_announcement(publish_at=hours(1), mail_requested_at=hours(0))
        over = make_announcement(publish_at=hours(1), expires_at=hours(2), mail_requested_at=hours(0))

        with time_machine.travel(hours(30)):
            for told in (1, 0):
                with self.captureOnCommitCallbacks(execute=True):
                    self.assertEqual(publish_announcements(), {"told": told})

        self.assertEqual((len(self.told(kept)), self.told(over), len(mail.outbox)), (3, {}, 3))

    def test_to_publish_it_earlier_tells_of_it(self) -> None:
        news = self.published(publishAt=hours(2).isoformat(), sendEmail=True)
        self.assertEqual(self.told(news), {})

        with self.captureOnCommitCallbacks(execute=True):
            call(self.admin, "patch", url("detail", news.pk), {"publishAt": None})

        self.assertEqual((len(self.told(news)), len(mail.outbox)), (3, 3))
        self.assertEqual(publish_announcements(), {"told": 0})

    def test_what_was_published_before_the_upgrade_is_no_news(self) -> None:
        migration = import_module("announcements.migrations.0006_count_published_as_told")
        make_announcement()
        make_announcement(expires_at=hours(-1))
        make_announcement(publish_at=hours(-1))
        scheduled = make_announcement(publish_at=hours(1))
        Announcement.objects.update(created_at=hours(-2))  # SQLite's own clock counts milliseconds

        migration.count_as_told(apps, None)

        self.assertEqual(publish_announcements(), {"told": 0})
        self.assertEqual(Announcement.objects.get(told_at=None), scheduled)


class LaterMailTests(MailedNewsCase):
    def test_what_stands_in_inboxes_is_mailed_once_it_is_asked(self) -> None:
        news = self.published(title="Poster day")

        self.assertEqual(self.ask(news).status_code, 202)

        self.assertEqual(self.told(news), {"student": "sent", "mentor": "sent", "admin": "sent"})
        self.assertEqual((len(mail.outbox), inbox(self.student)), (3, ["Poster day"]))
        self.assertEqual(AuditEvent.objects.filter(action="announcement_mailed").count(), 1)

    def test_a_second_time_is_refused(self) -> None:
        for news in (self.published(sendEmail=True), self.published(publishAt=hours(1).isoformat())):
            with self.subTest(news.state):
                first, again = self.ask(news), self.ask(news)
                self.assertIn(first.status_code, {202, 409})
                self.assert_refused(again, 409)
                self.assertEqual(again.json()["code"], "already_mailed")
        self.assertEqual(len(mail.outbox), 3)

    def test_one_that_is_over_is_not_mailed(self) -> None:
        response = self.ask(make_announcement(expires_at=hours(-1)))

        self.assert_refused(response, 400)
        self.assertEqual(response.json()["code"], "announcement_expired")

    def test_a_scheduled_one_is_mailed_at_its_time(self) -> None:
        news = self.published(publishAt=hours(1).isoformat())

        self.assertEqual(self.ask(news).status_code, 202)
        self.assertEqual((self.told(news), mail.outbox), ({}, []))

        with time_machine.travel(hours(2)), self.captureOnCommitCallbacks(execute=True):
            publish_announcements()
        self.assertEqual(len(mail.outbox), 3)

    def test_one_whose_minute_has_not_come_round_is_told_and_mailed(self) -> None:
        news = make_announcement(publish_at=hours(-0.001))

        self.ask(news)

        self.assertEqual((len(self.told(news)), len(mail.outbox)), (3, 3))
        self.assertEqual(publish_announcements(), {"told": 0})

    def test_one_from_before_the_upgrade_is_told_and_mailed(self) -> None:
        news = make_announcement(told_at=hours(-100))

        self.ask(news)

        self.assertEqual((len(self.told(news)), len(mail.outbox)), (3, 3))

    def test_it_goes_to_whom_it_is_for_by_then(self) -> None:
        news = self.published(audience="student")
        call(self.admin, "patch", url("detail", news.pk), {"audience": "mentor"})

        self.ask(news)

        self.assertEqual(self.addressees(), sorted([self.mentor.email, self.admin.email]))

    def test_who_is_no_admin_any_more_sends_nothing(self) -> None:
        news = self.published()
        type(self.admin).objects.filter(pk=self.admin.pk).update(role="mentor")

        for service in (ask_for_mail, send_test):
            with self.subTest(service.__name__):
                self.assertRaises(Refused, service, news, by=self.admin)
        self.assertEqual(mail.outbox, [])

    def test_what_was_deleted_a_moment_ago_is_missed(self) -> None:
        news = make_announcement()
        Announcement.objects.all().delete()

        for service in (ask_for_mail, send_test):
            with self.subTest(service.__name__):
                self.assertRaises(Missing, service, news, by=self.admin)


class BeforeItLeavesTests(MailedNewsCase):
    def test_the_mail_shows_the_text_as_it_is_then_and_goes_once(self) -> None:
        news = self.queued(title="Wrong day")
        with self.captureOnCommitCallbacks(execute=True):
            change_announcement(news, by=self.admin, values={"title": "Right day", "content": "Room 5"})
        self.send_all()
        with self.captureOnCommitCallbacks(execute=True):
            change_announcement(news, by=self.admin, values={"title": "Other day"})
        self.send_all()

        self.assertEqual([message.subject for message in mail.outbox], ["Right day"] * 3)
        self.assertIn("Room 5", mail.outbox[0].body)
        self.assertEqual(inbox(self.student), ["Other day"])

    def test_what_is_over_by_then_does_not_leave(self) -> None:
        for values in ({"expires_at": hours(-1)}, {"publish_at": hours(1)}):
            with self.subTest(values):
                news = self.queued()
                change_announcement(news, by=self.admin, values=values)
                self.send_all()
                self.assertEqual(set(self.told(news).values()), {"dropped"})
        self.assertEqual(mail.outbox, [])

    def test_what_is_put_off_in_the_middle_goes_on_at_its_new_time(self) -> None:
        news = self.queued()
        with patch("core.notifications.claims.BATCH", 1):
            send_next_batch()
        change_announcement(news, by=self.admin, values={"publish_at": hours(1)})
        self.send_all()
        self.assertEqual(sorted(self.told(news).values()), ["dropped", "dropped", "sent"])

        with time_machine.travel(hours(2)), CaptureQueriesContext(connection) as queries:
            for told in (1, 0):
                with self.captureOnCommitCallbacks(execute=True):
                    self.assertEqual(publish_announcements(), {"told": told})

        self.assertEqual(set(self.told(news).values()), {"sent"})
        # A subquery that locks might be asked again for each row.
        locking = [each["sql"] for each in queries if re.match("UPDATE.* FOR (NO KEY )?UPDATE", each["sql"])]
        self.assertEqual(locking, [])
        self.assertEqual((len(self.addressees()), len(set(self.addressees()))), (3, 3))

    def test_what_is_mailed_is_not_mailed_again_when_it_is_put_off(self) -> None:
        news = self.published(sendEmail=True)
        for values in ({"publish_at": hours(1)}, {"publish_at": None}):
            with self.captureOnCommitCallbacks(execute=True):
                change_announcement(news, by=self.admin, values=values)

        self.assertEqual((len(mail.outbox), inbox(self.student)), (3, [news.title]))

    def test_what_is_put_off_can_be_mailed_at_its_new_time(self) -> None:
        news = self.published()
        change_announcement(news, by=self.admin, values={"publish_at": hours(1)})
        self.assertEqual(self.ask(news).status_code, 202)
        self.assertEqual(mail.outbox, [])

        with time_machine.travel(hours(2)), self.captureOnCommitCallbacks(execute=True):
            publish_announcements()

        self.assertEqual(len(self.addressees()), 3)

    def test_an_end_that_is_put_off_lets_it_leave(self) -> None:
        with time_machine.travel(hours(0)):
            news = self.queued(expiresAt=hours(1).isoformat())
            change_announcement(news, by=self.admin, values={"expires_at": hours(50)})
        with time_machine.travel(hours(2)):
            self.send_all()

        self.assertEqual(len(mail.outbox), 3)

    def test_what_is_deleted_by_then_leaves_and_stands_nowhere(self) -> None:
        news = self.queued(title="Poster day")
        self.assertEqual(inbox(self.student), ["Poster day"])

        delete_announcement(news, by=self.admin)
        self.send_all()

        self.assertEqual((mail.outbox, inbox(self.student)), ([], []))
        self.assertFalse(Delivery.objects.exists() or Notice.objects.exists())

    def test_whoever_is_not_in_its_audience_by_then_gets_none(self) -> None:
        news = self.queued(audience="student")
        change_announcement(news, by=self.admin, values={"audience": "mentor"})
        self.send_all()

        self.assertEqual(self.told(news), {"student": "dropped", "admin": "sent"})
        self.assertEqual(self.addressees(), [self.admin.email])

    def test_whoever_changed_their_role_by_then_gets_none(self) -> None:
        news = self.queued(audience="student")
        type(self.student).objects.filter(pk=self.student.pk).update(role="mentor")
        self.send_all()

        self.assertEqual(self.told(news)["mentor"], "dropped")

    def test_an_audience_that_changes_while_people_are_told_is_who_is_told(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            news = Announcement.objects.get(pk=self.created(audience="student")["id"])
            change_announcement(news, by=self.admin, values={"audience": "mentor"})

        self.assertEqual(set(self.told(news)), {"mentor", "admin"})


class TestMailTests(MailedNewsCase):
    def send(self, news: Announcement) -> Any:
        with self.captureOnCommitCallbacks(execute=True):
            return call(self.admin, "post", url("mail-test", news.pk))

    def test_it_goes_to_whoever_asks_alone(self) -> None:
        news = make_announcement(title="Poster day", content="**A1**", audience="student")

        response = self.send(news)

        self.assertEqual((response.status_code, response.json()), (202, {"to": self.admin.email}))
        (message,) = mail.outbox
        self.assertEqual((message.subject, message.recipients()), ("[Test] Poster day", [self.admin.email]))
        self.assertIn("**A1**", message.body)

    def test_it_comes_whatever_one_has_switched_off_and_as_often_as_one_asks(self) -> None:
        for kind in ("announcement", "announcement_test", "daily"):
            self.want(self.admin, "off", kind)
        news = make_announcement()

        for _ in range(2):
            self.send(news)

        self.assertEqual(len(mail.outbox), 2)

    def test_it_shows_what_nobody_sees_yet_or_any_more(self) -> None:
        for fields in ({"publish_at": hours(1)}, {"expires_at": hours(-1)}):
            self.send(make_announcement(**fields))

        self.assertEqual(len(mail.outbox), 2)

    def test_it_changes_nothing(self) -> None:
        news = make_announcement(publish_at=hours(1))

        self.send(news)

        self.assertEqual((inbox(self.admin), self.told(news)), ([], {}))
        self.assertEqual(self.ask(news).status_code, 202)

    def test_the_title_adds_no_header_and_is_cut_short(self) -> None:
        self.send(make_announcement(title="News\r\nBcc: eve@example.org"))
        self.send(make_announcement(title=LONG_TITLE))

        subjects = [subject_of(message) for message in mail.outbox]
        self.assertEqual(subjects[0], "[Test] News Bcc: eve@example.org")
        self.assertEqual(len(subjects[1]), 120)


@skipUnless(connection.vendor == "postgresql", "Locks on rows are PostgreSQL's.")
class RaceTests(TransactionTestCase):
    def setUp(self) -> None:
        cache.clear()
        self.admin, self.student = make_admin(), make_user()

    def test_however_many_look_at_once_people_are_told_once(self) -> None:
        make_announcement(mail_requested_at=hours(0))

        told = in_parallel(lambda _: tell_due(), 6)

        self.assertEqual((sum(told), Notice.objects.count(), len(mail.outbox)), (1, 1, 2))

    def test_however_many_ask_at_once_people_are_mailed_once(self) -> None:
        news = create_announcement(by=self.admin, title="News", summary="x")

        answers = in_parallel(lambda _: ask_for_mail(news, by=self.admin), 6)

        self.assertEqual(sorted(str(answer) for answer in answers).count("None"), 1)
        self.assertEqual(
            sorted(one.to[0] for one in mail.outbox), sorted([self.admin.email, self.student.email])
        )

    def test_to_delete_and_to_ask_at_once_end_in_either_order(self) -> None:
        for _ in range(5):
            mail.outbox.clear()
            news = create_announcement(by=self.admin, title="News", summary="x")
            answers = in_parallel(partial(self.delete_or_ask, news), 2)
            self.assertIsNone(answers[0])
            self.assertTrue(answers[1] is None or isinstance(answers[1], Missing))
            self.assertFalse(
                Announcement.objects.exists() or Notice.objects.filter(kind="announcement").exists()
            )

    def delete_or_ask(self, news: Announcement, number: int) -> None:
        (delete_announcement, ask_for_mail)[number](news, by=self.admin)
