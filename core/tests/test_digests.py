"""The daily mail: once a person and day by their own clock, of what waited and of what apps add."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch
from zoneinfo import ZoneInfo

import time_machine
from django.core import mail
from django.db import connection, transaction
from django.test import TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.mail import Letter, Reader
from core.models import Delivery, MailTrouble, Notice
from core.notifications import claims, digests
from core.notifications.again import send_again
from core.notifications.digests import DAILY, MOST_LINES
from core.notifications.kinds import Kind, Told, kind_of
from core.notifications.tasks import write_daily_mails
from core.notifications.unsubscribe import unsubscribe
from core.registry import daily_parts, notification_kinds
from core.testing import in_parallel
from core.tests.smtp import TAKE, Reply
from core.tests.telling import KINDS, MailCase, TellingCase, words
from users.models import User
from users.tests.factories import make_superuser, make_user

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

State = Delivery.State
DAY = "2026-11-26"


def always(people: Collection[int], before: datetime, /) -> dict[int, list[tuple[str, dict[str, Any]]]]:
    """Add a line to everybody's mail, as chat does, which says until when it looked."""
    return {one: [("added", {"title": f"until {before.isoformat()}"})] for one in people}


def unknown(people: Collection[int], before: datetime, /) -> dict[int, list[tuple[str, dict[str, Any]]]]:
    return {one: [("gone", {})] for one in people}


ADDED = Kind(name="added", label="Added", write=words)


