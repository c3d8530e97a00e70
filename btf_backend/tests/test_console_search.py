"""The search of the admin site: what somebody may open, in as many queries whatever there is."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

from django.contrib.auth.models import Permission
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from btf_backend.console.search import MOST_OF_EACH
from chat.tests.factories import make_message
from events.tests.factories import make_event
from groups.tests.factories import make_group
from users.tests.factories import make_superuser, make_user

SEARCH = "/admin/search/"


class SearchTests(TestCase):
    def setUp(self) -> None:
        self.boss = make_superuser()
        self.client.force_login(self.boss)

    def found(self, words: str, **more: str) -> list[tuple[str, str]]:
        answer = self.client.get(SEARCH, {"s": words, **more})
        self.assertEqual(answer.status_code, 200)
        return [(str(line.title), line.description) for line in answer.context["results"]]

    def test_people_groups_events_and_pages_are_found(self) -> None:
        make_user(email="zoe.quell@example.org", first_name="Zoë", last_name="Quell")
        make_group(name="Quell team")
        make_event(title="Quell day")

        found = self.found("quell")

        self.assertEqual({kind for _, kind in found}, {"Person", "Group", "Event"})
        self.assertIn(("Deliveries", "Mail"), self.found("deliver"))
        self.assertEqual(self.found("quell", extended="1", page="x"), found)

    def test_what_nobody_would_want_finds_nothing(self) -> None:
        make_message(text="a word of a child: quagmire")
        for words in ("", "q", " ", "quagmire", "%", "_" * 5_000):
            with self.subTest(words[:10]):
                self.assertEqual(self.found(words), [])

    def test_it_shows_what_one_may_open_and_no_more(self) -> None:
        make_user(email="quell@example.org")
        make_event(title="Quell day")
        desk = make_user(is_staff=True)
        desk.user_permissions.add(Permission.objects.get(codename="view_event"))
        self.client.force_login(desk)

        self.assertEqual(self.found("quell"), [(ANY, "Event")])
        self.client.logout()
        self.assertEqual(self.client.get(SEARCH, {"s": "quell"}).status_code, 302)

    def test_it_costs_the_same_for_one_and_for_many(self) -> None:
        def cost() -> int:
            with CaptureQueriesContext(connection) as captured:
                self.found("quell")
            return len(captured)

        def make(n: int) -> Any:
            return make_user(email=f"quell{n}@example.org"), make_group(name=f"Quell {n}")

        make(0)
        few = cost()
        for n in range(1, 2 * MOST_OF_EACH):
            make(n)

        self.assertEqual(cost(), few)
        self.assertEqual(len(self.found("quell")), 2 * MOST_OF_EACH)
