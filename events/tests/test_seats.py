"""``/api/events/{id}/register/`` and ``/waitlist/``: one's own seat, and one's place in the queue."""

from __future__ import annotations

from datetime import date

from core.models import AuditEvent
from events.services.seats import fill
from events.tests.cases import EventCase, call, seated, url, waiting
from events.tests.factories import make_event, queue, seat
from users.models import User
from users.services.accounts import change_account, change_status
from users.services.erasure import erase_person
from users.tests.factories import make_user

PAST = date(2020, 1, 1)


class RegisterTests(EventCase):
    def test_one_gets_a_seat(self) -> None:
        event = make_event(capacity=1)

        response = self.register(self.ada, event)

        self.assertEqual(response.status_code, 201)
        self.assertEqual(set(response.json()), {"success", "message"})
        self.assertTrue(response.json()["success"])
        self.assertEqual(seated(event), [self.ada.pk])

    def test_twice_is_refused_and_makes_no_second_seat(self) -> None:
        event = make_event()
        self.register(self.ada, event)

        self.assert_no_seat(self.register(self.ada, event), 400, "already_registered")
        self.assertEqual(seated(event), [self.ada.pk])

    def test_a_full_event_is_409_and_puts_nobody_on_the_list(self) -> None:
        """D6, D22."""
        event = make_event(capacity=1)
        seat(event, self.ada)

        self.assert_no_seat(self.register(self.bob, event), 409, "event_full")
        self.assertEqual(waiting(event), [])

    def test_an_event_that_is_over_is_400(self) -> None:
        """D6."""
        event = make_event(date=PAST, capacity=1)
        seat(event, self.ada)

        self.assert_no_seat(self.register(self.bob, event), 400, "event_over")
        self.assert_no_seat(self.wait(self.bob, event), 400, "event_over")
        self.assert_no_seat(self.unregister(self.ada, event), 400, "event_over")
        self.assertEqual(seated(event), [self.ada.pk])

    def test_other_refusals_are_said_in_the_same_words(self) -> None:
        for path in (url("register", 2**62), url("waitlist", 2**62)):
            for method in ("post", "delete"):
                self.assert_no_seat(call(self.ada, method, path), 404, "not_found")
        self.assert_no_seat(call(None, "post", url("register", 1)), 401, "not_authenticated")

    def test_everybody_may_who_may_enter(self) -> None:
        event = make_event()
        for who in (self.admin, make_user(role="supervisor"), make_user(is_staff=True), self.bob):
            self.assertEqual(self.register(who, event).status_code, 201)

    def test_whoever_waits_comes_first_also_where_nobody_was_told(self) -> None:
        """A seat was freed past every rule: the next call puts it right, and keeps that."""
        event = make_event(capacity=1)
        queue(event, self.bob, self.cleo)

        self.assert_no_seat(self.register(self.ada, event), 409, "event_full")
        self.assertEqual((seated(event), waiting(event)), ([self.bob.pk], [self.cleo.pk]))

    def test_whoever_waits_and_asks_for_the_free_seat_gets_it(self) -> None:
        event = make_event(capacity=1)
        queue(event, self.bob)

        self.assertEqual(self.register(self.bob, event).status_code, 201)
        self.assertEqual((seated(event), waiting(event)), ([self.bob.pk], []))

    def test_giving_up_a_seat_twice_is_the_same_as_once(self) -> None:
        event = make_event()
        seat(event, self.ada, self.bob)

        for _ in range(2):
            response = self.unregister(self.ada, event)
            self.assertEqual((response.status_code, response.content), (204, b""))
        self.assertEqual(seated(event), [self.bob.pk])

    def test_a_seat_that_is_given_up_goes_to_who_waits_longest(self) -> None:
        event = make_event(capacity=2)
        seat(event, self.ada, self.admin)
        queue(event, self.cleo, self.bob)

        self.unregister(self.ada, event)

        self.assertEqual((seated(event), waiting(event)), (self.ids(self.admin, self.cleo), [self.bob.pk]))
        given = AuditEvent.objects.get(action="seats_given")
        self.assertEqual((given.object_id, given.changes), (str(event.pk), {"users": [self.cleo.pk]}))


