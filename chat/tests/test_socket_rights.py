"""What each reader of a conversation is told over the socket, and when a socket ends that may not stay."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, Mock, patch

import orjson
from channels.layers import get_channel_layer
from django.db import OperationalError
from django.test import SimpleTestCase

from authentication.models import SignInSession
from authentication.sessions import end_session, sign_out_everywhere
from chat.access import Reader
from chat.models import Message
from chat.realtime import frame_for, text_for
from chat.standing import Standing
from chat.sweep import ConversationSweeper, bring_up_to_date, sweeper
from chat.tests.sockets import SocketCase
from core.uploads.links import Links
from groups.models import Group, GroupMember
from groups.services.members import remove_member
from groups.services.teams import archive_group, change_group
from users.models import StudentSupervisor, User
from users.services.accounts import change_account, change_status
from users.services.links import unlink

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat.tests.sockets import Frame, Socket

REMOVED = "This message was removed."


class AudienceTests(SocketCase):
    """B60, B75, D20: one event, each reader's own frame of it."""

    async def told(self, act: Callable[[], Any]) -> dict[str, list[Frame]]:
        """Return what everybody hears while ``act`` runs."""
        people = {
            "author": self.student,
            "member": self.friend,
            "mentor": self.mentor,
            "supervisor": self.supervisor,
            "admin": self.admin,
        }
        sockets = {name: await self.opened(user) for name, user in people.items()}
        await act()
        heard = await self.heard(*sockets.values())
        for socket in sockets.values():
            self.assertEqual(await socket.asks({"action": "ping"}), {"type": "pong"})
        await self.close(*sockets.values())
        return dict(zip(sockets, heard, strict=True))

    async def moderated(self, message: Message, **body: Any) -> dict[str, Frame | None]:
        """Return the frame that everybody gets of a moderator's change; None where there is none."""
        told = await self.told(partial(self.rest, self.mentor, "patch", f"/{message.pk}", body))
        return {name: frames[0] if frames else None for name, frames in told.items()}

    async def as_read(self, user: User, message: Message) -> Any:
        page = await self.rest(user, "get")
        return next(each for each in page["messages"] if each["id"] == message.pk)

    async def test_everybody_gets_a_new_message_whole_as_the_rest_api_has_it(self) -> None:
        told = await self.told(partial(self.post, "Hi", clientId="c1"))

        message = await Message.objects.aget()
        for name, user in {"author": self.student, "member": self.friend, "mentor": self.mentor}.items():
            (frame,) = told[name]
            self.assertEqual(frame["payload"], await self.as_read(user, message))
        self.assertEqual({len(frames) for frames in told.values()}, {1})

    async def test_moderators_keep_what_was_removed_and_others_get_its_place(self) -> None:
        message = await self.act(self.write, text="Bad")

        told = await self.told(partial(self.rest, self.mentor, "delete", f"/{message.pk}"))

        for name, (frame,) in told.items():
            with self.subTest(name):
                sees = name not in {"author", "member"}
                payload = frame["payload"]
                self.assertEqual(frame["type"], "message.deleted")
                self.assertEqual(payload["text"], "Bad" if sees else REMOVED)
                self.assertEqual(payload["deletedBy"], self.mentor.pk if sees else None)
                self.assertTrue(payload["isDeleted"])
                self.assertEqual(payload["author"], {"id": self.student.pk, "name": "Ada Lovelace"})

    async def test_the_note_is_for_moderators_and_the_author(self) -> None:
        message = await self.act(self.write)

        told = await self.moderated(message, moderationNote="Careful")

        notes = {name: frame and frame["payload"]["moderation"]["note"] for name, frame in told.items()}
        self.assertEqual(notes, {**dict.fromkeys(told, "Careful"), "member": None})

    async def test_each_change_reaches_whom_it_concerns(self) -> None:
        """Text: whole. REMOVED: the tombstone. None: nothing, for it was not and is not theirs (D25, D27)."""
        whole, no = "Hello", None
        for before, after, author, member in (
            ("approved", "rejected", REMOVED, REMOVED),
            ("approved", "pending", whole, REMOVED),
            ("pending", "approved", whole, whole),
            ("pending", "pending", whole, no),
            ("pending", "rejected", REMOVED, no),
            ("rejected", "rejected", no, no),
            ("rejected", "approved", whole, whole),
            ("rejected", "pending", whole, no),
        ):
            with self.subTest(f"{before} -> {after}"):
                message = await self.act(self.write, moderation_status=before)
                told = await self.moderated(message, moderationStatus=after)
                texts = {name: frame and frame["payload"]["text"] for name, frame in told.items()}
                self.assertEqual(texts.pop("author"), author)
                self.assertEqual(texts.pop("member"), member)
                self.assertEqual(set(texts.values()), {whole})

    async def test_what_goes_over_the_layer_is_plain_json(self) -> None:
        """B60: a native datetime once killed the broadcast, or every socket."""
        message = await self.act(self.write)
        with patch("chat.realtime.send_to_room") as send:
            await self.rest(self.mentor, "patch", f"/{message.pk}", {"moderationStatus": "rejected"})
            await self.rest(self.mentor, "delete", f"/{message.pk}")
            await self.rest(self.mentor, "patch", f"/{message.pk}", {"restore": True})

        events = [call.args[1] for call in send.call_args_list]
        self.assertEqual(len(events), 3)
        self.assertEqual(json.loads(json.dumps(events)), events)

    async def test_a_layer_that_is_down_fails_no_post(self) -> None:
        """B61."""
        with patch.object(get_channel_layer(), "group_send", side_effect=OSError):
            posted = await self.post("Hi")

        self.assertEqual((await Message.objects.aget()).pk, posted["id"])


