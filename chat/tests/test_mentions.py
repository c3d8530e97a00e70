"""Naming people of the group: ``@`` and a name; and finding where one was named."""

from __future__ import annotations

from typing import Any, Final
from unittest.mock import patch

from django.db import connection
from django.test import SimpleTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authentication.tests.signing_in import signed_in_client
from chat.models import Mention, Message
from chat.services.mentions import named_in
from chat.tests.cases import STATES, UNKNOWN_ID, ChatCase
from groups.models import GroupMember
from groups.tests.cases import call
from groups.tests.factories import make_group
from users.models import User
from users.tests.factories import make_user

URL: Final = reverse("chat:mentions")
PEOPLE: Final = {
    1: ("Ada", "Lovelace"),
    2: ("Ada", "Yonath"),
    3: ("Max", "Planck"),
    4: ("Max", ""),
    5: ("Zoë", "Strauß"),
    6: ("", ""),
    7: ("Max Planck", "Junior"),
}
NAMED: Final = {
    "nobody": set(),
    "@": set(),
    "Ada Lovelace": set(),
    "@Ada Lovelace, look": {1},
    "look: @ada LOVELACE": {1},
    "(@Ada Lovelace)": {1},
    "@Ada": {1, 2},
    "@Ada's plan": {1, 2},
    "@Adam": set(),
    "@Ada Lovelaces": {1, 2},
    "@ Ada": set(),
    "@Max": {3, 4},
    "@Max Planck": {3, 7},
    "@Max Planck Junior": {7},
    "@Max Planck and @Ada Yonath": {2, 3, 7},
    "@Ada Lovelace@Max": {1},
    "@@Max": {3, 4},
    "@ZOË STRAUSS": {5},
    "@Student 6!": {6},
    "@Student 60": set(),
    "write to ada@max.example": set(),
    "ada.lovelace+x@ada": set(),
    "a\n@Ada Yonath\nb": {2},
    "@@@@@@@@@@": set(),
}


class NamingTests(SimpleTestCase):
    def test_the_longest_name_after_the_sign_counts_and_no_mail_address(self) -> None:
        people = [User(pk=pk, first_name=first, last_name=last) for pk, (first, last) in PEOPLE.items()]

        for text, named in NAMED.items():
            with self.subTest(text):
                self.assertEqual(named_in(text, people), named)


class MentionTests(ChatCase):
    def mentions(self, who: User) -> list[dict[str, Any]]:
        response = call(who, "get", URL)
        self.assertEqual(response.status_code, 200)
        rows: list[dict[str, Any]] = response.json()["results"]
        return rows

    def test_people_of_the_group_are_named_and_nobody_else(self) -> None:
        past = make_user(first_name="Rosa")
        GroupMember.objects.create(group=self.group, user=past).delete()

        message = self.posted(self.friend, text="@Ada Lovelace, @Max, @Eve and @Rosa")

        self.assertEqual(message["mentions"], sorted([self.student.pk, self.mentor.pk]))

    def test_an_edit_names_others_and_those_no_more(self) -> None:
        message = self.posted(self.student, text="@Max look")["id"]

        ada, max_ = self.student.pk, self.mentor.pk
        for text, named in (("@Ada", {ada}), ("@Ada @Max", {ada, max_}), ("Nobody", set()), ("@Max", {max_})):
            with self.subTest(text):
                told = self.change(self.student, message, text=text).json()["mentions"]
                stored = Mention.objects.filter(message=message).values_list("user", flat=True)
                self.assertEqual((set(told), set(stored)), (named, named))

    def test_an_edit_names_nobody_who_has_gone_meanwhile(self) -> None:
        message = self.posted(self.student, text="look")["id"]

        with patch("chat.services.moderation.people_named", return_value={self.mentor.pk, UNKNOWN_ID}):
            answer = self.change(self.student, message, text="@Max @Gone")

        self.assertEqual(answer.json()["mentions"], [self.mentor.pk])

    def test_an_edit_that_another_overtook_begins_anew(self) -> None:
        """Whom it names no more must be locked before the message is: see ``test_erasure_races``."""
        message = self.posted(self.student, text="@Max look")["id"]
        with patch(
            "chat.services.moderation.people_mentioned", side_effect=[set(), {self.mentor.pk}]
        ) as asked:
            answer = self.change(self.student, message, text="look")

        self.assertEqual((answer.json()["mentions"], asked.call_count), ([], 2))

    def test_one_finds_where_one_was_named_the_newest_first(self) -> None:
        other = make_group(name="Other", members=[self.student, self.friend])
        first = self.posted(self.friend, text="@Ada one")
        call(self.friend, "post", self.url(group=other), {"text": "@Ada two"})
        self.posted(self.friend, text="nobody")

        rows = self.mentions(self.student)

        self.assertEqual([row["text"] for row in rows], ["@Ada two", "@Ada one"])
        self.assertEqual(rows[1], {**first, "groupId": "BTF046", "clientId": None})
        self.assertEqual(self.mentions(self.friend), [])

    def test_what_one_may_not_read_is_not_among_them(self) -> None:
        for fields in STATES.values():
            message = self.write(author=self.friend, text="@Ada", **fields)
            Mention.objects.create(message=message, user=self.student)
        self.assertEqual(len(self.mentions(self.student)), 1)

        self.group.members.filter(user=self.student).delete()
        self.assertEqual(self.mentions(self.student), [])

    def test_an_archived_group_is_not_among_them(self) -> None:
        self.posted(self.friend, text="@Ada")

        type(self.group).everything.update(archived_at=timezone.now())

        self.assertEqual(self.mentions(self.student), [])

    def test_the_list_costs_the_same_however_long_it_is(self) -> None:
        client, costs = signed_in_client(self.student), []
        for count in (1, 20):
            rows = Message.objects.bulk_create(
                Message(group=self.group, author=self.friend, text="@Ada") for _ in range(count)
            )
            Mention.objects.bulk_create(Mention(message=row, user=self.student) for row in rows)
            with CaptureQueriesContext(connection) as captured:
                client.get(URL, {"page_size": 20})
            costs.append(len(captured))

        self.assertEqual(costs[0], costs[1])
