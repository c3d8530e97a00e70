"""Reading an announcement is acknowledged once; admins read who has not."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any
from unittest import skipUnless

from django.db import IntegrityError, connection, transaction
from django.test import TransactionTestCase

from announcements.models import Acknowledgement
from announcements.services.announcements import acknowledge, delete_announcement
from announcements.tests.cases import NewsCase, call, url
from announcements.tests.factories import hours, make_announcement
from core.refusals import Missing
from core.testing import before_statement, in_parallel
from users.tests.factories import make_admin, make_superuser, make_user

if TYPE_CHECKING:
    from users.models import User


class AcknowledgeTests(NewsCase):
    def ack(self, who: User, pk: int) -> Any:
        return call(who, "post", url("ack", pk))

    def test_the_first_time_counts_and_again_is_harmless(self) -> None:
        news = make_announcement()

        first, again = (self.ack(self.student, news.pk) for _ in range(2))

        mark = Acknowledgement.objects.get()
        self.assertEqual((first.status_code, again.status_code), (201, 200))
        self.assertEqual(first.json(), again.json())
        self.assertEqual(first.json()["id"], news.pk)
        self.assertEqual((mark.user, mark.announcement), (self.student, news))

    def test_the_document_says_when_its_reader_did(self) -> None:
        news = make_announcement()
        when = self.ack(self.student, news.pk).json()["acknowledgedAt"]

        for who, expected in ((self.student, when), (self.mentor, None), (self.admin, None)):
            with self.subTest(who.role):
                (row,) = call(who, "get", url("list")).json()["results"]
                detail = call(who, "get", url("detail", news.pk)).json()
                self.assertEqual((row["acknowledgedAt"], detail["acknowledgedAt"]), (expected, expected))

    def test_what_one_does_not_see_is_404(self) -> None:
        for hidden in (
            make_announcement(audience="mentor"),
            make_announcement(publish_at=hours(1)),
            make_announcement(expires_at=hours(-1)),
        ):
            self.assert_refused(self.ack(self.student, hidden.pk), 404)
        self.assertFalse(Acknowledgement.objects.exists())

    def test_the_table_holds_one_for_each_person(self) -> None:
        mark = acknowledge(make_announcement(), by=self.student)[0]
        with self.assertRaises(IntegrityError), transaction.atomic():
            Acknowledgement.objects.create(announcement=mark.announcement, user=mark.user)

    def test_they_go_with_the_announcement(self) -> None:
        news = make_announcement()
        self.ack(self.student, news.pk)

        call(self.admin, "delete", url("detail", news.pk))

        self.assertFalse(Acknowledgement.objects.exists())


class UnreadTests(NewsCase):
    def unread(self, who: User) -> int:
        body = call(who, "get", url("unread")).json()
        self.assertEqual(set(body), {"unread"})
        return int(body["unread"])

    def test_it_counts_what_is_published_for_one_and_not_acknowledged(self) -> None:
        for audience in ("all", "student", "mentor"):
            make_announcement(audience=audience)
        make_announcement(publish_at=hours(1))
        make_announcement(expires_at=hours(-1))
        news = make_announcement()
        self.assertEqual((self.unread(self.student), self.unread(self.mentor)), (3, 3))
        self.assertEqual(self.unread(self.admin), 4)

        acknowledge(news, by=self.student)

        self.assertEqual((self.unread(self.student), self.unread(self.mentor)), (2, 3))

    def test_it_takes_no_filters(self) -> None:
        make_announcement()
        response = call(self.student, "get", url("unread"), {"audience": "mentor", "page": 9})

        self.assertEqual(response.json(), {"unread": 1})


class ReadersTests(NewsCase):
    def readers(self, pk: int, **query: Any) -> list[Any]:
        response = call(self.admin, "get", url("acknowledgements", pk), query)
        self.assertEqual(response.status_code, 200, response.content)
        rows: list[Any] = response.json()["results"]
        self.assertEqual(response.json()["count"], len(rows))
        return rows

    def ids(self, pk: int, **query: Any) -> set[int]:
        return {row["id"] for row in self.readers(pk, **query)}

    def test_it_is_whoever_the_announcement_is_for(self) -> None:
        superuser = make_superuser()
        pending, suspended = make_user(), make_user(status="inactive")
        locked = make_user(is_active=False)
        students = {self.student.pk, pending.pk}
        admins = {self.admin.pk, superuser.pk}
        for audience, expected in (
            ("all", {*students, *admins, self.mentor.pk}),
            ("student", {*students, *admins}),
            ("mentor", {self.mentor.pk, *admins}),
            ("supervisor", admins),
            ("admin", admins),
        ):
            with self.subTest(audience):
                ids = self.ids(make_announcement(audience=audience).pk)
                self.assertEqual(ids, expected)
                self.assertFalse(ids & {suspended.pk, locked.pk})

    def test_it_says_who_has_and_who_has_not(self) -> None:
        news = make_announcement(audience="student")
        mark, _ = acknowledge(news, by=self.student)

        self.assertEqual(self.ids(news.pk, acknowledged="true"), {self.student.pk})
        self.assertEqual(self.ids(news.pk, acknowledged="false"), {self.admin.pk})
        (row,) = self.readers(news.pk, acknowledged="true")
        self.assertEqual(
            row,
            {
                "id": self.student.pk,
                "name": "Ada Lovelace",
                "email": self.student.email,
                "role": "student",
                "acknowledgedAt": mark.acknowledged_at.isoformat().replace("+00:00", "Z"),
            },
        )
        self.assertEqual([row["name"] for row in self.readers(news.pk)], ["Ada Lovelace", "Ann Desk"])

    def test_the_document_counts_them_for_admins(self) -> None:
        """A mark of somebody who is not among its people any more is no part of either number."""
        news = make_announcement(audience="student")
        for person in (self.student, self.mentor, make_user(status="inactive")):
            acknowledge(news, by=person)
        acknowledge(make_announcement(), by=self.admin)

        body = call(self.admin, "get", url("detail", news.pk)).json()

        self.assertEqual((body["audienceCount"], body["acknowledgedCount"]), (2, 1))
        self.assertEqual(len(self.ids(news.pk)), 2)

    def test_any_other_word_is_refused(self) -> None:
        news = make_announcement()
        for word in ("banana", "1", "yes"):
            response = call(self.admin, "get", url("acknowledgements", news.pk), {"acknowledged": word})
            self.assert_refused(response, 400, "acknowledged")
        self.assertEqual(len(self.readers(news.pk, acknowledged="")), 3)

    def test_an_unknown_announcement_has_none(self) -> None:
        self.assert_refused(call(self.admin, "get", url("acknowledgements", 10**6)), 404)


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class RaceTests(TransactionTestCase):
    def test_twenty_at_once_are_one(self) -> None:
        news, person = make_announcement(), make_user()

        answers = in_parallel(lambda _: call(person, "post", url("ack", news.pk)).status_code, 20)

        self.assertEqual(sorted(answers), [200] * 19 + [201])
        self.assertEqual(Acknowledgement.objects.count(), 1)

    def test_who_acknowledges_it_while_it_is_deleted_misses_it(self) -> None:
        news, person, admin, going = make_announcement(), make_user(), make_admin(), threading.Event()

        def delete() -> None:
            def let_them() -> None:
                going.set()
                time.sleep(0.5)

            with before_statement('DELETE FROM "announcements_announcement"', let_them):
                delete_announcement(news, by=admin)

        def mark() -> None:
            going.wait(5)
            acknowledge(news, by=person)

        deleted, marked = in_parallel(lambda n: (delete, mark)[n](), 2)

        self.assertIsNone(deleted)
        self.assertIsInstance(marked, Missing)
        self.assertFalse(Acknowledgement.objects.exists())

    def test_what_is_deleted_meanwhile_is_missed(self) -> None:
        person = make_user()
        for gone in ("announcement", "person"):
            news = make_announcement()
            (news if gone == "announcement" else person).__class__.objects.all().delete()
            with self.subTest(gone):
                self.assertRaises(Missing, acknowledge, news, by=person)
                self.assertFalse(Acknowledgement.objects.exists())
