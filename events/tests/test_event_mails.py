"""Who is told what about events and seats: by which mail, with which file, and never without a commit."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final
from unittest import skipUnless
from unittest.mock import patch

from django.core import mail
from django.core.cache import cache
from django.db import connection, transaction
from django.test import TransactionTestCase, override_settings, tag
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from core.mail import Reader
from core.models import Delivery, Notice, NotificationChoice, NotificationSettings
from core.notifications.inbox import inbox_of, words_of
from core.notifications.tasks import look_for_mail
from core.testing import in_parallel
from events.models import EventRegistration
from events.services.events import change_event
from events.services.seats import give_up_seat, take_seat
from events.tests.cases import seated
from events.tests.factories import make_event, queue, seat
from events.tests.mails import EventMailCase, entry_of, file_of
from events.tests.test_seat_rules import Run
from users.models import User
from users.services.accounts import change_status
from users.services.erasure import erase_person
from users.tests.factories import make_admin, make_user

START: Final = datetime(2031, 5, 6, 8, tzinfo=UTC)  # 18:00 in Brisbane
TIMED: Final[dict[str, Any]] = {
    "start_at": START,
    "end_at": START + timedelta(hours=2),
    "timezone": "Australia/Brisbane",
}
PAST: Final = date(2020, 1, 1)


class SeatMailTests(EventMailCase):
    def test_a_seat_is_confirmed_with_an_invitation(self) -> None:
        event = make_event(**TIMED)

        [message] = self.done(lambda: self.register(self.ada, event))

        self.assertEqual((message.to, message.subject), ([self.ada.email], "Your seat: Symposium"))
        self.assertIn("You have a seat at Symposium.", message.body)
        self.assertIn("Place: Brisbane", message.body)
        self.assertIn(f"/#/events/{event.pk}", message.body)
        self.assertEqual(
            entry_of(message),
            {
                "method": "REQUEST",
                "uid": str(event.uid),
                "sequence": 0,
                "status": "CONFIRMED",
                "attendee": f"mailto:{self.ada.email}",
                "start": START,
                "title": "Symposium",
                "place": "Brisbane",
            },
        )

    def test_a_refusal_tells_nobody(self) -> None:
        event = make_event(capacity=1)
        seat(event, self.ada)

        self.assertEqual(self.done(lambda: self.register(self.bob, event)), [])
        self.assertEqual(self.done(lambda: self.register(self.ada, event)), [])
        self.assertEqual(self.done(lambda: self.wait(self.bob, event)), [])

    def test_whoever_moves_up_is_told(self) -> None:
        event = make_event(capacity=1)
        seat(event, self.ada)
        queue(event, self.cleo, self.bob)

        messages = self.done(lambda: self.unregister(self.ada, event))

        self.assertEqual(
            set(self.told(messages)),
            {
                (self.ada.email, "Seat given up: Symposium"),
                (self.cleo.email, "You have a seat now: Symposium"),
            },
        )
        by_person = {message.to[0]: entry_of(message) for message in messages}
        self.assertEqual(
            [by_person[who.email]["method"] for who in (self.ada, self.cleo)], ["CANCEL", "REQUEST"]
        )

    def test_whoever_moves_up_twice_is_told_twice(self) -> None:
        event = make_event(capacity=1)
        seat(event, self.ada)
        messages = []
        for giver, taker in ((self.ada, self.bob), (self.bob, self.ada), (self.ada, self.bob)):
            queue(event, taker)
            messages += self.done(lambda giver=giver: self.unregister(giver, event))  # type: ignore[misc]

        self.assertEqual(
            [who for who, subject in self.told(messages) if subject.startswith("You have")],
            [self.bob.email, self.ada.email, self.bob.email],
        )

    def test_all_who_get_a_seat_by_a_larger_room_are_told_at_once(self) -> None:
        event = make_event(capacity=1)
        seat(event, self.ada)
        queue(event, self.bob, self.cleo, self.dan)

        messages = self.done(lambda: self.change(event, capacity=3))

        self.assertEqual(
            self.told(messages), self.names("You have a seat now: Symposium", self.bob, self.cleo)
        )
        self.assertEqual(Notice.objects.count(), 1)

    def test_suspension_and_erasure_pass_seats_on_and_say_so(self) -> None:
        for end in (partial(change_status, status="inactive"), erase_person):
            event, leaver = make_event(capacity=1), make_user()
            seat(event, leaver)
            queue(event, self.bob)

            messages = self.done(lambda end=end, leaver=leaver: end(leaver, by=self.admin))  # type: ignore[misc]

            told = [pair for pair in self.told(messages) if "seat" in pair[1].lower()]
            self.assertEqual(told, [(self.bob.email, "You have a seat now: Symposium")])

    def test_who_comes_back_after_a_suspension_is_invited_by_a_higher_number(self) -> None:
        event = make_event()
        [first] = self.done(lambda: self.register(self.ada, event))
        for status in ("inactive", "active"):
            change_status(self.ada, status=status, by=self.admin)
        self.ada.refresh_from_db()

        [second] = self.done(lambda: self.register(self.ada, event))

        self.assertGreater(entry_of(second)["sequence"], entry_of(first)["sequence"])

    def test_a_seat_that_was_given_up_before_the_mail_left_is_not_confirmed(self) -> None:
        event = make_event()
        confirm = self.later(lambda: self.register(self.ada, event))
        given_up = self.later(lambda: self.unregister(self.ada, event))
        again = self.later(lambda: self.register(self.ada, event))

        self.assertEqual((confirm(), given_up()), ([], []))
        self.assertEqual(self.told(again()), [(self.ada.email, "Your seat: Symposium")])
        self.assertEqual(Delivery.objects.filter(state="dropped").count(), 2)

    def test_a_confirmation_that_leaves_late_says_how_it_is_now(self) -> None:
        event = make_event(**TIMED)
        confirm = self.later(lambda: self.register(self.ada, event))
        change = self.later(lambda: self.change(event, location="Perth"))

        [message] = confirm()
        self.assertIn("Place: Perth", message.body)
        self.assertEqual((entry_of(message)["place"], entry_of(message)["sequence"]), ("Perth", 1))
        self.assertEqual([entry_of(message)["sequence"] for message in change()], [1])

    def test_people_choose_and_their_choice_is_kept(self) -> None:
        NotificationChoice.objects.create(person=self.ada, kind="event_seat", pace="off")
        event = make_event()

        self.assertEqual(self.done(lambda: self.register(self.ada, event)), [])
        self.assertEqual(inbox_of(self.ada).count(), 1)

    def test_each_reads_their_own_language_and_clock(self) -> None:
        NotificationSettings.objects.create(person=self.ada, language="pt-br", time_zone="America/Sao_Paulo")
        event = make_event(**TIMED)

        [message] = self.done(lambda: self.register(self.ada, event))

        self.assertIn("terça-feira, 6 de maio de 2031, 05:00 (America/Sao_Paulo)", message.body)
        self.assertIn("terça-feira, 6 de maio de 2031, 18:00 (Australia/Brisbane)", message.body)
        self.assertNotIn("seat", message.body.lower())

    def test_where_the_clocks_agree_the_time_is_said_once(self) -> None:
        NotificationSettings.objects.create(person=self.ada, time_zone="Australia/Brisbane")
        event = make_event(**TIMED)

        [message] = self.done(lambda: self.register(self.ada, event))

        self.assertEqual(message.body.count("18:00"), 1)

    def test_the_inbox_says_the_same_without_a_query(self) -> None:
        event = make_event(**TIMED)
        self.done(lambda: self.register(self.ada, event))
        self.done(lambda: self.delete(event))
        rows = list(inbox_of(self.ada))

        with self.assertNumQueries(0):
            letters = [words_of(row, person=self.ada, reader=Reader()) for row in rows]

        self.assertEqual(
            [letter and letter.subject for letter in letters],
            ["Cancelled: Symposium", "Your seat: Symposium"],
        )
        self.assertEqual([letter and letter.attachments for letter in letters], [(), ()])


class ChangeMailTests(EventMailCase):
    def setUp(self) -> None:
        super().setUp()
        self.event = make_event(capacity=1, **TIMED)
        seat(self.event, self.ada)
        queue(self.event, self.bob)

    def test_who_comes_and_who_waits_are_told_what_changed(self) -> None:
        messages = self.done(
            lambda: self.change(self.event, startAt="2031-05-07T08:00:00Z", endAt="2031-05-07T10:00:00Z")
        )

        self.assertEqual(self.told(messages), self.names("New time: Symposium", self.ada, self.bob))
        for message in messages:
            self.assertIn("When: Wednesday, 7 May 2031, 08:00 (UTC)", message.body)
            self.assertIn("Time before: Tuesday, 6 May 2031, 08:00 (UTC)", message.body)
            self.assertIn("End before: Tuesday, 6 May 2031, 10:00 (UTC)", message.body)
            self.assertNotIn("Place before", message.body)
        files = {message.to[0]: file_of(message) for message in messages}
        self.assertIsNone(files[self.bob.email])
        [entry] = [entry_of(message) for message in messages if message.to == [self.ada.email]]
        self.assertEqual(
            (entry["method"], entry["sequence"], entry["start"]), ("REQUEST", 1, START + timedelta(days=1))
        )

    def test_each_aspect_is_named(self) -> None:
        for values, subject, line in (
            ({"title": "Evening"}, "Changed: Evening", "Title before: Symposium"),
            ({"location": "Perth"}, "New place: Evening", "Place before: Brisbane"),
            ({"time": "from six on"}, "Changed: Evening", "6 May 2031, from six on (Australia/Brisbane)"),
            ({"timezone": "Australia/Perth"}, "Changed: Evening", "16:00 (Australia/Perth)"),
            ({"registerLink": "https://x.example/a"}, "Changed: Evening", "https://x.example/a"),
            ({"registerLink": ""}, "Changed: Evening", "Link before: https://x.example/a"),
        ):
            with self.subTest(values):
                messages = self.done(lambda values=values: self.change(self.event, **values))  # type: ignore[misc]
                self.assertEqual(self.told(messages), self.names(subject, self.ada, self.bob))
                self.assertIn(line, messages[0].body)

    def test_where_the_end_alone_has_changed_the_old_one_is_told(self) -> None:
        messages = self.done(lambda: self.change(self.event, endAt="2031-05-06T11:00:00Z"))

        self.assertEqual(self.told(messages), self.names("New time: Symposium", self.ada, self.bob))
        for line in ("Until: Tuesday, 6 May 2031, 11:00", "End before: Tuesday, 6 May 2031, 10:00"):
            self.assertIn(line, messages[0].body)

    def test_the_clock_of_another_place_is_told_with_the_one_before(self) -> None:
        [message, _] = self.done(lambda: self.change(self.event, timezone="Australia/Perth"))

        self.assertIn("Local time there: Tuesday, 6 May 2031, 16:00 (Australia/Perth)", message.body)
        self.assertIn("Local time before: Tuesday, 6 May 2031, 18:00 (Australia/Brisbane)", message.body)

    def test_another_name_of_the_same_clock_is_no_mail(self) -> None:
        """Neither where it has a start, nor where it takes the day."""
        day = make_event(timezone="Australia/Sydney")
        seat(day, self.ada)
        for event, zone in ((self.event, "Australia/Lindeman"), (day, "Australia/Melbourne")):
            with self.subTest(zone):
                self.assertEqual(self.done(lambda e=event, z=zone: self.change(e, timezone=z)), [])  # type: ignore[misc]
        for values in ({"timezone": "Australia/Perth"}, {"time": "from six on"}):
            with self.subTest(values):
                told = self.told(self.done(lambda values=values: self.change(day, **values)))  # type: ignore[misc]
                self.assertEqual(told, [(self.ada.email, "New time: Symposium")])

    def test_what_does_not_matter_to_them_is_no_mail(self) -> None:
        for values in (
            {"description": "A typo less", "longDescription": "And another"},
            {"type": "virtual"},
            {"title": "Symposium"},
            {"startAt": "2031-05-06T18:00:00.500+10:00"},
        ):
            with self.subTest(values):
                self.assertEqual(self.done(lambda values=values: self.change(self.event, **values)), [])  # type: ignore[misc]

    def test_who_gets_a_seat_by_the_same_change_is_told_that_alone(self) -> None:
        messages = self.done(lambda: self.change(self.event, capacity=2, location="Perth"))

        self.assertEqual(
            set(self.told(messages)),
            {(self.ada.email, "New place: Symposium"), (self.bob.email, "You have a seat now: Symposium")},
        )
        self.assertTrue(all("Place: Perth" in message.body for message in messages))

    def test_a_change_that_another_overtook_is_not_told(self) -> None:
        first = self.later(lambda: self.change(self.event, location="Perth"))
        second = self.later(lambda: self.change(self.event, location="Hobart"))

        self.assertEqual(first(), [])
        messages = second()
        self.assertEqual(len(messages), 2)
        self.assertIn("Place: Hobart", messages[0].body)

    def test_of_a_change_that_another_overtook_in_part_the_rest_is_told(self) -> None:
        first = self.later(lambda: self.change(self.event, location="Perth", title="Evening"))
        second = self.later(lambda: self.change(self.event, location="Hobart"))

        messages = first()
        self.assertEqual(len(messages), 2)
        self.assertIn("Title before: Symposium", messages[0].body)
        self.assertIn("Place: Hobart", messages[0].body)
        self.assertNotIn("Place before", messages[0].body)
        self.assertEqual(len(second()), 2)

    def test_who_has_left_meanwhile_is_not_told(self) -> None:
        change = self.later(lambda: self.change(self.event, location="Perth"))
        self.unregister(self.ada, self.event)

        self.assertEqual(change(), [])  # bob has a seat by now, and a mail of his own that says so

    def test_an_event_that_is_over_is_nobodys_news(self) -> None:
        over = make_event(date=PAST)
        seat(over, self.ada)
        self.assertEqual(self.done(lambda: self.change(over, location="Perth")), [])
        self.assertEqual(self.done(lambda: self.delete(over)), [])

    def test_a_deleted_event_is_told_and_leaves_the_calendar(self) -> None:
        messages = self.done(lambda: self.delete(self.event))

        self.assertEqual(self.told(messages), self.names("Cancelled: Symposium", self.ada, self.bob))
        [to_ada] = [message for message in messages if message.to == [self.ada.email]]
        [to_bob] = [message for message in messages if message.to == [self.bob.email]]
        entry = entry_of(to_ada)
        self.assertEqual(
            (entry["method"], entry["status"], entry["sequence"], entry["uid"]),
            ("CANCEL", "CANCELLED", 1, str(self.event.uid)),
        )
        self.assertIsNone(file_of(to_bob))
        self.assertIn("18:00 (Australia/Brisbane)", to_bob.body)

    def test_who_is_suspended_is_told_nothing(self) -> None:
        User.objects.filter(pk=self.ada.pk).update(status=User.Status.INACTIVE)

        messages = self.done(lambda: self.change(self.event, location="Perth"))

        self.assertEqual(self.told(messages), [(self.bob.email, "New place: Symposium")])


class NumberTests(EventMailCase):
    def test_every_later_file_to_a_person_has_a_higher_number(self) -> None:
        event = make_event(**TIMED)
        messages = []
        for act in (
            lambda: self.register(self.ada, event),
            lambda: self.unregister(self.ada, event),
            lambda: self.register(self.ada, event),
            lambda: self.change(event, location="Perth"),
            lambda: self.unregister(self.ada, event),
            lambda: self.register(self.ada, event),
            lambda: self.delete(event),
        ):
            messages += self.done(act)

        entries = [entry_of(message) for message in messages]
        self.assertEqual(
            [entry["method"] for entry in entries],
            ["REQUEST", "CANCEL", "REQUEST", "REQUEST", "CANCEL", "REQUEST", "CANCEL"],
        )
        numbers = [entry["sequence"] for entry in entries]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual({entry["uid"] for entry in entries}, {str(event.uid)})

    @tag("walk")
    def test_whatever_people_and_admins_do_numbers_rise_and_every_seat_was_told(self) -> None:
        last: dict[tuple[str, str], dict[str, Any]] = {}
        for seed in range(3):
            run = Run(seed, self.admin)
            for number in range(60):
                place = partial(self.change, run.any_event(), location=f"Hall {number}")
                act = run.step if number % 7 else place
                for entry in map(entry_of, filter(file_of, self.done(act))):
                    key = (entry["uid"], entry["attendee"])
                    if key in last:
                        self.assertGreater(entry["sequence"], last[key]["sequence"])
                    last[key] = entry
                for row in EventRegistration.objects.select_related("event", "user"):
                    told = last[str(row.event.uid), f"mailto:{row.user.email}"]
                    self.assertEqual(told["method"], "REQUEST")

    def test_another_try_sends_the_same_file(self) -> None:
        event = make_event(**TIMED)
        self.done(lambda: self.register(self.ada, event))
        Delivery.objects.update(state="queued", due_at=timezone.now())

        self.done(look_for_mail)

        first, second = mail.outbox
        self.assertEqual(file_of(first), file_of(second))

    def test_a_file_that_leaves_late_has_the_number_of_what_it_says(self) -> None:
        """Descriptions are told to nobody, and yet calendars show them."""
        event = make_event(**TIMED)
        send = self.later(lambda: self.register(self.ada, event))
        self.change(event, description="Bring a pen")

        [message] = send()

        self.assertIn(b"Bring a pen", file_of(message) or b"")
        self.assertEqual(entry_of(message)["sequence"], 1)

    def test_seats_that_others_give_up_meanwhile_put_no_file_behind(self) -> None:
        event = make_event(**TIMED)
        send = self.later(lambda: self.register(self.ada, event))
        seat(event, self.bob)
        self.unregister(self.bob, event)

        [request] = send()
        [cancellation] = self.done(lambda: self.unregister(self.ada, event))

        self.assertEqual([entry_of(request)["sequence"], entry_of(cancellation)["sequence"]], [2, 3])


class TogetherTests(TransactionTestCase):
    """With real commits."""

    def setUp(self) -> None:
        cache.clear()
        self.admin, self.ada = make_admin(), make_user()
        self.event = make_event(capacity=1)

    def test_what_is_rolled_back_tells_nobody(self) -> None:
        seat(self.event, make_user())
        queue(self.event, self.ada)
        values = {"capacity": 2, "location": "Perth"}

        with self.assertRaises(RuntimeError), transaction.atomic():
            change_event(self.event.pk, by=self.admin, values=values)
            raise RuntimeError

        self.assertEqual((Notice.objects.count(), Delivery.objects.count(), mail.outbox), (0, 0, []))
        change_event(self.event.pk, by=self.admin, values=values)
        self.assertEqual((Notice.objects.count(), len(mail.outbox)), (2, 2))

    def test_a_committed_seat_is_confirmed(self) -> None:
        take_seat(self.event.pk, by=self.ada)
        self.assertEqual([message.to for message in mail.outbox], [[self.ada.email]])

    @skipUnless(connection.vendor == "postgresql", "The queue is PostgreSQL's.")
    def test_on_the_queue_seat_and_task_are_one_commit(self) -> None:
        with override_settings(EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend"):
            with patch("events.services.seats.tell_promoted", side_effect=RuntimeError):
                seat(self.event, self.ada)
                queue(self.event, make_user())
                with self.assertRaises(RuntimeError):
                    give_up_seat(self.event.pk, by=self.ada)
                self.assertEqual((DBTaskResult.objects.count(), seated(self.event)), (0, [self.ada.pk]))

            give_up_seat(self.event.pk, by=self.ada)
            self.assertEqual((DBTaskResult.objects.count(), Notice.objects.count()), (2, 2))

    @skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
    def test_the_last_seat_is_confirmed_to_one_of_many_who_ask_at_once(self) -> None:
        people = [make_user() for _ in range(8)]

        in_parallel(lambda n: take_seat(self.event.pk, by=people[n]), len(people))

        [holder] = seated(self.event)
        self.assertEqual([message.to for message in mail.outbox], [[User.objects.get(pk=holder).email]])


class WordsTests(EventMailCase):
    def test_what_admins_write_stays_in_its_line(self) -> None:
        hostile = "Evening\r\nMagic Link: https://evil.example\u2028x"
        event = make_event(title=hostile, location=hostile, time="18:00\nPlace: elsewhere")

        [message] = self.done(lambda: self.register(self.ada, event))

        self.assertEqual(message.subject, "Your seat: Evening Magic Link: https://evil.example x")
        lines = message.body.splitlines()
        self.assertFalse([line for line in lines if line.startswith(("Magic Link", "Place: elsewhere"))])

    def test_days_are_days_in_every_zone(self) -> None:
        NotificationSettings.objects.create(person=self.ada, time_zone="Pacific/Kiritimati")
        event = make_event(time="6 to 8 pm", timezone="Australia/Perth")

        [message] = self.done(lambda: self.register(self.ada, event))

        self.assertIn("When: Tuesday, 6 May 2031, 6 to 8 pm (Australia/Perth)", message.body)
        self.assertEqual(entry_of(message)["start"], date(2031, 5, 6))

    def test_the_link_of_an_event_is_a_button(self) -> None:
        event = make_event(register_link="https://x.example/join")

        [message] = self.done(lambda: self.register(self.ada, event))

        self.assertIn("https://x.example/join", message.body)