@override_settings(DAILY_MAIL_HOUR=17, PROGRAMME_TIME_ZONE="UTC", PROGRAMME_NAME="BIOTech Futures Hub")
class DigestCase(TellingCase):
    """No app adds anything unless the test does."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch.dict(daily_parts.entries, clear=True))
        self.enterContext(patch.dict(notification_kinds.entries, {"added": ADDED}))
        self.ada = make_user()
        self.wish(self.ada, news="daily")

    def run_at(self, moment: str, zone: str = "UTC") -> int:
        """Run the job at a moment by some clock; return how many mails it wrote. They are sent at once."""
        when = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
        with time_machine.travel(when, tick=False), self.captureOnCommitCallbacks(execute=True):
            return write_daily_mails()["written"]

    def wait(self, *people: User, title: str = "Hello", at: str = f"{DAY}T09:00", **more: Any) -> None:
        """Have something wait for the daily mails of people."""
        with time_machine.travel(datetime.fromisoformat(at).replace(tzinfo=UTC), tick=False):
            self.tell(*people or [self.ada], title=title, **more)

    def add_always(self) -> None:
        daily_parts.add("test", always)

    def states(self, **which: Any) -> list[str]:
        rows = Delivery.objects.filter(**which).exclude(notice__kind="daily").order_by("pk")
        return list(rows.values_list("state", flat=True))

    def lines(self) -> list[str]:
        """Return the lines of the one mail that was sent."""
        (message,) = mail.outbox
        body = str(message.body)
        return [line[2:].split(":")[0] for line in body.splitlines() if line.startswith("- ")]


class WhenTests(DigestCase):
    def test_once_a_day_from_its_hour_on(self) -> None:
        self.add_always()
        hours = {
            f"{DAY}T{hour}": self.run_at(f"{DAY}T{hour}") for hour in ("00:00", "16:59", "17:00", "17:30")
        }
        hours["23:59"] = self.run_at(f"{DAY}T23:59")
        hours["next"] = self.run_at("2026-11-27T17:05")

        self.assertEqual([hour for hour, written in hours.items() if written], [f"{DAY}T17:00", "next"])
        self.assertEqual([message.to for message in mail.outbox], [[self.ada.email]] * 2)

    def test_each_by_their_own_clock(self) -> None:
        self.add_always()
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "America/Sao_Paulo"):
            self.settings_of(self.ada, time_zone=zone)
            Notice.objects.all().delete()
            with self.subTest(zone):
                self.assertEqual(self.run_at(f"{DAY}T16:59", zone), 0)
                self.assertEqual(self.run_at(f"{DAY}T17:00", zone), 1)
                self.assertEqual(Notice.objects.get().subject, f"{self.ada.pk} {DAY}")

    @override_settings(PROGRAMME_TIME_ZONE="Australia/Sydney")
    def test_who_has_chosen_no_clock_lives_by_the_programmes(self) -> None:
        eve = make_user()
        self.settings_of(self.ada, time_zone="", language="en")
        self.settings_of(eve, time_zone="UTC")
        self.add_always()

        self.assertEqual(self.run_at(f"{DAY}T17:00", "Australia/Sydney"), 1)
        self.assertEqual(mail.outbox[0].to, [self.ada.email])

    def test_an_hour_that_the_clock_leaves_out_or_has_twice_is_one_mail(self) -> None:
        self.add_always()
        self.settings_of(self.ada, time_zone="Australia/Sydney")
        with override_settings(DAILY_MAIL_HOUR=2):
            # 2026-10-04, 02:00 is 03:00; 2027-04-04, 02:00 to 03:00 comes twice.
            spring = [self.run_at(f"2026-10-03T{at}") for at in ("15:59", "16:00", "16:30", "17:30")]
            autumn = [self.run_at(f"2027-04-03T{at}") for at in ("14:59", "15:00", "16:00", "16:30")]

        self.assertEqual((spring, autumn), ([0, 1, 0, 0], [0, 1, 0, 0]))

    def test_who_moves_westwards_has_no_second_mail_of_the_day(self) -> None:
        self.add_always()
        self.settings_of(self.ada, time_zone="Australia/Sydney")
        self.assertEqual(self.run_at(f"{DAY}T17:00", "Australia/Sydney"), 1)
        self.settings_of(self.ada, time_zone="America/Sao_Paulo")

        self.assertEqual(self.run_at(f"{DAY}T17:00", "America/Sao_Paulo"), 0)

    def test_an_outage_within_the_day_delays_it(self) -> None:
        self.wait()

        self.assertEqual(self.run_at(f"{DAY}T23:59"), 1)

    def test_after_an_outage_past_midnight_it_comes_with_the_next_days(self) -> None:
        self.wait()

        self.assertEqual([self.run_at(f"2026-11-27T{at}") for at in ("00:00", "12:00", "17:00")], [0, 0, 1])
        self.assertEqual((self.lines(), self.states()), (["Hello"], ["digested"]))

    def test_what_comes_after_the_hour_is_the_next_days(self) -> None:
        self.wait(at=f"{DAY}T17:00")

        self.assertEqual(self.run_at(f"{DAY}T22:00"), 0)
        self.assertEqual(self.run_at("2026-11-27T17:00"), 1)

    def test_apps_are_told_until_when_to_look(self) -> None:
        self.settings_of(self.ada, time_zone="America/Sao_Paulo")
        self.add_always()
        self.run_at(f"{DAY}T19:00", "America/Sao_Paulo")

        self.assertEqual(
            Notice.objects.get().data["parts"], [["added", {"title": f"until {DAY}T17:00:00-03:00"}]]
        )

    def test_it_waits_for_the_end_of_quiet_hours(self) -> None:
        self.settings_of(self.ada, quiet_from=time(16), quiet_until=time(7))
        self.wait()
        self.assertEqual(self.run_at(f"{DAY}T17:00"), 1)

        delivery = Delivery.objects.get(notice__kind="daily")
        self.assertEqual((delivery.state, mail.outbox), ("queued", []))
        self.assertEqual(delivery.due_at, datetime(2026, 11, 27, 7, tzinfo=UTC))


class WhomTests(DigestCase):
    def test_nobody_to_whom_there_is_nothing_to_say(self) -> None:
        make_user()

        self.assertEqual((self.run_at(f"{DAY}T17:00"), Notice.objects.count()), (0, 0))

    def test_nobody_who_wants_no_daily_mail_and_what_waited_for_it_waits_no_more(self) -> None:
        self.add_always()
        self.wait()
        self.wish(self.ada, daily="off")

        self.assertEqual(self.run_at(f"{DAY}T17:00"), 0)
        self.assertEqual(list(Delivery.objects.values_list("state", "reason")), [("dropped", "not wanted")])

        self.wish(self.ada, daily="now")
        self.assertEqual(self.run_at(f"{DAY}T17:30"), 1)
        self.assertEqual(self.lines(), [f"until {DAY}T17"])

    def test_the_link_in_it_ends_it(self) -> None:
        self.wait()
        self.run_at(f"{DAY}T17:00")
        link = mail.outbox[0].extra_headers["List-Unsubscribe"]

        unsubscribe(link.strip("<>").rstrip("/").rpartition("/")[2])
        self.wait(title="Next", at="2026-11-27T09:00")
        self.assertEqual(self.run_at("2026-11-27T17:00"), 0)

    def test_a_mailbox_that_takes_none_keeps_it_waiting(self) -> None:
        self.add_always()
        self.wait()
        trouble = MailTrouble.objects.create(person=self.ada, address=self.ada.email, cause="bounced")
        self.assertEqual((self.run_at(f"{DAY}T17:00"), self.states()), (0, ["waiting"]))

        trouble.delete()
        self.assertEqual((self.run_at(f"{DAY}T17:30"), self.states()), (1, ["digested"]))

    def test_nobody_who_is_suspended(self) -> None:
        self.add_always()
        self.wait()
        User.objects.update(status=User.Status.INACTIVE)

        self.assertEqual((self.run_at(f"{DAY}T17:00"), self.states()), (0, ["waiting"]))

    def test_who_is_erased_after_it_was_written_gets_none(self) -> None:
        self.settings_of(self.ada, quiet_from=time(16), quiet_until=time(7))
        self.wait()
        self.run_at(f"{DAY}T17:00")
        self.ada.delete()

        self.assertFalse(Delivery.objects.exists())

    def test_each_gets_what_is_theirs(self) -> None:
        eve = make_user()
        self.wish(eve, news="daily")
        self.wait(self.ada, title="For Ada")
        self.wait(eve, title="For Eve")

        self.assertEqual(self.run_at(f"{DAY}T17:00"), 2)
        for person, mine, others in ((self.ada, "For Ada", "For Eve"), (eve, "For Eve", "For Ada")):
            (message,) = [one for one in mail.outbox if one.to == [person.email]]
            self.assertIn(mine, str(message.body))
            self.assertNotIn(others, str(message.body))


class WhatTests(DigestCase):
    def told(self, *parts: tuple[str, dict[str, Any]], more: int = 0) -> Told:
        return Told(self.ada, {"parts": list(parts), "more": more}, Reader("en"))

    def test_a_line_with_its_link_for_each_oldest_first_then_what_apps_add(self) -> None:
        self.add_always()
        for number in range(3):
            self.wait(title=f"News {number}")
        self.run_at(f"{DAY}T17:00")

        self.assertEqual(self.lines(), ["News 0", "News 1", "News 2", f"until {DAY}T17"])
        self.assertIn("https://hub.example.org/", str(mail.outbox[0].body))
        self.assertEqual(mail.outbox[0].subject, "Your day at BIOTech Futures Hub")
        self.assertEqual(self.states(), ["digested"] * 3)

    def test_it_copies_nothing_of_what_it_carries_and_names_nobody(self) -> None:
        self.wait()
        self.run_at(f"{DAY}T17:00")

        notice = Notice.objects.get(kind="daily")
        self.assertEqual((notice.data, notice.people), ({"parts": [], "more": 0}, []))
        self.assertEqual(Delivery.objects.get(notice__kind="news").carried_by, notice.deliveries.get())

    def test_it_stands_in_no_inbox(self) -> None:
        self.wait()
        self.run_at(f"{DAY}T17:00")

        self.assertFalse(Delivery.objects.get(notice__kind="daily").in_inbox)
        self.assertTrue(Delivery.objects.get(notice__kind="news").in_inbox)

    def test_so_many_lines_and_how_many_more(self) -> None:
        self.enterContext(patch.object(digests, "MOST_LINES", 5))
        for number in range(5 + 7):
            self.wait(title=f"News {number}")
        self.run_at(f"{DAY}T17:00")

        lines = self.lines()
        self.assertEqual((len(lines), lines[0], lines[-1]), (5 + 1, "News 0", "and 7 more"))
        self.assertEqual(set(self.states()), {"digested"})

    def test_what_is_not_true_any_more_takes_no_line_from_what_is(self) -> None:
        self.enterContext(patch.object(digests, "MOST_LINES", 5))
        for number in range(5 + 7):
            self.wait(title="untrue" if number == 3 else f"News {number}", kind="news")
        self.run_at(f"{DAY}T17:00")

        self.assertEqual((len(self.lines()), self.lines()[-1]), (5 + 1, "and 6 more"))
        self.assertEqual(self.states().count("dropped"), 1)

    def test_what_apps_add_is_counted_behind_the_fifty_too(self) -> None:
        def many(people: Collection[int], before: datetime, /) -> Any:
            return {one: [("added", {"title": f"Part {n}"}) for n in range(MOST_LINES + 2)] for one in people}

        daily_parts.add("test", many)
        self.wait()
        self.run_at(f"{DAY}T17:00")

        self.assertEqual((self.lines()[0], self.lines()[-1]), ("Hello", "and 3 more"))
        self.assertEqual(len(Notice.objects.get(kind="daily").data["parts"]), MOST_LINES)

    def test_what_was_switched_off_while_it_waited_is_left_out(self) -> None:
        self.wish(self.ada, must="daily", urgent="daily")
        self.wait()
        self.wait(kind="urgent", title="Urgent")
        self.wish(self.ada, news="off")
        self.run_at(f"{DAY}T17:00")

        self.assertEqual((self.lines(), self.states()), (["Urgent"], ["dropped", "digested"]))

    def test_what_became_stale_while_it_waited_is_left_out(self) -> None:
        stale_at = datetime(2026, 11, 26, 17, 15, tzinfo=UTC)
        self.wait(stale_at=stale_at)
        self.assertEqual(self.run_at(f"{DAY}T17:15"), 0)

        self.assertEqual(list(Delivery.objects.values_list("state", "reason")), [("dropped", "too late")])

    def test_what_is_not_true_any_more_when_it_leaves_is_left_out(self) -> None:
        self.wait(title="untrue")
        self.wait(title="true")
        self.run_at(f"{DAY}T17:00")

        self.assertEqual((self.lines(), self.states()), (["true"], ["dropped", "digested"]))
        self.assertEqual(Delivery.objects.get(state="dropped").reason, "not true any more")

    def test_a_mail_in_which_nothing_is_true_any_more_does_not_leave(self) -> None:
        self.wait(title="untrue")
        self.run_at(f"{DAY}T17:00")

        self.assertEqual(mail.outbox, [])
        self.assertEqual(Delivery.objects.get(notice__kind="daily").state, "dropped")
        self.assertEqual(self.states(), ["dropped"])

    def test_a_kind_that_the_product_no_longer_has_is_skipped(self) -> None:
        told = self.told(("gone", {}), ("added", {"title": "Hello"}))
        for letter in (DAILY.write(told), DAILY.letter(told)):
            assert letter
            self.assertEqual([line.text for line in letter.lines], ["Hello"])

        daily_parts.add("test", unknown)
        self.assertEqual(self.run_at(f"{DAY}T17:00"), 0)

    def test_the_words_are_its_readers(self) -> None:
        """Written when it leaves: in the mail as in the inbox, in the language that they have then."""

        def speak(told: Told) -> Letter:
            with told.reader.speaking():
                return Letter(told.reader.day(datetime(2026, 12, 4, tzinfo=UTC).date()), "")

        self.enterContext(
            patch.dict(notification_kinds.entries, {"news": Kind(name="news", label="News", write=speak)})
        )
        self.wait()
        self.settings_of(self.ada, language="pt-br")
        self.run_at(f"{DAY}T17:00")

        self.assertEqual(self.lines(), ["sexta-feira, 4 de dezembro de 2026"])
        self.assertEqual(mail.outbox[0].subject, "Seu dia em BIOTech Futures Hub")

    def test_what_waited_goes_with_the_mail_or_waits_on(self) -> None:
        self.wait()
        when = datetime.fromisoformat(f"{DAY}T17:00").replace(tzinfo=UTC)
        with (
            time_machine.travel(when, tick=False),
            patch.object(digests, "mail_of", side_effect=RuntimeError),
            self.assertRaises(RuntimeError),
            transaction.atomic(),
        ):
            digests.write_daily_mails()

        self.assertEqual((self.states(carried_by=None), Notice.objects.count()), (["waiting"], 1))

    def test_it_is_a_kind_that_one_can_switch_off(self) -> None:
        self.assertIs(kind_of("daily"), DAILY)
        self.assertEqual((DAILY.is_mandatory, [str(pace) for pace in DAILY.paces]), (False, ["now", "off"]))


@override_settings(DAILY_MAIL_HOUR=17, PROGRAMME_TIME_ZONE="UTC")
class OutcomeTests(MailCase):
    """What a mail carries becomes what it becomes; against a real SMTP server."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(patch.dict(daily_parts.entries, clear=True))
        self.ada = make_user()
        self.wish(self.ada, news="daily", urgent="daily")

    def write(self, *titles: str, **more: Any) -> Delivery:
        """Have things wait, and write the mail that carries them, which is due."""
        with time_machine.travel(datetime(2026, 11, 26, 9, tzinfo=UTC), tick=False):
            for title in titles or ("Hello",):
                self.tell(self.ada, title=title, **more)
        with time_machine.travel(datetime(2026, 11, 26, 17, tzinfo=UTC), tick=False):
            self.assertEqual(digests.write_daily_mails(), {"written": 1})
        return Delivery.objects.get(notice__kind="daily")

    def send_at(self, moment: str) -> None:
        when = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        with time_machine.travel(when, tick=False):
            self.send_all()

    def lines_taken(self) -> list[str]:
        """Return the lines of the one mail that the server has taken."""
        (taken,) = self.taken_of(self.ada)
        text = taken.message.get_body(("plain",))
        assert text
        return [line for line in text.get_content().splitlines() if line.startswith("- ")]

    def outcomes(self) -> list[tuple[str, str, str]]:
        rows = Delivery.objects.order_by("pk")
        return [(row.notice.kind, row.state, row.reason) for row in rows.select_related("notice")]

    def test_it_waits_until_its_mail_has_left_and_goes_with_no_other(self) -> None:
        mail = self.write()
        self.assertEqual([row.state for row in mail.carried.all()], ["waiting"])
        with time_machine.travel(datetime(2026, 11, 27, 17, tzinfo=UTC), tick=False):
            self.assertEqual(digests.write_daily_mails(), {"written": 0})

        self.send_at(f"{DAY}T17:00")

        self.assertEqual(self.outcomes(), [("news", "digested", ""), ("daily", "sent", "")])

    def test_it_fails_with_its_mail_and_for_the_same_reason(self) -> None:
        self.write()
        self.server.reply = lambda _: Reply(rcpt="550 5.1.1 No such user")
        self.send_at(f"{DAY}T17:00")

        reason = "recipient refused 550 5.1.1"
        self.assertEqual(self.outcomes(), [("news", "failed", reason), ("daily", "failed", reason)])

    def test_an_admin_who_sends_that_mail_again_sends_all_that_it_carried(self) -> None:
        mail = self.write()
        self.server.reply = lambda _: Reply(rcpt="550 5.1.1 No such user")
        self.send_at(f"{DAY}T17:00")
        self.server.reply = lambda _: TAKE
        with (
            time_machine.travel(datetime(2026, 11, 26, 18, tzinfo=UTC), tick=False),
            self.captureOnCommitCallbacks(),
        ):
            self.assertEqual(send_again(Delivery.objects.filter(pk=mail.pk), by=make_superuser()).queued, 1)

        self.send_at(f"{DAY}T18:00")

        self.assertEqual(self.outcomes(), [("news", "digested", ""), ("daily", "sent", "")])
        self.assertEqual(self.lines_taken(), ["- Hello"])

    def test_while_its_mail_is_tried_again_it_waits(self) -> None:
        self.write()
        self.server.reply = lambda _: Reply(rcpt="451 Later")
        self.send_at(f"{DAY}T17:00")
        self.assertEqual([state for _, state, _ in self.outcomes()], ["waiting", "queued"])

        self.server.reply = lambda _: TAKE
        self.send_at(f"{DAY}T18:00")

        self.assertEqual([state for _, state, _ in self.outcomes()], ["digested", "sent"])

    def test_it_is_dropped_with_a_mail_that_may_not_leave(self) -> None:
        cases: dict[str, Callable[[], object]] = {
            "not wanted": lambda: self.wish(self.ada, daily="off"),
            "suspended": lambda: User.objects.filter(pk=self.ada.pk).update(status=User.Status.INACTIVE),
            "address bounced": lambda: MailTrouble.objects.create(
                person=self.ada, address=self.ada.email, cause="bounced"
            ),
        }
        for reason, change in cases.items():
            with self.subTest(reason), transaction.atomic():
                self.write()
                change()
                self.send_at(f"{DAY}T17:00")
                self.assertEqual(self.outcomes(), [("news", "dropped", reason), ("daily", "dropped", reason)])
                transaction.set_rollback(True)

    def test_each_thing_in_it_is_asked_again_as_it_leaves(self) -> None:
        self.settings_of(self.ada, quiet_from=time(16), quiet_until=time(7))
        self.write("Too late", stale_at=datetime(2026, 11, 27, 6, tzinfo=UTC))
        self.write_more("Unwanted", kind="urgent")
        self.write_more("Still so")
        self.wish(self.ada, urgent="off")
        self.send_at("2026-11-27T07:00")

        self.assertEqual(
            self.outcomes(),
            [
                ("news", "dropped", "too late"),
                ("daily", "sent", ""),
                ("urgent", "dropped", "not wanted"),
                ("news", "digested", ""),
            ],
        )
        self.assertEqual(self.lines_taken(), ["- Still so"])

    def write_more(self, title: str, **more: Any) -> None:
        """Have the mail that is written carry one thing more."""
        mail = Delivery.objects.get(notice__kind="daily")
        self.tell(self.ada, title=title, **more)
        Delivery.objects.filter(notice__subject=title).update(carried_by=mail)

    def test_killed_between_the_two_neither_is_written(self) -> None:
        """The mail has left: it comes once more, under its id, and takes along what it carried."""
        self.write()
        with (
            patch.object(claims, "settle_carried", side_effect=KeyboardInterrupt),
            self.assertRaises(KeyboardInterrupt),
        ):
            self.send_at(f"{DAY}T17:00")
        self.assertEqual([state for _, state, _ in self.outcomes()], ["waiting", "queued"])

        self.send_at(f"{DAY}T17:10")

        self.assertEqual([state for _, state, _ in self.outcomes()], ["digested", "sent"])
        self.assertEqual(len({taken.id for taken in self.taken_of(self.ada)}), 1)

    def test_what_waits_anew_after_its_mail_has_left_goes_with_the_next(self) -> None:
        """As of an announcement that was put off and published once more."""
        mail = self.write()
        self.send_at(f"{DAY}T17:00")
        mail.carried.update(state=State.WAITING)
        with time_machine.travel(datetime(2026, 11, 27, 17, tzinfo=UTC), tick=False):
            self.assertEqual(digests.write_daily_mails(), {"written": 1})
        self.send_at("2026-11-27T17:00")

        self.assertEqual([state for _, state, _ in self.outcomes()], ["digested", "sent", "sent"])

    def test_one_whose_mail_is_not_kept_any_more_waits_for_the_next(self) -> None:
        self.write().notice.delete()
        with time_machine.travel(datetime(2026, 11, 27, 17, tzinfo=UTC), tick=False):
            self.assertEqual(digests.write_daily_mails(), {"written": 1})

    def test_a_mail_costs_the_same_however_much_it_carries(self) -> None:
        costs = []
        for count in (2, 12):
            # More than there are lines for, too.
            with patch.object(digests, "MOST_LINES", 8), transaction.atomic():
                self.write(*[f"News {number}" for number in range(count)])
                with CaptureQueriesContext(connection) as queries:
                    self.send_at(f"{DAY}T17:00")
                transaction.set_rollback(True)
            costs.append(len(queries))
        self.assertEqual(costs[0], costs[1])


