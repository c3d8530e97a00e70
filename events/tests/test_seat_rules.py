"""What must hold of seats whatever people and admins do, in any order."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.refusals import Refused
from events.models import EventRegistration
from events.services.events import change_event
from events.services.seats import give_up_seat, join_waitlist, leave_waitlist, take_seat
from events.tests.cases import EventCase
from events.tests.factories import make_event
from users.services.accounts import change_status
from users.services.erasure import erase_person
from users.tests.factories import make_user

if TYPE_CHECKING:
    from events.models import Event
    from users.models import User


class Run:
    """A few people and two events, and what was asked of them by chance."""

    def __init__(self, seed: int, admin: User) -> None:
        self.chance, self.admin = random.Random(seed), admin
        self.people = [make_user() for _ in range(7)]
        self.events = [make_event(capacity=2), make_event(capacity=3)]

    def anybody(self) -> User:
        return self.chance.choice(self.people)

    def any_event(self) -> Event:
        return self.chance.choice(self.events)

    def capacity(self) -> None:
        event, number = self.any_event(), self.chance.choice([1, 2, 3, 4, 5, None])
        change_event(event.pk, by=self.admin, values={"capacity": number})

    def suspend(self) -> None:
        person = self.anybody()
        change_status(person, status=self.chance.choice(["inactive", "active"]), by=self.admin)

    def erase(self) -> None:
        person = self.people.pop(self.chance.randrange(len(self.people)))
        erase_person(person, by=self.admin)
        self.people.append(make_user())

    def step(self) -> None:
        """Do one thing; a rule may say no."""
        own = (take_seat, take_seat, take_seat, give_up_seat, join_waitlist, join_waitlist, leave_waitlist)
        steps: list[Any] = [lambda do=do: do(self.any_event().pk, by=self.anybody()) for do in own]
        steps += [self.capacity, self.suspend, self.erase]
        with suppress(Refused):
            self.chance.choice(steps)()


class RuleTests(EventCase):
    def check(self, event: Event, before: int) -> int:
        """Hold an event against the rules; returns how many sit there."""
        event.refresh_from_db()
        rows = list(EventRegistration.everything.filter(event=event).select_related("user"))
        seated = [row.user_id for row in rows if row.waiting_since is None]
        waiting = [row.user_id for row in rows if row.waiting_since is not None]
        self.assertEqual(
            len(seated) + len(waiting), len({*seated, *waiting}), "somebody sits twice, or waits too"
        )
        self.assertTrue(all(row.user.may_enter for row in rows), "a suspended person holds something")
        if event.capacity is None:
            self.assertEqual(waiting, [], "somebody waits where there is no limit")
        else:
            # Lowered below those who sit there: never more than before.
            self.assertLessEqual(len(seated), max(event.capacity, before))
            self.assertFalse(waiting and len(seated) < event.capacity, "a seat is free while somebody waits")
        return len(seated)

    def test_no_seat_is_lost_or_doubled(self) -> None:
        for seed in range(3):
            run = Run(seed, self.admin)
            numbers = [0, 0]
            for number in range(40):
                run.step()
                with self.subTest(seed=seed, step=number):
                    numbers = [self.check(*pair) for pair in zip(run.events, numbers, strict=True)]

    def test_the_queue_is_served_in_its_order(self) -> None:
        for seed in range(3):
            chance, event = random.Random(seed), make_event(capacity=1)
            people = [make_user() for _ in range(8)]
            take_seat(event.pk, by=people[0])
            for person in people[1:]:
                join_waitlist(event.pk, by=person)
            order, queued = [people[0]], people[1:]
            while queued:
                if chance.random() < 0.3:
                    leave_waitlist(event.pk, by=queued.pop(chance.randrange(len(queued))))
                    continue
                give_up_seat(event.pk, by=order[-1])
                order.append(queued.pop(0))
                self.assertEqual([row.user for row in event.registrations.all()], [order[-1]])
