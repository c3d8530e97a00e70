"""Publishing, changing and deleting events."""

from __future__ import annotations

from typing import Any

from django.test import override_settings
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from core.models import AuditEvent, Upload
from events.models import Event, EventRegistration
from events.tests.cases import NEW, EventCase, call, seated, url, waiting
from events.tests.factories import make_event, queue, seat
from users.tests.factories import make_superuser, make_user


class WriteCase(EventCase):
    def create(self, who: Any = None, **body: Any) -> Any:
        return call(who or self.admin, "post", url("list"), {**NEW, **body})

    def change(self, event: Event, **body: Any) -> Any:
        return call(self.admin, "patch", url("detail", event.pk), body)


class CreateTests(WriteCase):
    def test_it_answers_the_document(self) -> None:
        response = self.create()

        self.assertEqual(response.status_code, 201, response.content)
        body = response.json()
        self.assertEqual({name: body[name] for name in NEW}, NEW)
        self.assertEqual(
            (body["isRegistered"], body["registrationCount"], body["timezone"]), (False, 0, "UTC")
        )
        self.assertEqual(body, self.document(self.admin, Event.objects.get()))
        self.assertTrue(AuditEvent.objects.filter(action="event_created", object_id=body["id"]).exists())

    def test_a_form_is_taken_too(self) -> None:
        client = APIClient()
        client.force_authenticate(self.admin)
        for form in ("multipart", None):
            sent = {**NEW, "capacity": ""}
            response = client.post(url("list"), sent, format=form)
            self.assertEqual((response.status_code, response.json()["capacity"]), (201, None))

    def test_what_may_be_left_out(self) -> None:
        names = ("title", "date", "time", "location", "type")
        response = call(self.admin, "post", url("list"), {name: NEW[name] for name in names})

        body = response.json()
        self.assertEqual(response.status_code, 201, body)
        self.assertEqual((body["description"], body["longDescription"], body["registerLink"]), ("", "", ""))
        self.assertEqual((body["capacity"], body["coverImage"], body["startAt"]), (None, None, None))

    def test_what_may_not(self) -> None:
        for name in ("title", "date", "time", "location", "type"):
            for value in ("", None, "  "):
                with self.subTest(name, value=value):
                    self.assert_refused(self.create(**{name: value}), 400, name)
            body = {field: value for field, value in NEW.items() if field != name}
            self.assert_refused(call(self.admin, "post", url("list"), body), 400, name)

    def test_limits(self) -> None:
        for name, value in (
            ("title", "x" * 256),
            ("location", "x" * 256),
            ("time", "x" * 51),
            ("type", "In-person"),
            ("date", "2031-02-30"),
            ("description", None),
            ("longDescription", None),
            ("description", "x" * 5_001),
            ("longDescription", "x" * 20_001),
            ("title", 5),
            ("timezone", "AEST"),
            ("timezone", "+10:00"),
            ("timezone", None),
            ("capacity", "many"),
            ("capacity", 2**31),
            ("title", "\x00"),
        ):
            with self.subTest(name, value=value):
                self.assert_refused(self.create(**{name: value}), 400, name)

    def test_any_day_will_do(self) -> None:
        for day in ("1900-01-01", "2020-02-29", "0001-01-01", "9999-12-31"):
            for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Niue"):
                with self.subTest(day, zone=zone):
                    response = self.create(date=day, timezone=zone)
                    self.assertEqual((response.status_code, response.json()["date"]), (201, day))

    def test_unicode_is_kept(self) -> None:
        title = "Wissenschaft: 科学の夜 👩‍🔬 مختبر"

        self.assertEqual(self.create(title=title).json()["title"], title)

    def test_only_platform_admins_write(self) -> None:
        event = make_event()
        for who, code in ((self.ada, 403), (make_user(is_staff=True), 403), (make_superuser(), 201)):
            with self.subTest(who.role, staff=who.is_staff):
                self.assertEqual(self.create(who).status_code, code)
        for method in ("patch", "delete"):
            # Before anything is looked up.
            for pk in (event.pk, 2**62):
                self.assertEqual(call(self.ada, method, url("detail", pk), {}).status_code, 403)

    @override_settings(API_WRITES_PER_USER="")
    def test_a_request_sent_again_makes_one_event(self) -> None:
        client = signed_in_client(self.admin)
        responses = [
            client.post(url("list"), NEW, format="json", headers={"Idempotency-Key": "k"}) for _ in range(2)
        ]

        self.assertEqual([response.status_code for response in responses], [201, 201])
        self.assertEqual(responses[0].json(), responses[1].json())
        self.assertEqual(Event.objects.count(), 1)
        other = client.post(
            url("list"), {**NEW, "title": "x"}, format="json", headers={"Idempotency-Key": "k"}
        )
        self.assertEqual(other.status_code, 422)


