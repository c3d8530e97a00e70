"""``GET /api/messages/search/``: what was said, in all groups that one sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless

from django.db import connection
from django.test import TestCase, tag
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authentication.tests.signing_in import signed_in_client
from chat.models import Message
from chat.tests.cases import STATES, ChatCase
from core.testing import count_rows_anew, plan_of
from groups.tests.cases import call
from groups.tests.factories import make_group
from users.tests.factories import make_user

if TYPE_CHECKING:
    from users.models import User

URL: Final = reverse("chat:message-search")
MANY, GROUPS = 40_000, 200


class SearchTests(ChatCase):
    def found(self, who: User | None = None, **query: Any) -> list[str]:
        response = call(who or self.friend, "get", URL, **query)
        self.assertEqual(response.status_code, 200, response.content)
        return [row["text"] for row in response.json()["results"]]

    def test_words_are_found_as_they_stand_whatever_their_case(self) -> None:
        for text in (
            "The plates grew",
            "100% pure",
            "a_bcd",
            "axbcd",
            "C:\\temp",
            "O'Hara",
            "\u7d30\u80de\u304c",
        ):
            self.write(text=text)

        for asked, texts in (
            ("PLATES", ["The plates grew"]),
            ("late", ["The plates grew"]),
            ("grew plates", []),
            ("100%", ["100% pure"]),
            ("100%e", []),
            ("a_bcd", ["a_bcd"]),
            ("\\tem", ["C:\\temp"]),
            ("o'har", ["O'Hara"]),
            ("\u7d30\u80de\u304c", ["\u7d30\u80de\u304c"]),
            ("  pure ", ["100% pure"]),
        ):
            with self.subTest(asked):
                self.assertEqual(self.found(q=asked), texts)

    def test_what_was_said_last_is_found_first_and_with_its_group(self) -> None:
        for text in ("bees one", "bees two"):
            self.write(text=text)

        rows = call(self.friend, "get", URL, q="bees").json()["results"]

        self.assertEqual([row["text"] for row in rows], ["bees two", "bees one"])
        self.assertEqual({row["groupId"] for row in rows}, {"BTF046"})
        self.assertEqual({**rows[0]}, {**self.page(self.friend)["messages"][0], "groupId": "BTF046"})

    def test_only_groups_that_one_sees_are_searched(self) -> None:
        other = make_group(members=[self.outsider])
        archived = make_group(members=[self.friend], archived_at=timezone.now())
        self.write(text="bees here")
        self.write(text="bees there", group=other)
        self.write(text="bees gone", group=archived)

        for who, texts in (
            (self.friend, ["bees here"]),
            (self.mentor, ["bees here"]),
            (self.supervisor, ["bees here"]),
            (self.outsider, ["bees there"]),
            (self.admin, ["bees there", "bees here"]),
            (make_user(is_staff=True), []),
        ):
            with self.subTest(who.role, staff=who.is_staff):
                self.assertEqual(self.found(who, q="bees"), texts)

    def test_what_is_not_in_sight_of_all_is_not_found(self) -> None:
        """B75."""
        for state, fields in STATES.items():
            self.write(text=f"bees {state}", **fields)

        for who in self.readers.values():
            with self.subTest(who.role):
                self.assertEqual(self.found(who, q="bees"), ["bees approved"])

    def test_it_is_narrowed_to_one_group(self) -> None:
        other = make_group(members=[self.friend])
        self.write(text="bees here")
        self.write(text="bees there", group=other)

        for group, texts in (
            ("BTF046", ["bees here"]),
            (other.pk, ["bees there"]),
            ("", ["bees there", "bees here"]),
            (make_group().pk, []),
            ("BTF999", []),
        ):
            with self.subTest(group):
                self.assertEqual(self.found(q="bees", group=group), texts)

    def test_too_little_or_too_much_to_look_for_is_refused(self) -> None:
        self.assert_refused(call(self.friend, "get", URL), 400, "q")
        for asked in ("", "a", "ab", " ab ", "a b c", "ab%cd", "a_b", "%%%", "___", "x" * 201, "abc\0d"):
            with self.subTest(asked[:5]):
                self.assert_refused(call(self.friend, "get", URL, q=asked), 400, "q")
        self.assert_refused(call(self.friend, "get", URL, q="bees", group="a\0"), 400, "group")

    def test_a_page_costs_the_same_however_much_is_found(self) -> None:
        client, costs = signed_in_client(self.friend), []
        for count in (1, 40):
            Message.objects.bulk_create(
                Message(group=group, author=self.student, text="bees")
                for group in (self.group, make_group(members=[self.friend]))
                for _ in range(count)
            )
            with CaptureQueriesContext(connection) as captured:
                client.get(f"{URL}?q=bees&page_size=50")
            costs.append(len(captured))

        self.assertEqual(costs[0], costs[1])
        self.assertLessEqual(costs[1], 5)


@tag("scale")
@skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
class SearchAtScaleTests(TestCase):
    student: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.student = make_user()
        groups = [make_group(members=[cls.student]) for _ in range(GROUPS)]
        # In pieces: rows of many groups lie side by side on the disk, as they do in life.
        for start in range(0, MANY, 4_000):
            Message.objects.bulk_create(
                Message(group=groups[n % GROUPS], text=f"Plate {n} grew" if n % 20_000 else "A quokka came")
                for n in range(start, start + 4_000)
            )
        with connection.cursor() as cursor:
            cursor.execute("SELECT gin_clean_pending_list('message_by_text')")
        count_rows_anew(Message)

    def explain(self, url: str, query: dict[str, str | int], table: str) -> str:
        """Return the plans of the queries that an answer asked of a table."""
        client = signed_in_client(self.student)
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(client.get(url, query).status_code, 200)
        asked = [query["sql"] for query in captured.captured_queries if f'FROM "{table}"' in query["sql"]]
        return "\n".join(plan_of(query, run=True) for query in asked)

    def test_the_search_reads_the_trigram_index(self) -> None:
        plan = self.explain(URL, {"q": "QUOKKA"}, "chat_message")

        self.assertIn("message_by_text", plan)
        self.assertNotIn("Seq Scan on chat_message", plan)

    def test_a_page_of_the_conversation_reads_the_timeline(self) -> None:
        group = Message.objects.values_list("group", flat=True)[0]

        plan = self.explain(f"/api/groups/{group}/messages", {"limit": 100}, "chat_message")

        self.assertIn("message_timeline", plan)
        self.assertNotIn("Seq Scan on chat_message", plan)

    def test_the_feed_reads_its_own_index(self) -> None:
        group = Message.objects.values_list("group", flat=True)[0]

        plan = self.explain(f"/api/groups/{group}/messages", {"after": MANY // GROUPS - 50}, "chat_message")

        self.assertIn("message_revision_once_per_group", plan)
        self.assertNotIn("Seq Scan on chat_message", plan)
