"""What the daily mail says of conversations: how much is new, and where; never what, or from whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.letters import UNREAD_CHAT
from chat.models import Message, ReadCursor
from chat.services.unread import daily_parts
from chat.tests.cases import STATES, ChatCase
from core.mail import Reader
from core.notifications.kinds import Told
from groups.models import GroupMember
from groups.services.teams import archive_group
from groups.tests.factories import make_group
from users.models import User

if TYPE_CHECKING:
    from core.mail import Letter
    from groups.models import Group


class UnreadCase(ChatCase):
    def parts(self, *people: User, before: Any = None) -> dict[int, list[dict[str, Any]]]:
        """Return what each of them is told, of whom nothing is told left out."""
        found = daily_parts([one.pk for one in people], before or timezone.now() + timedelta(seconds=1))
        self.assertEqual({kind for parts in found.values() for kind, _ in parts} - {"unread_chat"}, set())
        return {person: [data for _, data in parts] for person, parts in found.items()}

    def number(self, who: User) -> int:
        return sum(data["unread"] for data in self.parts(who).get(who.pk, []))

    def mail(self, who: User, group: Group | None = None, unread: int = 1) -> Letter | None:
        """Return the line as it leaves now."""
        of = group or self.group
        return UNREAD_CHAT.letter(
            Told(who, {"group": of.pk, "name": of.name, "unread": unread}, Reader("en"))
        )


class PartsTests(UnreadCase):
    def test_members_and_the_mentor_are_told_how_much_others_have_said(self) -> None:
        for _ in range(3):
            self.write()
        self.write(author=self.friend)

        data = {"group": "BTF046", "name": "Biofilm Busters"}
        self.assertEqual(
            self.parts(*self.readers.values(), self.outsider),
            {
                self.student.pk: [{**data, "unread": 1}],
                self.friend.pk: [{**data, "unread": 3}],
                self.mentor.pk: [{**data, "unread": 4}],
            },
        )

    def test_it_counts_as_the_badge_does(self) -> None:
        for author in (None, self.student):
            self.write(author=author)
        for state in ("pending", "rejected", "removed"):
            self.write(**STATES[state])
        self.assertEqual(self.number(self.friend), 2)

        ReadCursor.objects.create(group=self.group, user=self.friend, seq=1)
        self.assertEqual(self.number(self.friend), 1)

        Message.objects.bulk_create(Message(group=self.group, text="x") for _ in range(110))
        self.assertEqual(self.number(self.friend), 100)

    def test_who_has_read_everything_is_told_nothing(self) -> None:
        ReadCursor.objects.create(group=self.group, user=self.friend, seq=self.write().seq)

        self.assertEqual(self.parts(self.friend, self.student), {})

    def test_what_was_said_since_the_hour_waits_for_the_next_day(self) -> None:
        hour = timezone.now() - timedelta(hours=1)
        self.write(created_at=hour - timedelta(minutes=1))
        self.write(created_at=hour)

        self.assertEqual(self.parts(self.friend, before=hour)[self.friend.pk][0]["unread"], 1)

    def test_a_group_where_nothing_came_since_yesterdays_hour_is_not_told_again(self) -> None:
        hour = timezone.now()
        for age in (timedelta(days=200), timedelta(days=1, seconds=1)):
            self.write(created_at=hour - age)
        self.assertEqual(self.parts(self.friend, self.mentor, before=hour), {})

        self.write(created_at=hour - timedelta(days=1), author=self.mentor)
        told = self.parts(self.friend, self.mentor, before=hour)
        self.assertEqual({who: data[0]["unread"] for who, data in told.items()}, {self.friend.pk: 3})

    def test_what_is_new_counts_only_where_it_is_unread_and_to_be_seen(self) -> None:
        hour = timezone.now()
        self.write(created_at=hour - timedelta(days=3))
        for state in ("pending", "rejected", "removed"):
            self.write(created_at=hour - timedelta(hours=1), **STATES[state])
        self.assertEqual(self.parts(self.friend, before=hour), {})

        message = self.write(created_at=hour - timedelta(hours=1))
        self.assertEqual(self.parts(self.friend, before=hour)[self.friend.pk][0]["unread"], 2)

        ReadCursor.objects.create(group=self.group, user=self.friend, seq=message.seq)
        self.assertEqual(self.parts(self.friend, before=hour), {})

    def test_the_day_that_ended_at_the_hour_is_the_one_of_that_clock(self) -> None:
        """Where clocks are put back it has 25 hours, so that none of them is left out."""
        hour = datetime(2026, 4, 5, 17, tzinfo=ZoneInfo("Australia/Sydney"))
        self.write(created_at=hour.astimezone(UTC) - timedelta(hours=24, minutes=30))

        self.assertEqual(len(self.parts(self.friend, before=hour)[self.friend.pk]), 1)

    def test_each_group_is_a_line_and_one_for_who_is_there_twice(self) -> None:
        other = make_group(mentor=self.mentor, members=[self.friend, self.mentor])
        for group in (self.group, other):
            self.write(group=group)

        for who in (self.friend, self.mentor):
            self.assertEqual(
                [data["group"] for data in self.parts(who)[who.pk]], sorted([self.group.pk, other.pk])
            )

    def test_archived_groups_and_groups_that_were_left_are_none(self) -> None:
        other = make_group(members=[self.friend, self.student])
        for group in (self.group, other):
            self.write(group=group)
        archive_group(self.group, by=self.admin)
        GroupMember.objects.filter(group=other, user=self.friend).delete()

        self.assertEqual(self.parts(self.friend, self.mentor), {})

    def test_it_costs_the_same_for_2_and_for_200(self) -> None:
        people = [self.friend, self.mentor]
        self.write()
        costs = set[int]()
        for count in (2, 200):
            more = User.objects.bulk_create(
                User(username=f"{n}", email=f"{n}@example.org") for n in range(len(people), count)
            )
            GroupMember.objects.bulk_create(GroupMember(group=self.group, user=person) for person in more)
            people += more
            with self.subTest(count), CaptureQueriesContext(connection) as captured:
                self.assertEqual(len(self.parts(*people)), count)
            costs.add(len(captured))
        self.assertEqual(costs, {2})


@override_settings(FRONTEND_BASE_URL="https://hub.example.org/")
class WordsTests(UnreadCase):
    def test_they_say_how_much_and_where_and_nothing_of_what_was_said(self) -> None:
        self.write(text="My address is secret")
        letter = self.mail(self.friend)

        assert letter
        self.assertEqual(letter.subject, "1 unread message in Biofilm Busters")
        self.assertEqual(letter.link, "https://hub.example.org/#/groups/BTF046")
        for secret in ("secret", "Ada", "Lovelace"):
            self.assertNotIn(secret, str(letter))

    def test_a_hundred_are_more_than_99(self) -> None:
        told = {"group": "BTF046", "name": "Biofilm\nBusters"}
        for unread, words in ((2, "2 unread messages in"), (99, "99 unread"), (100, "More than 99 unread")):
            letter = UNREAD_CHAT.write(Told(self.friend, {**told, "unread": unread}, Reader("en")))
            self.assertTrue(letter.subject.startswith(words), letter.subject)
            self.assertTrue(letter.subject.endswith(" in Biofilm Busters"))

    def test_when_it_leaves_it_says_what_is_so_then(self) -> None:
        for _ in range(3):
            message = self.write()
        letter = self.mail(self.friend)
        assert letter
        self.assertEqual(letter.subject, "3 unread messages in Biofilm Busters")
        self.assertIsNone(self.mail(self.outsider))

        ReadCursor.objects.create(group=self.group, user=self.friend, seq=message.seq)
        self.assertIsNone(self.mail(self.friend))