class ChangeTests(WriteCase):
    def test_only_what_was_sent_changes_and_only_its_name_is_recorded(self) -> None:
        event = make_event(capacity=3)

        response = self.change(event, title="New", capacity=5, registerLink=None)

        self.assertEqual(response.status_code, 200, response.content)
        self.assertEqual(response.json(), self.document(self.admin, event))
        self.assertEqual((response.json()["title"], response.json()["time"]), ("New", "18:00"))
        changes = AuditEvent.objects.get(action="event_changed").changes
        self.assertEqual(changes, {"title": True, "capacity": True})

    def test_the_sequence_rises_with_what_calendars_show(self) -> None:
        event = make_event()
        for body, expected in (
            ({"title": "New"}, 1),
            ({"title": "New"}, 1),
            ({"capacity": 5}, 1),
            ({"date": "2031-05-07"}, 2),
            ({"location": "x", "description": "y"}, 3),
            ({}, 3),
        ):
            with self.subTest(body):
                self.change(event, **body)
                event.refresh_from_db()
                self.assertEqual(event.sequence, expected)

    def test_what_cannot_be_changed_is_passed_by(self) -> None:
        event = make_event()

        self.change(event, id=7, sequence=9, uid="x", registrationCount=9, coverImage="https://x/'")

        after = Event.objects.get()
        self.assertEqual((after.pk, after.uid, after.sequence), (event.pk, event.uid, 0))
        self.assertIsNone(after.cover_image)

    def test_refusals_change_nothing(self) -> None:
        event = make_event(capacity=3)
        for body in ({"title": ""}, {"capacity": 0}, {"date": None}, {"endAt": "2031-05-06T18:00:00Z"}):
            self.assert_refused(self.change(event, **body), 400, *body)
        self.assert_refused(call(self.admin, "patch", url("detail", 2**62), {}), 404)

        self.assertEqual(Event.objects.get().updated_at, event.updated_at)

    def test_more_seats_go_to_who_waits_longest(self) -> None:
        event = make_event(capacity=1)
        seat(event, self.ada)
        queue(event, self.bob, self.cleo, self.dan)

        self.change(event, capacity=2)
        self.assertEqual(
            (seated(event), waiting(event)), (self.ids(self.ada, self.bob), self.ids(self.cleo, self.dan))
        )

        self.change(event, capacity=None)
        self.assertEqual((len(seated(event)), waiting(event)), (4, []))

    def test_with_fewer_seats_than_people_everybody_stays_and_nobody_follows(self) -> None:
        event = make_event(capacity=3)
        seat(event, self.ada, self.bob, self.cleo)

        self.change(event, capacity=1)
        self.wait(self.dan, event)
        self.unregister(self.ada, event)
        self.assertEqual((seated(event), waiting(event)), (self.ids(self.bob, self.cleo), [self.dan.pk]))

        self.unregister(self.bob, event)
        self.unregister(self.cleo, event)
        self.assertEqual((seated(event), waiting(event)), ([self.dan.pk], []))


class DeleteTests(WriteCase):
    def test_registrations_waiting_list_and_cover_go_too(self) -> None:
        Upload.objects.create(owner=self.admin, key="events/covers/a.png", filename="a.png", size=1)
        event = make_event(capacity=1, cover_image="events/covers/a.png")
        seat(event, self.ada)
        queue(event, self.bob)

        response = call(self.admin, "delete", url("detail", event.pk))

        self.assertEqual((response.status_code, response.content), (204, b""))
        self.assertFalse(Event.objects.exists() or EventRegistration.everything.exists())
        self.assertFalse(Upload.objects.exists())
        self.assertTrue(AuditEvent.objects.filter(action="event_deleted", object_id=event.pk).exists())
        self.assert_refused(call(self.admin, "delete", url("detail", event.pk)), 404)