class CostTests(DigestCase):
    def test_a_batch_costs_the_same_for_2_and_for_30(self) -> None:
        self.add_always()
        costs = set[int]()
        day = datetime(2026, 11, 26, 17, tzinfo=UTC)
        for count in (2, 30):
            people = [make_user() for _ in range(count)]
            for person in people:
                self.wish(person, news="daily", urgent="daily")
            self.wait(*people, title=f"{count}")
            self.wait(*people, kind="urgent", title=f"stale {count}", stale_at=day)
            with (
                self.subTest(count),
                time_machine.travel(day, tick=False),
                CaptureQueriesContext(connection) as captured,
            ):
                written = digests.write_for([one.pk for one in people], day.date(), before=day)
            self.assertEqual(written, count)
            self.assertEqual(Delivery.objects.filter(state="waiting", carried_by__isnull=True).count(), 0)
            # SQLite splits an INSERT of many rows.
            costs.add(len([query for query in captured if not query["sql"].startswith("INSERT")]))

        self.assertEqual(len(costs), 1)
        self.assertLessEqual(costs.pop(), 11)

    def test_everybody_is_reached_some_at_a_time(self) -> None:
        self.add_always()
        for _ in range(4):
            make_user()
        with patch.object(digests, "BATCH", 2):
            self.assertEqual(self.run_at(f"{DAY}T17:00"), 5)
            self.assertEqual(self.run_at(f"{DAY}T17:30"), 0)
        self.assertEqual(len({message.to[0] for message in mail.outbox}), 5)


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class ParallelTests(TransactionTestCase):
    @override_settings(DAILY_MAIL_HOUR=0)
    def test_jobs_at_once_write_one_mail_to_each(self) -> None:
        people = [make_user() for _ in range(12)]
        notice = Notice.objects.create(
            kind="news", subject="1", data={"title": "Hello"}, fanned_out_at=timezone.now()
        )
        Delivery.objects.bulk_create(
            Delivery(
                notice=notice, person=one, state=State.WAITING, created_at=timezone.now() - timedelta(days=2)
            )
            for one in people
        )
        with (
            patch.dict(notification_kinds.entries, {**KINDS, "added": ADDED}),
            patch.dict(daily_parts.entries, {"test": always}, clear=True),
            patch.object(digests, "BATCH", 5),
        ):
            results = in_parallel(lambda _: digests.write_daily_mails(), 4)

        self.assertEqual(sum(result["written"] for result in results), 12)
        self.assertEqual(Delivery.objects.by_state(), {"waiting": 12, "queued": 12})
        for carrier in Delivery.objects.filter(notice__kind="daily").select_related("notice"):
            self.assertEqual([kind for kind, _ in carrier.notice.data["parts"]], ["added"])
            self.assertEqual(carrier.carried.get().person_id, carrier.person_id)