class SharedTextTests(SimpleTestCase):
    """A process renders an event once for all who read the same of it, and never for anybody else."""

    AUTHOR, QUOTED, MEMBER, OTHER, MENTOR, ADMIN = (Reader(n, is_moderator=n > 4) for n in range(1, 7))
    SIGHTS = tuple(Message.Sight.values)

    def event(self, sight: str, before: str, quote_sight: str | None) -> dict[str, Any]:
        quote = {"id": 1, "author": {"id": self.QUOTED.user_id}, "text": "Quoted", "sight": quote_sight}
        moderation = {"status": "approved", "note": "Careful", "moderatedAt": None, "moderatedBy": None}
        document: dict[str, Any] = {"author": {"id": self.AUTHOR.user_id}, "text": "Hi", "clientId": "c1"}
        document |= {"moderation": moderation, "replyTo": quote if quote_sight else None, "attachments": []}
        event = {"kind": "message.updated", "revision": 7, "document": document}
        return {**event, "sight": sight, "before": before}

    def test_everybody_gets_what_is_theirs(self) -> None:
        readers = (self.AUTHOR, self.QUOTED, self.MEMBER, self.OTHER, self.MENTOR, self.ADMIN)
        for sight, before, quote_sight in product(self.SIGHTS, self.SIGHTS, (None, *self.SIGHTS)):
            event = self.event(sight, before, quote_sight)
            for reader in (*readers, *reversed(readers)):
                with self.subTest(sight=sight, before=before, quote=quote_sight, reader=reader):
                    frame = frame_for(event, reader)
                    self.assertEqual(self.text(event, reader), frame and orjson.dumps(frame).decode())

    def test_it_is_made_once_for_those_who_read_the_same(self) -> None:
        event = self.event("all", "all", None)
        with patch("chat.realtime.frame_for", side_effect=frame_for) as made:
            for reader in (self.MEMBER, self.OTHER, self.QUOTED, self.MENTOR, self.ADMIN, self.AUTHOR):
                self.text(event, reader)

        self.assertEqual(made.call_count, 3)

    def test_links_to_files_are_everybodys_own(self) -> None:
        event = self.event("all", "all", None)
        event["document"]["attachments"] = [{"file_url": "uploads/a.pdf", "filename": "a.pdf"}]

        texts = {self.text(event, reader) for reader in (self.MEMBER, self.OTHER, self.MENTOR, self.ADMIN)}

        self.assertEqual(len(texts), 4)
        for text in texts:
            (shown,) = orjson.loads(text or "")["payload"]["attachments"]
            self.assertRegex(shown["file_url"], r"^https://x\.test/media/[\w-]+/uploads/a\.pdf$")

    def text(self, event: dict[str, Any], reader: Reader) -> str | None:
        return text_for(event, reader, Links(reader.user_id, "https://x.test"))


