"""Pages that are kept: what somebody reads is what the database holds, whatever has changed since."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch

from django.db import connection
from django.test.utils import CaptureQueriesContext

from authentication.tests.signing_in import signed_in_client
from chat.models import Message
from chat.services import pages
from chat.tests.cases import REMOVED, ChatCase
from chat.tests.factories import make_message
from core.testing import undone
from core.tests.files import sent, use_own_storage
from core.uploads.links import Links, signing_hour
from core.uploads.store import store_upload
from groups.models import GroupMember
from groups.tests.cases import call
from groups.tests.factories import make_group
from users.models import User
from users.services.erasure import erase_person
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

LATER = "2100-01-01T00:00:00Z"
KEPT_ANYWHERE = skipUnless(connection.vendor == "postgresql", "On SQLite pages are not kept.")


class KeptCase(ChatCase):
    def setUp(self) -> None:
        super().setUp()
        use_own_storage(self)
        pages.place_of.cache_clear()

    def read(self) -> dict[str, Any]:
        """Return what everybody reads: the newest page, shorter ones, and one from a moment on."""
        spans: tuple[dict[str, Any], ...] = ({}, {"limit": 2}, {"before": LATER})
        return {
            f"{name} {span}": self.page(who, **span) for name, who in self.readers.items() for span in spans
        }

    def read_anew(self) -> dict[str, Any]:
        with patch.object(pages, "place_of", side_effect=lambda *_, **__: pages.Place()):
            return self.read()


class ChangeTests(KeptCase):
    """Each change is made after everybody has read, and read again by everybody."""

    def setUp(self) -> None:
        super().setUp()
        self.other = make_user(first_name="Zephyrine", last_name="Quillfeather")
        self.judge = make_admin(first_name="Vi")
        GroupMember.objects.create(group=self.group, user=self.other)
        quoted = self.write(author=self.friend, text="What grows?")
        self.write(text="Nothing much")
        self.mine = Message.objects.get(pk=self.posted(text="Mould", replyTo=quoted.pk)["id"])
        self.quoted, self.hers = quoted, self.write(author=self.other, text="Hello @Ada Lovelace")
        upload = store_upload(
            sent("quillfeather.txt", b"x", "text/plain"), prefix="uploads", owner=self.other
        )
        self.mine.attachments.create(upload=upload, file_url=upload.key, filename="quillfeather.txt")

    def changes(self) -> dict[str, Callable[[], Any]]:
        mine, hers = self.mine.pk, self.hers.pk
        return {
            "a post": lambda: self.posted(self.friend, text="And yeast"),
            "an edit": lambda: self.change(self.student, mine, text="Moss"),
            "an edit of what is quoted": lambda: self.change(self.friend, self.quoted.pk, text="Who grows?"),
            "a reaction": lambda: self.react(self.friend, mine),
            "its author removes it": lambda: self.remove(self.student, mine),
            "a moderator removes it": lambda: self.remove(self.mentor, mine),
            "a moderator removes what is quoted": lambda: self.remove(self.mentor, self.quoted.pk),
            "it is rejected": lambda: self.change(self.mentor, mine, moderationStatus="rejected"),
            "it waits": lambda: self.change(self.mentor, mine, moderationStatus="pending"),
            "a note": lambda: self.change(self.mentor, mine, moderationNote="Well said"),
            "its author is called otherwise": lambda: call(
                self.other, "patch", "/api/users/me/", {"profile": {"firstName": "Zoe"}}
            ),
            "its author is called nothing": lambda: User.objects.filter(pk=self.other.pk).update(
                first_name="", last_name=""
            ),
            "whoever is quoted is called otherwise": lambda: call(
                self.friend, "patch", "/api/users/me/", {"profile": {"firstName": "Emmy"}}
            ),
            "its author is erased": lambda: erase_person(self.other, by=self.admin),
            "a message is shown to its author alone": lambda: self.change(
                self.mentor, hers, moderationStatus="pending"
            ),
        }

    def test_whatever_changes_is_read_at_once(self) -> None:
        for name, change in self.changes().items():
            with self.subTest(name), undone():
                self.assert_seen(change)

    def assert_seen(self, change: Callable[[], Any]) -> None:
        pages.place_of.cache_clear()  # what was undone has the same revision
        before = self.read()
        self.assertTrue(self.read() == before)
        answer = change()
        self.assertLess(getattr(answer, "status_code", 200), 400)
        after = self.read()
        self.assertFalse(after == before, "Nothing changed.")
        self.assertTrue(after == self.read_anew(), "Somebody reads what was.")

    def test_what_was_changed_is_changed_back(self) -> None:
        steps: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
            "a reaction is taken back": (
                lambda: self.react(self.friend, self.mine.pk),
                lambda: self.react(self.friend, self.mine.pk, method="delete"),
            ),
            "a removed message comes back": (
                lambda: self.remove(self.mentor, self.mine.pk),
                lambda: self.change(self.mentor, self.mine.pk, restore=True),
            ),
            "a waiting message is approved": (
                lambda: self.change(self.mentor, self.mine.pk, moderationStatus="pending"),
                lambda: self.change(self.mentor, self.mine.pk, moderationStatus="approved"),
            ),
        }
        for name, (there, back) in steps.items():
            with self.subTest(name), undone():
                there()
                self.assert_seen(back)

    def test_with_a_person_goes_what_they_left_on_the_messages_of_others(self) -> None:
        """No message is changed by it, and no revision: a reaction, a mention, who judged, a file's name."""
        left: dict[str, tuple[Callable[[], Any], User]] = {
            "a reaction": (lambda: self.react(self.friend, self.mine.pk), self.friend),
            "a mention": (lambda: self.posted(text="Look, @Max Planck"), self.mentor),
            "a removal": (lambda: self.remove(self.judge, self.hers.pk), self.judge),
            "a judgement": (
                lambda: self.change(self.judge, self.hers.pk, moderationStatus="approved"),
                self.judge,
            ),
            "a file's name": (lambda: None, self.other),
        }
        for name, (leave, person) in left.items():
            with self.subTest(name), undone():
                if person == self.other:
                    Message.objects.filter(
                        pk=self.hers.pk
                    ).delete()  # else they would stand there as an author, too
                self.assertLess(getattr(leave(), "status_code", 200), 400)
                readers = {role: who for role, who in self.readers.items() if who != person}
                with patch.object(self, "readers", readers):
                    self.assert_seen(lambda person=person: erase_person(person, by=self.admin))  # type: ignore[misc]

    def test_what_waits_is_read_by_its_author_and_by_moderators_alone(self) -> None:
        waiting = self.write(author=self.friend, text="Waiting", moderation_status="pending")
        for _ in range(2):
            sees = {name for name, who in self.readers.items() if self.shown(who, waiting.pk)}
            self.assertEqual(sees, {"member", "mentor", "supervisor", "admin"})
            self.assertEqual(self.texts(limit=2), [self.hers.text, "Mould"])
            self.assertEqual(self.texts(self.friend, limit=2), ["Waiting", self.hers.text])

    def test_who_is_let_in_no_more_is_refused(self) -> None:
        self.page(self.friend)
        GroupMember.objects.filter(user=self.friend).delete()

        self.assert_refused(call(self.friend, "get", self.url()), 403)

    def test_links_to_files_are_everybodys_own(self) -> None:
        for who in (self.student, self.friend, self.student):
            shown = self.shown(who, self.mine.pk)
            key = self.mine.attachments.get().file_url
            self.assertEqual(
                shown and shown["attachments"][0]["file_url"], Links(who.pk, "http://testserver").to(key)
            )

    def test_links_are_signed_each_time(self) -> None:
        def link() -> str:
            shown: Any = self.shown(self.student, self.mine.pk)
            return str(shown["attachments"][0]["file_url"])

        first = link()
        with patch("core.uploads.links.signing_hour", return_value=signing_hour() + 1):
            self.assertNotEqual(link(), first)


