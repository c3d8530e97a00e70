"""``GET /api/groups/{gid}/messages?after=``: what changed since, each message once (CONTRACT D25)."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from django.test import override_settings

from chat.models import MessageAttachment
from chat.services.history import FILE, all_changes_after
from chat.tests.cases import REMOVED, STATES, ChatCase
from groups.tests.factories import make_group

if TYPE_CHECKING:
    from collections.abc import Callable

    from users.models import User

SEED: Final = 1
STEPS: Final = 60
SIGNS: Final = ("\U0001f44d", "\u2753")


class FeedTests(ChatCase):
    def changes(self, who: User, after: int = 0, **query: Any) -> list[tuple[int, str]]:
        """Return revision and text of what changed."""
        messages = self.page(who, after=after, **query)["messages"]
        return [(message["revision"], message["text"]) for message in messages]

    def test_each_message_comes_once_as_it_is_now_the_oldest_change_first(self) -> None:
        ids = [self.posted(text=text)["id"] for text in ("one", "two", "three")]
        self.change(self.student, ids[0], text="ONE")
        self.react(self.friend, ids[1])

        for after, expected in enumerate(
            ([(3, "three"), (4, "ONE"), (5, "two")],) * 3 + ([(4, "ONE"), (5, "two")], [(5, "two")], [])
        ):
            for role, who in self.readers.items():
                with self.subTest(after, role=role):
                    self.assertEqual(self.changes(who, after), expected)

    def test_it_says_from_where_to_go_on(self) -> None:
        for text in ("one", "two", "three"):
            self.posted(text=text)

        for after, limit, texts, more, revision in (
            (0, 2, ["one", "two"], True, 2),
            (2, 2, ["three"], False, 3),
            (3, 2, [], False, 3),
            (0, 3, ["one", "two", "three"], False, 3),
        ):
            with self.subTest(after, limit=limit):
                page = self.page(after=after, limit=limit)
                told = [message["text"] for message in page["messages"]]
                self.assertEqual((told, page["hasMore"], page["revision"]), (texts, more, revision))

    def test_what_is_not_for_the_reader_moves_them_on_all_the_same(self) -> None:
        self.posted()
        self.write(**STATES["pending"])

        page = self.page(self.friend, after=1)

        self.assertEqual((page["messages"], page["hasMore"], page["revision"]), ([], False, 2))

    def test_a_revision_that_is_yet_to_come_is_no_fault(self) -> None:
        self.posted()

        page = self.page(after=1_000)

        self.assertEqual((page["messages"], page["hasMore"], page["revision"]), ([], False, 1))

    def test_a_page_for_sockets_has_so_many_characters_and_no_more(self) -> None:
        for length, files in ((10, 0), (10, 0), (30, 0), (10, 2), (10, 0)):
            message = self.write(text="\u20ac" * length)
            for _ in range(files):
                MessageAttachment.objects.create(message=message, file_url="https://a.test/b", filename="c")

        for after, characters, count in (
            (0, 20, 2),
            (0, 49, 2),
            (0, 50, 3),
            (2, 20, 1),
            (3, FILE, 1),
            (2, 2 * FILE, 1),
            (2, 2 * FILE + 50, 3),
        ):
            with self.subTest(after, characters=characters):
                page = all_changes_after(self.group.pk, after=after, limit=100, characters=characters)
                self.assertEqual((len(page.messages), page.has_more), (count, after + count < 5))
                self.assertEqual(page.revision, after + count)

    def test_a_page_backwards_says_where_the_conversation_stands(self) -> None:
        self.react(self.friend, self.posted()["id"])

        self.assertEqual(self.page()["revision"], 2)

    def test_what_was_never_in_sight_is_left_out_and_what_was_is_a_tombstone(self) -> None:
        for state, fields in STATES.items():
            self.write(text=f"posted {state}", **fields)
        for state in ("pending", "rejected"):
            self.change(self.mentor, self.posted(text=f"made {state}")["id"], moderationStatus=state)
        self.remove(self.mentor, self.posted(text="made removed")["id"])

        self.assertEqual(
            [text for _, text in self.changes(self.friend)], ["posted approved", REMOVED, REMOVED, REMOVED]
        )
        self.assertEqual(
            [text for _, text in self.changes(self.student)],
            ["posted approved", "posted pending", REMOVED, REMOVED, "made pending", REMOVED, REMOVED],
        )
        self.assertNotIn(REMOVED, str(self.changes(self.mentor)))

    def test_a_tombstone_tells_nothing_but_its_place(self) -> None:
        """B75."""
        message = self.posted(text="Secret @Ada", clientId="a", replyTo=self.posted()["id"])
        self.react(self.friend, message["id"])
        self.change(self.student, message["id"], text="Secret @Ada!")
        self.change(self.mentor, message["id"], moderationNote="Rude")
        self.remove(self.mentor, message["id"])

        told = self.page(self.friend, after=2)["messages"][0]

        kept = ("id", "author", "timestamp", "seq")
        self.assertEqual({name: told[name] for name in kept}, {name: message[name] for name in kept})
        nothing = ("attachments", "deletedBy", "editedAt", "clientId", "replyTo", "reactions", "mentions")
        self.assertFalse(any(told[name] for name in nothing), told)
        judged = {"status": "approved", "note": None, "moderatedAt": None, "moderatedBy": None}
        self.assertEqual((told["text"], told["isDeleted"], told["moderation"]), (REMOVED, True, judged))


@override_settings(CHAT_BURST=10_000)
class WalkTests(ChatCase):
    """Three people do whatever comes to mind; who only listens ends with what the conversation shows."""

    def begin(self) -> None:
        self.group = make_group(members=[self.student, self.friend], mentor=self.mentor)
        self.ids: list[int] = []
        self.held: dict[str, dict[int, Any]] = {role: {} for role in self.readers}
        self.known: dict[str, int] = dict.fromkeys(self.readers, 0)

    def act(self, dice: Random) -> None:
        """Do one thing; much of it is refused, as it should be."""
        who = dice.choice([self.student, self.friend, self.mentor])
        if not self.ids or dice.random() < 0.3:
            fields = dice.choice([{}, {}, STATES["pending"]])
            self.ids.append(self.write(author=who, text=f"@Max {dice.random()}", **fields).pk)
            return
        message = dice.choice(self.ids)
        doing: list[Callable[[], Any]] = [
            lambda: self.change(who, message, text=f"Changed {dice.random()}"),
            lambda: self.change(self.mentor, message, moderationStatus=dice.choice([*STATES][:3])),
            lambda: self.change(self.mentor, message, restore=True),
            lambda: self.change(self.mentor, message, moderationNote=f"Note {dice.random()}"),
            lambda: self.remove(dice.choice([who, self.mentor]), message),
            lambda: self.react(who, message, dice.choice(SIGNS), dice.choice(["put", "delete"])),
        ]
        self.assertLess(dice.choice(doing)().status_code, 500)

    def listen(self, role: str, dice: Random, *, to_the_end: bool = False) -> None:
        """Take in pages of what changed, as a client does that has nothing but ``revision``."""
        has_more = True
        while has_more and (to_the_end or dice.random() < 0.6):
            page = self.page(self.readers[role], after=self.known[role], limit=dice.randint(1, 7))
            for message in page["messages"]:
                self.assertGreater(message["revision"], self.known[role])
                self.held[role][message["id"]] = message
            self.known[role], has_more = page["revision"], page["hasMore"]

    def test_who_follows_the_changes_ends_with_what_the_conversation_shows(self) -> None:
        self.begin()
        dice = Random(SEED)
        for _ in range(STEPS):
            self.act(dice)
            self.listen(dice.choice([*self.readers]), dice)
        for role, who in self.readers.items():
            self.listen(role, dice, to_the_end=True)
            with self.subTest(role):
                shown = self.page(who, limit=100)
                self.assertFalse(shown["hasMore"])
                self.assertEqual(
                    {message["id"]: message for message in shown["messages"]},
                    {pk: message for pk, message in self.held[role].items() if self.stands(role, message)},
                )
                self.assertEqual(self.known[role], shown["revision"])

    @staticmethod
    def stands(role: str, message: dict[str, Any]) -> bool:
        """Tell a tombstone from a message: moderators read what is removed."""
        return role in {"mentor", "supervisor", "admin"} or not message["isDeleted"]