class EndTests(SocketCase):
    """B62, B63, SAFETY B29: who may not stay is closed, and is told why."""

    async def ends(self, user: User, act: Callable[[], Any], code: int) -> None:
        socket = await self.opened(user)
        witness = await self.opened(self.admin)
        await self.act(act)
        self.assertEqual(await socket.close_code(), code)
        await self.close(witness)

    async def test_losing_the_group_closes_with_4403(self) -> None:
        acts: dict[str, tuple[User, Callable[[], Any]]] = {
            "removed": (
                self.friend,
                lambda: remove_member(self.group, by=self.admin, user_id=self.friend.pk),
            ),
            "mentor replaced": (
                self.mentor,
                lambda: change_group(self.group, by=self.admin, values={"mentor_id": None}),
            ),
            "link removed": (self.supervisor, lambda: unlink(self.link, by=self.admin)),
        }
        for name, (user, act) in acts.items():
            with self.subTest(name):
                await self.ends(user, act, 4403)

    async def test_losing_the_account_or_the_session_closes_with_4401(self) -> None:
        acts: dict[str, tuple[User, Callable[[], Any]]] = {
            "suspended": (self.friend, lambda: change_status(self.friend, status="inactive", by=self.admin)),
            "logged out": (
                self.student,
                lambda: end_session(
                    SignInSession.objects.get(user=self.student, revoked_at=None), reason="signed_out"
                ),
            ),
            "signed out everywhere": (self.mentor, lambda: sign_out_everywhere(self.mentor)),
            "demoted": (
                self.supervisor,
                lambda: change_account(self.supervisor, by=self.admin, account={"role": "student"}),
            ),
        }
        for name, (user, act) in acts.items():
            with self.subTest(name):
                await self.ends(user, act, 4401)

    async def test_a_group_that_is_archived_closes_with_4404(self) -> None:
        """B42, B63."""
        for user in (self.student, self.mentor):
            with self.subTest(user.role):
                await self.ends(user, lambda: archive_group(self.group, by=self.admin), 4404)
                await Group.everything.filter(pk=self.group.pk).aupdate(archived_at=None)

    async def test_others_keep_their_sockets(self) -> None:
        stays, goes = await self.opened(self.student), await self.opened(self.friend)

        await self.act(remove_member, self.group, by=self.admin, user_id=self.friend.pk)

        self.assertEqual(await goes.close_code(), 4403)
        self.assertEqual(await stays.asks({"action": "ping"}), {"type": "pong"})
        await self.close(stays)

    async def test_who_was_removed_hears_nothing_that_is_posted_then(self) -> None:
        socket = await self.opened(self.friend)
        await self.act(remove_member, self.group, by=self.admin, user_id=self.friend.pk)
        await self.post("Secret")

        output = await socket.receive_output(timeout=10)

        self.assertEqual((output["type"], output["code"]), ("websocket.close", 4403))
        self.assertTrue(await socket.receive_nothing(timeout=0.3))

    async def test_without_the_push_they_cannot_post_either(self) -> None:
        """What is not heard of is asked of the database at each message."""
        unauthenticated = (4401, "unauthenticated")
        acts: dict[str, tuple[Callable[[], Any], tuple[int, str]]] = {
            "removed": (
                lambda: GroupMember.objects.filter(user=self.friend).delete(),
                (4403, "permission_denied"),
            ),
            "suspended": (
                lambda: User.objects.filter(pk=self.friend.pk).update(status="inactive"),
                unauthenticated,
            ),
            "logged out": (
                lambda: SignInSession.objects.update(revoked_at=self.friend.date_joined),
                unauthenticated,
            ),
            "archived": (
                lambda: Group.everything.filter(pk=self.group.pk).update(archived_at=self.friend.date_joined),
                (4404, "not_found"),
            ),
        }
        for name, (act, (code, slug)) in acts.items():
            with self.subTest(name):
                socket = await self.opened(self.friend)
                await self.act(act)
                frame = await socket.asks({"action": "send_message", "text": "Hi"})
                self.assertEqual((frame["type"], frame["error"]), ("error", slug))
                self.assertEqual(await socket.close_code(), code)
                self.assertEqual(await Message.objects.acount(), 0)
                await self.act(self.put_back)

    def put_back(self) -> None:
        GroupMember.objects.get_or_create(group=self.group, user=self.friend)
        User.objects.filter(pk=self.friend.pk).update(status="active")
        Group.everything.filter(pk=self.group.pk).update(archived_at=None)

    async def test_a_demoted_moderator_reads_no_more_than_others(self) -> None:
        """A mentor who becomes a mere member stays, and is a reader of another kind at once."""
        await self.act(GroupMember.objects.create, group=self.group, user=self.mentor)
        message = await self.act(self.write, text="Bad")
        socket = await self.opened(self.mentor)

        await self.act(change_group, self.group, by=self.admin, values={"mentor_id": None})
        await self.rest(self.admin, "delete", f"/{message.pk}")

        self.assertEqual((await socket.hears())["payload"]["text"], REMOVED)
        await self.close(socket)

    async def test_what_was_asked_first_does_not_overwrite_what_was_learnt_since(self) -> None:
        socket = await self.opened(self.mentor)
        await socket.asks({"action": "ping"})
        consumer: Any = next(iter(sweeper.sockets))
        before, since = Reader(self.mentor.pk, is_moderator=True), Reader(self.mentor.pk, is_moderator=False)
        answers, slow = [before, since], asyncio.Event()

        async def ask() -> tuple[User, Standing]:
            answer = answers.pop(0)
            if answer is before:
                await slow.wait()
            return self.mentor, Standing(self.group, answer, is_of_group=True)

        with patch("chat.consumers.in_database", lambda _: ask):
            rechecks = [asyncio.create_task(consumer.recheck()) for _ in range(2)]
            await asyncio.sleep(0.01)
            slow.set()
            await asyncio.gather(*rechecks)

        self.assertIs(consumer.reader, since)
        await self.close(socket)


