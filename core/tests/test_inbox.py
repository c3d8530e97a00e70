"""The inbox over HTTP: one's own rows, in one's own language, and the badge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from unittest import skipUnless
from unittest.mock import patch

from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import get_language

from authentication.tests.signing_in import signed_in_client
from core.mail import Letter
from core.models import Delivery, Notice
from core.notifications.inbox import inbox_of, mark_read, ring_inboxes, standings_of, unread_count
from core.notifications.kinds import Kind
from core.registry import notification_kinds
from core.testing import count_rows_anew, in_parallel, plan_of
from core.tests.telling import TellingCase
from users.tests.factories import make_user

if TYPE_CHECKING:
    from core.notifications.kinds import Told
    from users.models import User

LIST, UNREAD, READ = (
    reverse(f"notifications:notification-{name}") for name in ("list", "unread", "read-many")
)


def deliver(person: User, count: int, *, kind: str = "news", start: int = 0) -> list[Delivery]:
    """Put rows into an inbox."""
    notices = Notice.objects.bulk_create(
        Notice(kind=kind, subject=f"{person.pk} {number}", data={"title": f"No. {number}"})
        for number in range(start, start + count)
    )
    return Delivery.objects.bulk_create(Delivery(notice=notice, person=person) for notice in notices)


class InboxTests(TellingCase):
    user: ClassVar[User]
    other: ClassVar[User]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user, cls.other = make_user(), make_user()

    def setUp(self) -> None:
        super().setUp()
        self.client: Any = signed_in_client(self.user)

    def titles(self, query: str = "") -> list[str]:
        return [row["title"] for row in self.client.get(LIST + query).json()["results"]]

    def test_a_row_says_what_happened_and_where_to_look(self) -> None:
        self.tell(self.user)
        delivery = self.delivery(self.user)

        body = self.client.get(LIST).json()

        made = delivery.created_at.isoformat().replace("+00:00", "Z")
        row = {
            "id": delivery.pk,
            "kind": "news",
            "title": "Hello",
            "body": "About Hello.",
            "url": "https://hub.example.org/",
            "createdAt": made,
            "readAt": None,
        }
        self.assertEqual(body, {"count": 1, "next": None, "previous": None, "results": [row]})

    def test_it_is_ones_own_newest_first(self) -> None:
        self.tell(self.other, title="theirs")
        self.tell(self.user, title="old")
        self.tell(self.user, title="new", kind="quiet")

        self.assertEqual(self.titles(), ["new", "old"])

    def test_what_is_not_for_the_inbox_is_not_there(self) -> None:
        with patch.dict(
            notification_kinds.entries, letter=Kind(name="letter", label="x", write=said, in_inbox=False)
        ):
            self.tell(self.user, kind="letter")

        self.assertEqual(self.titles(), [])
        self.assertEqual(self.client.get(UNREAD).json(), {"unread": 0})

    def test_it_is_narrowed_by_kind_and_by_what_is_read(self) -> None:
        self.tell(self.user, title="read")
        mark_read(self.user)
        self.tell(self.user, title="new")
        self.tell(self.user, title="quiet", kind="quiet")

        for query, expected in (
            ("?unread=true", ["quiet", "new"]),
            ("?unread=false", ["read"]),
            ("?kind=news", ["new", "read"]),
            ("?kind=news&unread=true", ["new"]),
            ("?kind=nothing", []),
            ("?page_size=1&page=2", ["new"]),
        ):
            with self.subTest(query):
                self.assertEqual(self.titles(query), expected)

    def test_it_is_in_the_readers_language_and_leaves_the_requests_alone(self) -> None:
        self.settings_of(self.user, language="pt-br")
        kind = Kind(name="spoken", label="x", write=said)
        with patch.dict(notification_kinds.entries, spoken=kind):
            self.tell(self.user, kind="spoken")

            self.assertEqual(self.titles(), ["pt-br"])
        self.assertEqual(get_language(), "en")

    def test_a_kind_that_is_no_more_is_shown_by_its_name(self) -> None:
        deliver(self.user, 1, kind="former")

        row = self.client.get(LIST).json()["results"][0]

        self.assertEqual(
            [row[name] for name in ("kind", "title", "body", "url")], ["former", "former", "", ""]
        )

    def test_a_page_costs_the_same_however_long_it_is(self) -> None:
        deliver(self.user, 100)
        for size in (1, 100):
            with self.subTest(size), self.assertNumQueries(4):
                body = self.client.get(f"{LIST}?page_size={size}").json()
            self.assertEqual((len(body["results"]), body["count"]), (size, 100))

    def test_the_badge_counts_what_is_unread(self) -> None:
        first, *_ = deliver(self.user, 3)
        deliver(self.other, 5)
        mark_read(self.user, [first.pk])

        self.assertEqual(self.client.get(UNREAD).json(), {"unread": 2})

    def test_one_is_marked_as_read_and_again_is_harmless(self) -> None:
        first, _ = deliver(self.user, 2)
        url = reverse("notifications:notification-read", args=[first.pk])

        self.assertEqual(self.client.post(url).json(), {"unread": 1})
        first.refresh_from_db()
        read_at = first.read_at
        self.assertEqual(self.client.post(url).json(), {"unread": 1})

        first.refresh_from_db()
        self.assertIsNotNone(read_at)
        self.assertEqual(first.read_at, read_at)

    def test_other_peoples_rows_do_not_exist(self) -> None:
        (theirs,) = deliver(self.other, 1)
        one = reverse("notifications:notification-read", args=[theirs.pk])

        self.assertEqual(self.client.post(one).status_code, 404)
        self.assertEqual(self.client.post(READ, {"ids": [theirs.pk]}, format="json").json(), {"unread": 0})

        theirs.refresh_from_db()
        self.assertIsNone(theirs.read_at)

    def test_some_or_all_are_marked_as_read(self) -> None:
        first, second, *_ = deliver(self.user, 4)
        deliver(self.other, 1)

        for body, unread in (
            ({"ids": []}, 4),
            ({"ids": [first.pk, first.pk, second.pk, 2**62]}, 2),
            (None, 0),
            (None, 0),
        ):
            with self.subTest(str(body)):
                response = self.client.post(READ, body, format="json")
                self.assertEqual((response.status_code, response.json()), (200, {"unread": unread}))
        self.assertEqual(Delivery.objects.unread().count(), 1)

    def test_what_is_no_list_of_ids_is_refused(self) -> None:
        for ids in (None, "1", 1, [0], [-1], ["x"], [2**63], [1] * 501, [[1]]):
            with self.subTest(str(ids)[:20]):
                response = self.client.post(READ, {"ids": ids}, format="json")
                self.assertEqual((response.status_code, response.json()["code"]), (400, "validation_error"))
                self.assertIn("ids", response.json())

    def test_a_slip_does_not_mark_all(self) -> None:
        deliver(self.user, 2)
        for body in ({"id": 7}, {"IDS": [7]}, {"all": True}):
            for form in ("json", "multipart"):
                with self.subTest(f"{body} {form}"):
                    sent = {name: str(value) for name, value in body.items()} if form == "multipart" else body
                    response = self.client.post(READ, sent, format=form)
                    self.assertEqual(response.status_code, 400)
                    self.assertIn("ids", response.json())
        self.assertEqual(self.client.get(UNREAD).json(), {"unread": 2})

    def test_to_mark_costs_the_same_however_much_it_is(self) -> None:
        counts = []
        for count in (1, 50):
            deliver(self.user, count, start=count)
            with CaptureQueriesContext(connection) as queries:
                self.client.post(READ)
            counts.append(len(queries))
        self.assertEqual(counts[0], counts[1])

    def test_marking_rings_after_the_commit_and_only_where_something_changed(self) -> None:
        deliver(self.user, 1)
        with patch("core.notifications.inbox.ring_inboxes") as bell:
            with self.captureOnCommitCallbacks(execute=True):
                mark_read(self.user)
                bell.assert_not_called()
            bell.assert_called_once_with([self.user.pk])
            with self.captureOnCommitCallbacks(execute=True):
                mark_read(self.user)
            bell.assert_called_once()

    def test_a_layer_that_is_down_stops_the_bells_at_the_first(self) -> None:
        with patch("core.notifications.inbox.send_to_room", return_value=False) as ring:
            ring_inboxes([1, 2, 3])

        self.assertEqual(ring.call_count, 1)

    def test_how_inboxes_stand_is_one_query_for_all(self) -> None:
        rows = deliver(self.user, 3)
        mark_read(self.user, [rows[0].pk])
        deliver(self.other, 1)
        mark_read(self.other)

        with self.assertNumQueries(1):
            self.assertEqual(standings_of([self.user.pk, self.other.pk]), {self.user.pk: (2, rows[2].pk)})

    @skipUnless(connection.vendor == "postgresql", "The plan is PostgreSQL's.")
    def test_an_index_answers(self) -> None:
        for person in (self.user, self.other, *(make_user() for _ in range(20))):
            deliver(person, 200)
        count_rows_anew(Delivery, Notice)
        with CaptureQueriesContext(connection) as queries:
            list(inbox_of(self.user).values("pk")[:20])
            unread_count(self.user)
        inbox, unread = (query["sql"] for query in queries.captured_queries)

        self.assertIn("delivery_inbox", plan_of(inbox))
        self.assertRegex(plan_of(unread), "delivery_(unread|inbox)")

    @skipUnless(connection.vendor == "postgresql", "The plan is PostgreSQL's.")
    def test_all_are_marked_without_asking_again_for_each_row_of_the_table(self) -> None:
        count_rows_anew(Delivery, Notice)  # while they are empty: what comes at once then is planned for so
        deliver(self.user, 30)
        with CaptureQueriesContext(connection) as queries:
            mark_read(self.user)
        (update,) = (query["sql"] for query in queries.captured_queries if query["sql"].startswith("UPDATE"))

        self.assertNotIn("LockRows", plan_of(update))


def said(told: Told) -> Letter:
    """Say in which language it is written."""
    return Letter(str(get_language()), "")


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer: the race cannot happen there.")
class RaceTests(TransactionTestCase):
    def test_two_windows_that_mark_all_at_once_wait_for_each_other(self) -> None:
        person = make_user()
        deliver(person, 200)

        self.assertEqual(in_parallel(lambda _: mark_read(person), 6), [0] * 6)
