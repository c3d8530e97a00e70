"""Pages that are kept: what somebody reads is what the database holds, whatever has changed since."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import skipUnless
from unittest.mock import patch

from cachetools import Cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.models import Message
from chat.services import pages
from chat.services.history import first
from chat.tests.cases import ChatCase
from chat.tests.factories import make_message
from core.testing import undone
from core.tests.files import sent, use_own_storage
from core.uploads.links import Links, signing_hour
from core.uploads.store import store_upload
from groups.models import GroupMember
from groups.services.teams import change_group
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
        pages.PAGES.clear()

    def read(self) -> dict[str, Any]:
        """Return what everybody reads: the newest page, shorter ones, and one from a moment on."""
        spans: tuple[dict[str, Any], ...] = ({}, {"limit": 2}, {"before": LATER})
        return {
            f"{name} {span}": self.page(who, **span) for name, who in self.readers.items() for span in spans
        }

    def read_anew(self) -> dict[str, Any]:
        with patch.object(pages.Pages, "get", return_value=None):
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

    def test_while_nothing_changes_everybody_reads_the_same_again(self) -> None:
        before = self.read()

        self.assertTrue(self.read() == before)
        self.assertTrue(self.read_anew() == before)

    def test_whatever_changes_is_read_at_once(self) -> None:
        for name, change in self.changes().items():
            with self.subTest(name), undone():
                self.assert_seen(change)

    def assert_seen(self, change: Callable[[], Any]) -> None:
        pages.PAGES.clear()  # what was undone has the same revision
        before = self.read()
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
                    self.assert_seen(partial(erase_person, person, by=self.admin))

    def test_what_waits_is_read_by_its_author_and_by_moderators_alone(self) -> None:
        waiting = self.write(author=self.friend, text="Waiting", moderation_status="pending")
        for _ in range(2):
            sees = {name for name, who in self.readers.items() if self.shown(who, waiting.pk)}
            self.assertEqual(sees, {"member", "mentor", "supervisor", "admin"})
            self.assertEqual(self.texts(limit=2), [self.hers.text, "Mould"])
            self.assertEqual(self.texts(self.friend, limit=2), ["Waiting", self.hers.text])

    def test_a_moderator_who_is_the_author_reads_their_own(self) -> None:
        posted = self.posted(self.mentor, text="Hello", clientId="mine")
        for who, name in (
            (self.mentor, "mine"),
            (self.admin, None),
            (self.mentor, "mine"),
            (self.student, None),
        ):
            shown: Any = self.shown(who, posted["id"])
            self.assertEqual(shown["clientId"], name)

    def test_what_a_former_members_own_words_bore_is_nobodys(self) -> None:
        """Their name for it, and the note to them."""
        left = self.write(author=self.other, client_id="hers", moderation_note="Well said")
        erase_person(self.other, by=self.admin)
        for name, who in self.readers.items():
            shown: Any = self.shown(who, left.pk)
            self.assertIsNone(shown["clientId"])
            sees = name in {"mentor", "supervisor", "admin"}
            self.assertEqual(shown["moderation"]["note"], "Well said" if sees else None)

    def test_who_moderates_no_more_reads_what_others_read(self) -> None:
        GroupMember.objects.create(group=self.group, user=self.mentor)
        self.change(self.admin, self.mine.pk, moderationStatus="rejected")
        self.assertIn("Mould", self.texts(self.mentor))

        change_group(self.group, by=self.admin, values={"mentor_id": None})

        self.assertNotIn("Mould", self.texts(self.mentor))

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
        client = self.client_of(who or self.student)
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

    def test_what_is_heavy_is_read_each_time(self) -> None:
        self.write(text="0123456789" * 10)
        with patch.object(pages, "BYTES_OF_PAGE", 1_000):
            self.assertTrue(self.asks_for_messages())
            self.assertTrue(self.asks_for_messages())

    def test_a_page_weighs_all_that_hangs_on_its_messages(self) -> None:
        def weight() -> int:
            self.page()
            (kept,) = pages.PAGES.kept.values()
            return kept.weight

        message = self.write()
        weights = [weight()]
        for fields in ({"filename": "x" * 255, "file_url": "https://x.example/" + "y" * 500},) * 3:
            message.attachments.create(**fields)
        self.write()
        weights.append(weight())
        self.react(self.friend, message.pk)
        weights.append(weight())

        self.assertEqual(weights, sorted(set(weights)))
        self.assertGreater(weights[1] - weights[0], 3 * 755)

    def test_what_was_changed_by_hand_is_seen_after_a_while(self) -> None:
        now = [0.0]
        with patch.object(pages, "PAGES", pages.Pages(timer=lambda: now[0])):
            message = self.write()
            self.page()
            Message.objects.filter(pk=message.pk).update(text="Changed")

            self.assertEqual(self.texts(), ["Hello"])
            now[0] = pages.SECONDS_KEPT
            self.assertEqual(self.texts(), ["Changed"])

    def test_no_more_is_kept_than_that(self) -> None:
        self.write()
        with patch.object(pages, "BYTES_KEPT", 5_000):
            few = pages.Pages()
        with patch.object(pages, "PAGES", few):
            for limit in range(1, 10):
                self.assertTrue(self.asks_for_messages(limit=limit))

            self.assertTrue(self.asks_for_messages(limit=1))
            self.assertFalse(self.asks_for_messages(limit=9))
            self.assertLess(few.kept.currsize, 5_000)

    def test_no_words_are_kept_for_longer_than_that(self) -> None:
        """Nor where nobody asks for that page again: any other is enough."""
        now = [0.0]
        with patch.object(pages, "PAGES", pages.Pages(timer=lambda: now[0])):
            self.write(text="Do not keep this")
            self.page(limit=2)
            now[0] = pages.SECONDS_KEPT / 2
            self.page()
            now[0] = pages.SECONDS_KEPT
            self.assertFalse(self.asks_for_messages())

            # What it says of itself leaves out what has grown too old, whether that is still there or not.
            self.assertEqual([key[1:] for key in Cache.__iter__(pages.PAGES.kept)], [(None, 50, False)])

    def test_a_revision_of_another_server_is_not_taken_for_the_same(self) -> None:
        """One that took over without the last message gives its numbers to the next."""
        self.write(text="First")
        with undone():
            self.posted(text="Lost")
            self.assertEqual(self.texts(), ["Lost", "First"])
        self.posted(text="Kept")

        self.assertEqual(self.texts(), ["Kept", "First"])

    def test_a_commit_between_the_question_of_rights_and_the_page_is_seen_by_the_next(self) -> None:
        self.write(text="one")

        def meanwhile(*args: Any, **kwargs: Any) -> Any:
            self.write(text="two")
            return first(*args, **kwargs)

        with patch.object(pages, "first", meanwhile):
            self.texts()

        self.assertEqual(self.texts(), ["two", "one"])
        self.remove(self.mentor, Message.objects.get(text="two").pk)
        self.assertEqual(self.texts(), ["one"])