def watched(**fields: Any) -> Mock:
    """Return a socket that nobody tells anything, and whose rights nobody asks for."""
    locks = {"turn": asyncio.Lock(), "door": asyncio.Lock()}
    return Mock(group_id="BTF001", user_id=7, catch_up=AsyncMock(), recheck=AsyncMock(), **locks, **fields)


class RoundTests(SimpleTestCase):
    """What a round of the sweep does for one socket."""

    def setUp(self) -> None:
        self.socket = watched(cursor=0, rights=None)
        self.round = partial(bring_up_to_date, self.socket, {"BTF001": (0, 3)}, {})

    async def test_a_socket_that_is_asking_is_not_made_to_ask_again(self) -> None:
        async def take_a_while() -> None:
            await asyncio.sleep(0.01)

        self.socket.recheck = AsyncMock(side_effect=take_a_while)

        await asyncio.gather(self.round(), self.round())

        self.socket.recheck.assert_awaited_once()

    async def test_one_that_could_not_ask_is_made_to_ask_again(self) -> None:
        self.socket.recheck = AsyncMock(side_effect=[OperationalError, None])
        with self.assertRaises(OperationalError):
            await self.round()

        await self.round()

        self.assertEqual(self.socket.recheck.await_count, 2)

    async def test_a_socket_that_is_asking_is_not_told_what_came_meanwhile(self) -> None:
        socket = watched(cursor=4, rights=(3, None))
        async with socket.door:
            await self.look_after(socket)
            socket.catch_up.assert_not_called()

        await self.look_after(socket)

        socket.catch_up.assert_awaited_once_with(5)

    async def look_after(self, socket: Mock, *, then: int | None = None) -> Mock:
        """Go a round in which the conversation stands at 5; return the socket, which hears up to ``then``."""
        ask = AsyncMock(return_value=({"BTF001": (5, 3)}, {}))
        with patch("chat.sweep.in_database", lambda _: ask), patch("chat.sweep.GRACE_SECONDS", 0.05):
            round_ = asyncio.create_task(ConversationSweeper().look_after({socket}))
            await asyncio.sleep(0.01)
            socket.cursor = socket.cursor if then is None else then
            await round_
        return socket

    async def test_one_that_has_fallen_behind_reads_on(self) -> None:
        socket = await self.look_after(watched(cursor=4, rights=(3, None)))

        socket.catch_up.assert_awaited_once_with(5)
        socket.recheck.assert_not_called()

    async def test_one_that_hears_what_was_on_its_way_does_not_read_it(self) -> None:
        socket = await self.look_after(watched(cursor=4, rights=(3, None)), then=5)

        self.assertFalse(socket.catch_up.called)

    async def test_one_of_which_nothing_is_new_is_left_alone(self) -> None:
        with patch("chat.sweep.asyncio.sleep", side_effect=AssertionError):
            ask = AsyncMock(return_value=({"BTF001": (5, 3)}, {}))
            socket = Mock(group_id="BTF001", user_id=7, cursor=5, rights=(3, None))
            with patch("chat.sweep.in_database", lambda _: ask):
                await ConversationSweeper().look_after({socket})

        self.assertFalse(socket.recheck.called or socket.catch_up.called)


class LostPushTests(SocketCase):
    """SAFETY R21: what the channel layer did not bring, the sweep finds."""

    async def swept(self, user: User, act: Callable[[], Any]) -> int:
        """Return the close code after two rounds, the first of which learns how things stand."""
        socket: Socket = await self.opened(user)
        await sweeper.sweep()
        with (
            patch("groups.services.holding.recheck_sockets"),
            patch("users.services.links.recheck_sockets"),
            patch("groups.services.teams.close_sockets"),
        ):
            await self.act(act)
        await sweeper.sweep()
        return await socket.close_code()

    async def test_it_closes_whoever_may_not_stay(self) -> None:
        acts: dict[str, tuple[User, Callable[[], Any], int]] = {
            "removed": (
                self.friend,
                lambda: remove_member(self.group, by=self.admin, user_id=self.friend.pk),
                4403,
            ),
            "unlinked": (self.supervisor, lambda: unlink(self.link, by=self.admin), 4403),
            "archived": (self.student, lambda: archive_group(self.group, by=self.admin), 4404),
        }
        for name, (user, act, code) in acts.items():
            with self.subTest(name):
                self.assertEqual(await self.swept(user, act), code)

    async def test_it_finds_what_changed_before_its_first_round(self) -> None:
        socket = await self.opened(self.supervisor)
        await socket.asks({"action": "ping"})
        await StudentSupervisor.objects.all().adelete()

        await sweeper.sweep()

        self.assertEqual(await socket.close_code(), 4403)
