"""From what happened to whom it is told: once each, whatever is killed, and never without a commit."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

import time_machine
from django.core import mail
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.utils import timezone

from core.models import Delivery, Notice
from core.notifications.fanout import BATCH, fan_out_next
from core.notifications.notices import mail_too, notify
from core.notifications.tasks import resume_notices
from core.registry import notification_kinds
from core.roles import Audience, Role
from core.testing import in_parallel
from core.tests.telling import KINDS, TellingCase
from users.models import User
from users.tests.factories import make_user

State = Delivery.State
NOON = "2026-11-26T12:00:00+00:00"


class NotifyTests(TellingCase):
    def test_what_was_said_is_not_said_again(self) -> None:
        ada, eve = make_user(), make_user()

        self.assertTrue(notify("news", subject="1", data={"title": "Hello"}, to=[ada.pk]))
        self.assertFalse(notify("news", subject="1", data={"title": "Again"}, to=[ada.pk, eve.pk]))

        self.assertEqual(Notice.objects.get().data, {"title": "Hello"})

    def test_a_request_that_is_rolled_back_tells_nobody(self) -> None:
        ada = make_user()
        with (
            self.captureOnCommitCallbacks(execute=True),
            self.assertRaises(RuntimeError),
            transaction.atomic(),
        ):
            notify("news", subject="1", data={"title": "Hello"}, to=[ada.pk])
            raise RuntimeError

        self.assertEqual((Notice.objects.count(), Delivery.objects.count(), mail.outbox), (0, 0, []))

    def test_one_that_is_committed_reaches_inbox_and_mailbox(self) -> None:
        ada = make_user()
        with self.captureOnCommitCallbacks(execute=True):
            notify("news", subject="1", data={"title": "Hello"}, to=[ada.pk])

        delivery = self.delivery(ada)
        self.assertEqual((delivery.state, delivery.in_inbox, delivery.attempts), ("sent", True, 1))
        self.assertEqual([(one.subject, one.to) for one in mail.outbox], [("Hello", [ada.email])])
        self.assertEqual(delivery.message_id, mail.outbox[0].extra_headers["Message-ID"])

    def test_it_costs_the_same_however_many_are_told(self) -> None:
        for number in (1, 500):
            with self.subTest(number), self.assertNumQueries(4), self.captureOnCommitCallbacks():
                notify("news", subject=str(number), data={}, to=list(range(1, number + 1)))


class FanOutTests(TellingCase):
    def test_an_audience_is_who_sees_what_is_for_it(self) -> None:
        active = {"status": User.Status.ACTIVE}
        student, mentor = make_user(role=Role.STUDENT, **active), make_user(role=Role.MENTOR, **active)
        pending, admin = make_user(role=Role.STUDENT), make_user(role=Role.ADMIN, **active)
        make_user(role=Role.STUDENT, status=User.Status.INACTIVE)

        self.tell(audience=Audience.STUDENT, title="students")
        self.tell(audience=Audience.ALL, title="all")

        def told(title: str) -> set[int]:
            return set(Delivery.objects.filter(notice__subject=title).values_list("person", flat=True))

        self.assertEqual(told("students"), {student.pk, pending.pk, admin.pk})
        self.assertEqual(told("all"), {student.pk, pending.pk, admin.pk, mentor.pk})

    def test_the_suspended_are_told_of_nothing_but_what_must_reach_them(self) -> None:
        gone = make_user(status=User.Status.INACTIVE)
        self.tell(gone, kind="news")
        self.tell(gone, kind="must")

        self.assertEqual(self.delivery(gone).notice.kind, "must")

    def test_who_has_been_erased_meanwhile_is_passed_over(self) -> None:
        ada, eve = make_user(), make_user()
        notify("news", subject="1", data={"title": "Hello"}, to=[ada.pk, eve.pk])
        ada.delete()
        with self.captureOnCommitCallbacks():
            self.assertFalse(fan_out_next(notice_id=Notice.objects.get().pk))

        self.assertEqual(Delivery.objects.get().person, eve)

    def test_whom_it_named_is_forgotten_when_they_have_it_and_not_before(self) -> None:
        people = [make_user().pk for _ in range(3)]
        with patch("core.notifications.fanout.BATCH", 2), self.captureOnCommitCallbacks():
            notify("news", subject="1", data={"title": "Hello"}, to=people)
            notice = Notice.objects.get()
            named = []
            for _ in range(2):
                fan_out_next(notice_id=notice.pk)
                notice.refresh_from_db()
                named.append(notice.people)

        self.assertEqual(named, [people, []])
        self.assertEqual(Delivery.objects.count(), 3)

    def test_one_that_nobody_could_be_told_of_goes_and_may_be_said_again(self) -> None:
        ada = make_user(status=User.Status.INACTIVE)
        for subject, people in (("erased", [10**9]), ("suspended", [ada.pk])):
            notify("news", subject=subject, data={"title": "Hello"}, to=people)
            with self.subTest(subject), self.captureOnCommitCallbacks():
                self.assertFalse(fan_out_next(notice_id=Notice.objects.get().pk))
                self.assertFalse(Notice.objects.exists())

        User.objects.update(status=User.Status.ACTIVE)
        self.tell(ada, title="suspended")
        self.assertEqual(self.delivery(ada).notice.subject, "suspended")

    def test_one_that_named_nobody_stays_said(self) -> None:
        """As a reminder of an event at which nobody has a seat."""
        self.tell()
        self.tell(audience=Audience.STUDENT, title="nobody there")

        self.assertEqual(Notice.objects.filter(fanned_out_at__isnull=False).count(), 2)

    def test_it_goes_on_where_it_stopped(self) -> None:
        people = [make_user() for _ in range(3)]
        with patch("core.notifications.fanout.BATCH", 2), self.captureOnCommitCallbacks():
            notify("news", subject="1", data={"title": "Hello"}, to=[one.pk for one in people])
            notice = Notice.objects.get()
            more = [fan_out_next(notice_id=notice.pk) for _ in range(3)]

        self.assertEqual(more, [True, False, False])
        self.assertEqual(Delivery.objects.count(), 3)

    def test_a_batch_costs_the_same_however_many_it_has(self) -> None:
        people = [make_user().pk for _ in range(40)]
        for number in (1, 40):
            notify("news", subject=f"{number}", data={"title": "Hello"}, to=people[:number])
            notice = Notice.objects.get(subject=f"{number}")
            with self.assertNumQueries(9), self.captureOnCommitCallbacks():
                fan_out_next(notice_id=notice.pk)

    def test_what_was_lost_is_taken_up(self) -> None:
        ada = make_user()
        notify("news", subject="1", data={"title": "Hello"}, to=[ada.pk])
        self.assertEqual(resume_notices(), {"resumed": 0})

        with (
            time_machine.travel(timezone.now() + timedelta(minutes=6)),
            self.captureOnCommitCallbacks(execute=True),
        ):
            self.assertEqual(resume_notices(), {"resumed": 1})
            self.assertEqual(resume_notices(), {"resumed": 0})

        self.assertEqual(self.delivery(ada).state, State.SENT)

    def test_a_kind_that_the_product_no_longer_has_is_left_alone(self) -> None:
        notify("gone", subject="1", data={}, to=[make_user().pk])

        for days, is_over in ((0, False), (2, True)):
            with time_machine.travel(timezone.now() + timedelta(days=days)):
                self.assertFalse(fan_out_next(notice_id=Notice.objects.get().pk))
            self.assertEqual(Notice.objects.get().fanned_out_at is not None, is_over)
        self.assertFalse(Delivery.objects.exists())


class RouteTests(TellingCase):
    """Who gets what by mail, and when."""

    def state_of(self, person: User, **notice: Any) -> tuple[str, Any]:
        self.tell(person, **notice)
        delivery = self.delivery(person)
        return delivery.state, delivery.due_at and delivery.due_at.isoformat()

    @time_machine.travel(NOON, tick=False)
    def test_each_by_their_own_choice(self) -> None:
        cases = {
            (): ("queued", NOON),
            (("news", "now"),): ("queued", NOON),
            (("news", "daily"),): ("waiting", None),
            (("news", "off"),): ("none", None),
            (("news", "weekly"),): ("queued", NOON),
        }
        for choices, expected in cases.items():
            with self.subTest(choices):
                person = make_user()
                self.wish(person, **dict(choices))
                self.assertEqual(self.state_of(person, title=str(choices)), expected)

    @time_machine.travel(NOON, tick=False)
    def test_quiet_hours_are_by_the_persons_clock(self) -> None:
        cases = {
            ("UTC", 11, 13): "2026-11-26T13:00:00+00:00",
            ("UTC", 12, 13): "2026-11-26T13:00:00+00:00",
            ("UTC", 11, 12): NOON,
            ("Australia/Sydney", 22, 7): "2026-11-26T20:00:00+00:00",
            ("America/Sao_Paulo", 21, 10): "2026-11-26T13:00:00+00:00",
            ("America/Sao_Paulo", 21, 9): NOON,
        }
        for (zone, begin, end), due in cases.items():
            with self.subTest(zone, begin=begin):
                person = make_user()
                self.settings_of(person, time_zone=zone, quiet_from=time(begin), quiet_until=time(end))
                self.assertEqual(self.state_of(person, title=f"{zone} {begin} {end}"), ("queued", due))

    @time_machine.travel(NOON, tick=False)
    def test_what_must_be_told_waits_for_nothing(self) -> None:
        person = make_user()
        self.settings_of(person, quiet_from=time(0), quiet_until=time(23))
        self.wish(person, must="off")

        self.assertEqual(self.state_of(person, kind="must"), ("queued", NOON))

    @time_machine.travel(NOON, tick=False)
    def test_what_would_be_stale_after_quiet_hours_is_not_mailed(self) -> None:
        person = make_user()
        self.settings_of(person, quiet_from=time(11), quiet_until=time(13))
        stale_at = timezone.now() + timedelta(minutes=59)

        self.assertEqual(self.state_of(person, stale_at=stale_at), ("none", None))

    @time_machine.travel(NOON, tick=False)
    def test_what_is_pressing_comes_in_quiet_hours_where_it_would_be_stale_after_them(self) -> None:
        due, pressing = "2026-11-26T13:00:00+00:00", replace(KINDS["urgent"], is_pressing=True)
        notification_kinds.entries["urgent"] = pressing
        for minutes, expected in ((61, ("queued", due)), (60, ("queued", NOON)), (0, ("none", None))):
            with self.subTest(minutes=minutes):
                person = make_user()
                self.settings_of(person, quiet_from=time(11), quiet_until=time(13))
                stale_at = timezone.now() + timedelta(minutes=minutes)
                told = self.state_of(person, kind="urgent", title=str(minutes), stale_at=stale_at)
                self.assertEqual(told, expected)

    def test_the_inbox_alone_where_no_mail_is_meant(self) -> None:
        for notice in ({"kind": "quiet"}, {"kind": "news", "is_mailed": False}):
            person = make_user()
            with self.subTest(**notice):
                self.assertEqual(self.state_of(person, title=str(notice), **notice), ("none", None))
                self.assertTrue(self.delivery(person).in_inbox)

    def test_mail_can_be_asked_for_later_and_once(self) -> None:
        ada, eve = make_user(), make_user()
        self.wish(eve, news="off")
        notice = self.tell(ada, eve, is_mailed=False)
        Delivery.objects.update(read_at=timezone.now())

        with self.captureOnCommitCallbacks(execute=True):
            self.assertTrue(mail_too("news", subject=notice.subject))
            self.assertFalse(mail_too("news", subject=notice.subject))

        self.assertEqual((self.delivery(ada).state, self.delivery(eve).state), ("sent", "none"))
        self.assertEqual(len(mail.outbox), 1)
        self.assertIsNotNone(self.delivery(ada).read_at)


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class ParallelTests(TransactionTestCase):
    def test_said_at_once_by_many_and_fanned_out_by_many_everybody_is_told_once(self) -> None:
        people = [make_user().pk for _ in range(BATCH + 20)]

        def say(_: int) -> bool:
            return notify("news", subject="1", data={"title": "Hello"}, to=people)

        def spread(_: int) -> None:
            while fan_out_next(notice_id=Notice.objects.get().pk):
                pass

        with (
            patch.dict(notification_kinds.entries, KINDS),
            patch("core.notifications.fanout.SEND", "core.tests.test_tasks.succeed"),
        ):
            said = in_parallel(say, 8)
            spread_results = in_parallel(spread, 4)

        self.assertEqual((sorted(said), spread_results), ([False] * 7 + [True], [None] * 4))
        self.assertEqual(Delivery.objects.count(), len(people))
