"""What must hold of seats when many ask at the same moment (SAFETY R10)."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import Mock, patch

from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.test import TransactionTestCase, override_settings

from authentication.tests.signing_in import signed_in_client
from core.refusals import Refused
from core.registry import access_ended
from core.testing import before_statement, in_parallel
from events.models import EventRegistration
from events.services.events import change_event, delete_event
from events.services.roster import mark_attendance
from events.services.seats import (
    free_seats_of_suspended,
    give_up_seat,
    join_waitlist,
    leave_waitlist,
    take_seat,
)
from events.tests.cases import seated, url, waiting
from events.tests.factories import make_event, queue, seat
from users.models import User
from users.services.accounts import change_status
from users.services.erasure import erase_person
from users.services.import_undoing import undo_next_rows
from users.services.import_writing import write_next_rows
from users.services.imports import check_file, start_commit, start_undo
from users.tests.factories import make_admin, make_user
from users.tests.importing import csv_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.models import Event
    from users.models import PeopleImport

ROUNDS = 4
# Whom a seat is told to is another matter, and half of what a round costs.
untold = patch("core.notifications.notices.enqueue_on_commit", Mock())


def committing(admin: User, *rows: list[str]) -> PeopleImport:
    """Return an import of statuses that a worker is to write."""
    file = SimpleUploadedFile("x.csv", csv_of(["email", "status"], *rows))
    batch = check_file(file, by=admin, flags={"change_status": True})
    with patch("users.services.imports.enqueue_on_commit"):
        return start_commit(batch.pk, by=admin)


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
@override_settings(API_WRITES_PER_USER="")
class SeatRaces(TransactionTestCase):
    def setUp(self) -> None:
        cache.clear()
        self.admin = make_admin()

    def meet(self, *calls: Callable[[], object]) -> list[Any]:
        """Run the calls at once; a refusal by a rule is fine, one by the database is not."""
        results = in_parallel(lambda n: calls[n](), len(calls))
        faults = [r for r in results if isinstance(r, Exception) and not isinstance(r, Refused)]
        self.assertEqual(faults, [])
        return results

    def check(self, event: Event) -> None:
        """No seat too many, none free while somebody waits, nobody there who may not enter."""
        event.refresh_from_db()
        rows = EventRegistration.everything.filter(event=event).select_related("user")
        self.assertTrue(all(row.user.may_enter for row in rows))
        self.assertLessEqual(len(seated(event)), event.capacity or 0)
        self.assertFalse(waiting(event) and len(seated(event)) < (event.capacity or 0))

    def test_forty_at_once_for_the_last_ten_seats(self) -> None:
        """B80: exactly ten get one, over HTTP; all others are told that it is full."""
        event = make_event(capacity=13)
        seat(event, *(make_user() for _ in range(3)))
        clients = [signed_in_client(make_user()) for _ in range(40)]
        path = url("register", event.pk)

        responses = in_parallel(lambda n: clients[n].post(path), len(clients))

        self.assertEqual(Counter(response.status_code for response in responses), {201: 10, 409: 30})
        self.assertEqual(len(set(seated(event))), 13)

    def test_one_person_twenty_times_at_once_has_one_seat(self) -> None:
        event, client = make_event(), signed_in_client(make_user())
        path = url("register", event.pk)

        responses = in_parallel(lambda _: client.post(path), 20)

        self.assertEqual(Counter(response.status_code for response in responses), {201: 1, 400: 19})
        self.assertEqual(event.registrations.count(), 1)

    @untold
    def test_a_seat_that_is_freed_meets_who_joins_the_list(self) -> None:
        """Whoever comes first: afterwards nobody waits beside a free seat."""
        people = [make_user() for _ in range(4)]
        for _ in range(ROUNDS):
            event = make_event(capacity=1)
            seat(event, people[0])
            self.meet(
                partial(give_up_seat, event.pk, by=people[0]),
                *(partial(join_waitlist, event.pk, by=person) for person in people[1:3]),
                partial(take_seat, event.pk, by=people[3]),
            )
            self.check(event)

    @untold
    def test_who_is_promoted_at_the_moment_of_their_suspension_or_erasure_holds_nothing(self) -> None:
        for end in (partial(change_status, status="inactive"), erase_person):
            for _ in range(ROUNDS):
                first, second, third = (make_user() for _ in range(3))
                events = [make_event(capacity=1) for _ in range(3)]
                for event in events:
                    seat(event, first)
                    queue(event, second, third)
                self.meet(
                    partial(end, second, by=self.admin),
                    *(partial(give_up_seat, event.pk, by=first) for event in events),
                )
                for event in events:
                    self.check(event)
                    self.assertEqual(seated(event), [third.pk])

    @untold
    def test_two_suspensions_that_pass_seats_to_each_other_stand_in_nobodys_way(self) -> None:
        for _ in range(ROUNDS):
            one, other, third = (make_user() for _ in range(3))
            events = [make_event(capacity=1) for _ in range(4)]
            for number, event in enumerate(events):
                seat(event, (one, other)[number % 2])
                queue(event, (other, one)[number % 2], third)
            admins = [make_admin(), make_admin()]
            self.meet(
                partial(change_status, one, status="inactive", by=admins[0]),
                partial(erase_person, other, by=admins[1]),
            )
            for event in events:
                self.assertEqual(seated(event), [third.pk])

    def test_everything_at_once(self) -> None:
        for seed in range(ROUNDS):
            chance = random.Random(seed)
            people = [make_user() for _ in range(8)]
            events = [make_event(capacity=2), make_event(capacity=3)]
            for event in events:
                seat(event, people[0], people[1])
            own = (take_seat, give_up_seat, join_waitlist, join_waitlist, leave_waitlist)
            calls: list[Any] = [
                partial(chance.choice(own), chance.choice(events).pk, by=person) for person in people * 2
            ]
            calls += [
                partial(change_event, event.pk, by=self.admin, values={"capacity": number})
                for event in events
                for number in (4, 3)
            ]
            calls += [
                partial(mark_attendance, events[0].pk, by=self.admin, user_id=people[0].pk, attended=True),
                partial(change_status, people[0], status="inactive", by=make_admin()),
                partial(erase_person, people[1], by=make_admin()),
            ]
            chance.shuffle(calls)
            self.meet(*calls)
            for event in events:
                event.refresh_from_db()
                self.assertLessEqual(len(seated(event)), 4)
                self.assertFalse(waiting(event) and len(seated(event)) < (event.capacity or 0))

    def suspend_half_way(self, write: Callable[[], object], first: User, other: User) -> None:
        """Suspend somebody else when ``write`` has suspended the first of its people, and no other yet."""
        half_way = threading.Event()

        def end(user: User, /) -> None:
            free_seats_of_suspended(user)
            if user.pk == first.pk:
                half_way.set()
                time.sleep(0.5)

        def suspend() -> None:
            half_way.wait(5)
            change_status(other, status="inactive", by=make_admin())

        with patch.dict(access_ended.entries, {"events": end}):
            self.meet(write, suspend)

    def test_an_import_that_suspends_many_meets_a_suspension(self) -> None:
        """It locks the events of all before the first loses a seat: theirs lie crosswise here."""
        people, other = [make_user(email=f"{name}@x.org") for name in "ab"], make_user()
        batch = committing(self.admin, *([person.email, "inactive"] for person in people))
        self.cross(people, other)

        self.suspend_half_way(partial(write_next_rows, batch.pk), people[0], other)

        self.assertFalse(EventRegistration.everything.exists())

    def test_so_may_one_that_is_taken_back(self) -> None:
        people = [make_user(email=f"{name}@x.org", status="inactive") for name in "ab"]
        other = make_user()
        batch = committing(self.admin, *([person.email, "active"] for person in people))
        while write_next_rows(batch.pk):
            pass
        with patch("users.services.imports.enqueue_on_commit"):
            start_undo(batch.pk, by=self.admin)
        self.cross(people, other)

        self.suspend_half_way(partial(undo_next_rows, batch.pk), people[0], other)

        self.assertFalse(EventRegistration.everything.exists())

    def cross(self, people: list[User], other: User) -> None:
        """Give the first a seat at the event that is locked last; somebody else waits for both."""
        events = [make_event(capacity=1) for _ in people]
        for event, person in zip(reversed(events), people, strict=True):
            seat(event, person)
            queue(event, other)

    def test_whoever_is_put_on_an_event_while_it_is_deleted_is_told_that_it_has_gone(self) -> None:
        """Not by a service, which would hold the event: as the shell does, or the release before."""
        event, person, going = make_event(), make_user(), threading.Event()

        def delete() -> None:
            def let_them() -> None:
                going.set()
                time.sleep(0.5)

            with before_statement('DELETE FROM "events_event"', let_them):
                delete_event(event.pk, by=self.admin)

        def insert() -> None:
            going.wait(5)
            seat(event, person)

        deleted, inserted = in_parallel(lambda n: (delete, insert)[n](), 2)

        self.assertIsNone(deleted)
        self.assertIsInstance(inserted, IntegrityError)

    @untold
    def test_an_event_that_is_deleted_meanwhile_leaves_nothing(self) -> None:
        for _ in range(ROUNDS):
            event, person, other = make_event(capacity=1), make_user(), make_user()
            seat(event, other)
            self.meet(
                partial(delete_event, event.pk, by=self.admin),
                partial(join_waitlist, event.pk, by=person),
                partial(change_status, other, status="inactive", by=make_admin()),
            )
            self.assertFalse(EventRegistration.everything.filter(event_id=event.pk).exists())
            self.assertTrue(User.objects.filter(pk=person.pk).exists())