@KEPT_ANYWHERE
class KeepingTests(KeptCase):
    def asks_for_messages(self, who: User | None = None, **query: Any) -> bool:
        """Tell whether the database is asked for messages; it is asked three things in any case."""
        client = signed_in_client(who or self.student)
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(client.get(self.url(), query).status_code, 200)
        self.assertEqual(len(captured), 3)
        return any('FROM "chat_message"' in query["sql"] for query in captured)

    def test_a_page_is_read_once_for_all_who_read_the_same(self) -> None:
        self.write()

        self.assertTrue(self.asks_for_messages(self.student))
        self.assertFalse(self.asks_for_messages(self.student))
        self.assertFalse(self.asks_for_messages(self.friend))
        self.assertTrue(self.asks_for_messages(self.mentor))
        self.assertFalse(self.asks_for_messages(self.admin))

    def test_each_span_is_a_page_of_its_own(self) -> None:
        self.write()
        spans: tuple[dict[str, Any], ...] = (
            {},
            {"limit": 3},
            {"before": LATER},
            {"limit": 3, "before": LATER},
        )

        for asked in (True, False):
            for span in spans:
                self.assertEqual(self.asks_for_messages(**span), asked)

    def test_each_group_has_its_own(self) -> None:
        other = make_group(members=[self.student])
        make_message(group=other, author=self.student, text="Elsewhere")
        self.write(text="Here")

        for _ in range(2):
            here, there = (
                call(self.student, "get", self.url(group=group)).json()["messages"]
                for group in (self.group, other)
            )
            self.assertEqual([one["text"] for one in (*here, *there)], ["Here", "Elsewhere"])

    def test_what_is_long_is_read_each_time(self) -> None:
        with patch.object(pages, "CHARACTERS_KEPT", 9):
            self.write(text="0123456789")

            self.assertTrue(self.asks_for_messages())
            self.assertTrue(self.asks_for_messages())

    def test_what_was_changed_by_hand_is_seen_after_a_while(self) -> None:
        message = self.write()
        self.page()
        Message.objects.filter(pk=message.pk).update(text="Changed")

        self.assertEqual(self.texts(), ["Hello"])
        with patch.object(pages, "monotonic", return_value=monotonic() + pages.SECONDS_KEPT):
            self.assertEqual(self.texts(), ["Changed"])

    def test_no_more_pages_are_kept_than_that(self) -> None:
        self.write()
        for limit in range(1, 100):
            self.page(limit=limit)
            self.page(limit=limit, before=LATER)

        self.assertEqual(pages.place_of.cache_info().currsize, pages.PAGES_KEPT)
        self.assertTrue(self.asks_for_messages(limit=1))

    def test_the_removed_text_does_not_wait_in_memory_for_the_next_reader(self) -> None:
        message = self.write(text="Do not keep this")
        self.page()
        self.remove(self.student, message.pk)

        self.assertEqual(self.texts(), [])
        place = pages.place_of(self.group.conversation.pk, None, 50, as_moderator=False)
        self.assertEqual(place.kept and place.kept.messages, [])
        self.assertNotIn(REMOVED, self.texts())