class WaitlistTests(EventCase):
    def setUp(self) -> None:
        super().setUp()
        self.event = make_event(capacity=1)
        seat(self.event, self.ada)

    def test_one_waits_where_it_is_full(self) -> None:
        for who in (self.cleo, self.bob):
            self.assertEqual(self.wait(who, self.event).status_code, 201)

        self.assertEqual(waiting(self.event), self.ids(self.cleo, self.bob))
        self.assertEqual(seated(self.event), [self.ada.pk])

    def test_where_seats_are_free_one_is_told_to_register(self) -> None:
        for event in (make_event(), make_event(capacity=1)):
            self.assert_no_seat(self.wait(self.bob, event), 409, "seats_free")
            self.assertEqual(waiting(event), [])

    def test_nobody_waits_twice_or_beside_their_seat(self) -> None:
        self.wait(self.bob, self.event)

        self.assert_no_seat(self.wait(self.bob, self.event), 400, "already_waiting")
        self.assert_no_seat(self.wait(self.ada, self.event), 400, "already_registered")
        self.assertEqual(waiting(self.event), [self.bob.pk])

    def test_giving_up_a_seat_does_not_leave_the_list(self) -> None:
        self.wait(self.bob, self.event)

        self.assertEqual(self.unregister(self.bob, self.event).status_code, 204)
        self.assertEqual(waiting(self.event), [self.bob.pk])

    def test_leaving_and_joining_again_is_the_end_of_the_list(self) -> None:
        for who in (self.bob, self.cleo):
            self.wait(who, self.event)

        for _ in range(2):
            response = call(self.bob, "delete", url("waitlist", self.event.pk))
            self.assertEqual((response.status_code, response.content), (204, b""))
        self.assertEqual(waiting(self.event), [self.cleo.pk])
        self.wait(self.bob, self.event)
        self.assertEqual(waiting(self.event), self.ids(self.cleo, self.bob))

    def test_leaving_the_list_keeps_a_seat(self) -> None:
        self.assertEqual(call(self.ada, "delete", url("waitlist", self.event.pk)).status_code, 204)
        self.assertEqual(seated(self.event), [self.ada.pk])

    def test_who_may_not_enter_is_passed_over_in_the_queue(self) -> None:
        queue(self.event, self.bob, self.cleo, self.dan)
        User.objects.filter(pk=self.bob.pk).update(status=User.Status.INACTIVE)
        User.objects.filter(pk=self.cleo.pk).update(is_active=False)

        self.unregister(self.ada, self.event)

        self.assertEqual(seated(self.event), [self.dan.pk])

    def test_nobody_is_given_a_seat_where_it_is_over(self) -> None:
        event = make_event(date=PAST, capacity=1)
        queue(event, self.bob)

        self.assertEqual(fill(event), [])


class LostRightsTests(EventCase):
    def setUp(self) -> None:
        super().setUp()
        self.ada_id = str(self.ada.pk)
        self.ahead, self.other = make_event(capacity=1), make_event(capacity=1)
        self.past = make_event(date=PAST, capacity=1)
        seat(self.ahead, self.ada)
        seat(self.past, self.ada)
        seat(self.other, self.cleo)
        queue(self.ahead, self.bob, self.cleo)
        queue(self.other, self.ada, self.bob)
        queue(self.past, self.bob)

    def assert_freed(self) -> None:
        self.assertEqual((seated(self.ahead), waiting(self.ahead)), ([self.bob.pk], [self.cleo.pk]))
        self.assertEqual((seated(self.other), waiting(self.other)), ([self.cleo.pk], [self.bob.pk]))
        freed = AuditEvent.objects.get(action="seats_freed")
        self.assertEqual((freed.object_type, freed.object_id), ("users.user", self.ada_id))
        self.assertEqual(freed.changes, {"events": [self.ahead.pk, self.other.pk]})

    def test_who_is_suspended_loses_what_is_ahead_and_keeps_what_was(self) -> None:
        change_status(self.ada, status="inactive", by=self.admin)

        self.assert_freed()
        self.assertEqual((seated(self.past), waiting(self.past)), ([self.ada.pk], [self.bob.pk]))

        change_status(self.ada, status="active", by=self.admin)
        self.assertEqual(seated(self.ahead), [self.bob.pk])

    def test_who_is_erased_leaves_nothing(self) -> None:
        erase_person(self.ada, by=self.admin)

        self.assert_freed()
        self.assertEqual((seated(self.past), waiting(self.past)), ([], [self.bob.pk]))

    def test_whoever_changes_otherwise_keeps_everything(self) -> None:
        change_account(self.ada, by=self.admin, account={"email": "new@example.org"})
        change_account(self.ada, by=self.admin, account={"role": "mentor", "status": "active"})

        self.assertEqual(
            (seated(self.ahead), waiting(self.other)), ([self.ada.pk], self.ids(self.ada, self.bob))
        )
        self.assertFalse(AuditEvent.objects.filter(action="seats_freed").exists())

    def test_nobody_without_a_seat_is_written_down(self) -> None:
        change_status(self.dan, status="inactive", by=self.admin)

        self.assertFalse(AuditEvent.objects.filter(action="seats_freed").exists())
