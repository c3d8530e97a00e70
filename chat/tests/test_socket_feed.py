"""The feed over a socket: nothing is missed and nothing told twice, whatever the channel layer loses."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, Mock, patch
from uuid import uuid4

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import OperationalError
from django.test import SimpleTestCase

from authentication import seats
from chat import replay
from chat.consumers import GroupChatConsumer
from chat.models import Message
from chat.replay import PAGE, Missed, missed, read
from chat.sweep import sweeper
from chat.tests.sockets import PATIENCE, SocketCase
from core.realtime import room_of_group, send_to_room
from groups.models import Group, GroupMember

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from authentication.models import SignInSession
    from chat.tests.sockets import Frame, Socket


def deaf() -> AbstractContextManager[Any]:
    """Lose what the room is told."""
    return patch("chat.realtime.send_to_room", return_value=False)


def revisions(frames: list[Frame]) -> list[int]:
    return [frame["revision"] for frame in frames]


class LongReplayTests(SocketCase):
    async def test_who_loses_their_rights_meanwhile_hears_no_more(self) -> None:
        """SAFETY R21: the ring that says so waits behind what is told."""
        count = 3 * PAGE
        await self.act(
            Message.objects.bulk_create,
            [Message(group=self.group, author=self.student, text=str(n)) for n in range(count)],
        )

        def first_page_then_out(group_id: str, cursor: int) -> Missed:
            page = read(group_id, cursor)
            GroupMember.objects.filter(user=self.friend).delete()
            return page

        with (
            patch("chat.consumers.RIGHTS_EVERY_SECONDS", -1),
            patch("chat.replay.read", side_effect=first_page_then_out) as pages,
        ):
            socket = await self.opened(self.friend, after=0)
            code = await socket.close_code()

        self.assertEqual((code, pages.call_count), (4403, 1))

    async def test_who_has_been_told_all_is_not_asked_for_them_once_more(self) -> None:
        """What was rung meanwhile is heard now; and where a whole room has fallen behind, all would ask."""
        await self.act(self.write)
        with (
            patch("chat.consumers.RIGHTS_EVERY_SECONDS", -1),
            patch.object(GroupChatConsumer, "recheck") as recheck,
        ):
            socket = await self.opened(self.friend, after=0)
            await socket.hears()
            await socket.asks({"action": "ping"})

        recheck.assert_not_called()
        await self.close(socket)


class ReplayTests(SocketCase):
    async def take(self, socket: Socket, count: int) -> list[Frame]:
        return [await socket.hears() for _ in range(count)]

    async def test_who_comes_back_gets_what_was_missed_in_order_and_then_goes_live(self) -> None:
        for n in range(5):
            await self.act(self.write, text=str(n))

        socket = await self.opened(self.friend, after=2)
        missed = await self.take(socket, 3)
        await self.post("Live")

        (live,) = (await self.heard(socket))[0]
        self.assertEqual([frame["payload"]["text"] for frame in missed], ["2", "3", "4"])
        self.assertEqual(revisions([*missed, live]), [3, 4, 5, 6])
        self.assertEqual(live["payload"]["text"], "Live")
        await self.close(socket)

    async def test_without_after_it_starts_where_the_conversation_stands(self) -> None:
        await self.act(self.write)

        for after in (None, 1, 99):
            socket = await self.opened(self.friend, after=after)
            self.assertEqual(await self.heard(socket), [[]])
            await self.close(socket)

    async def test_a_cursor_that_is_none_counts_as_none(self) -> None:
        await self.act(self.write)
        token = await self.token(self.friend)
        for after in ("-1", "x", "1.5", "%00", "9" * 30, ""):
            with self.subTest(after):
                socket = await self.knock(f"{self.path}?token={token}&after={after}")
                self.assertEqual((await socket.hears())["revision"], 1)
                self.assertEqual(await self.heard(socket), [[]])
                await self.close(socket)

    async def test_it_goes_on_over_several_pages(self) -> None:
        count = 2 * PAGE + 5
        await self.act(
            Message.objects.bulk_create,
            [Message(group=self.group, author=self.student, text=str(n)) for n in range(count)],
        )

        socket = await self.opened(self.friend, after=0)

        frames = await self.take(socket, count)
        self.assertEqual(revisions(frames), list(range(1, count + 1)))
        self.assertEqual(await self.heard(socket), [[]])
        await self.close(socket)

    async def test_each_message_comes_once_as_it_is_now(self) -> None:
        """D25: what was never theirs is left out, what is not theirs any more is a tombstone."""
        shown, waiting, gone = [await self.act(self.write, text=text) for text in ("Kept", "Waits", "Gone")]
        await self.rest(self.mentor, "patch", f"/{waiting.pk}", {"moderationStatus": "rejected"})
        await self.rest(self.mentor, "delete", f"/{gone.pk}")
        await self.rest(self.mentor, "patch", f"/{shown.pk}", {"moderationNote": "Well said"})

        for after, expected in (
            (
                0,
                [
                    ("message.updated", "This message was removed."),
                    ("message.deleted", "This message was removed."),
                    ("message.created", "Kept"),
                ],
            ),
            (
                3,
                [
                    ("message.updated", "This message was removed."),
                    ("message.deleted", "This message was removed."),
                    ("message.updated", "Kept"),
                ],
            ),
        ):
            with self.subTest(after=after):
                socket = await self.opened(self.friend, after=after)
                frames = (await self.heard(socket))[0]
                self.assertEqual([(each["type"], each["payload"]["text"]) for each in frames], expected)
                await self.close(socket)

    async def test_moderators_get_all_of_it_whole(self) -> None:
        gone = await self.act(self.write, text="Gone")
        await self.rest(self.mentor, "delete", f"/{gone.pk}")

        socket = await self.opened(self.mentor, after=0)

        ((frame,),) = await self.heard(socket)
        self.assertEqual((frame["type"], frame["payload"]["text"]), ("message.deleted", "Gone"))
        await self.close(socket)

    async def test_what_is_posted_while_it_catches_up_comes_once(self) -> None:
        await self.act(
            Message.objects.bulk_create,
            [Message(group=self.group, author=self.student, text=str(n)) for n in range(PAGE)],
        )

        opening = asyncio.create_task(self.opened(self.friend, after=0))
        for n in range(5):
            await self.post(f"Meanwhile {n}")
        socket = await opening

        frames = await self.take(socket, PAGE + 5)
        self.assertEqual(revisions(frames), list(range(1, PAGE + 6)))
        self.assertEqual(await self.heard(socket), [[]])
        await self.close(socket)

    async def test_what_is_posted_before_it_has_joined_comes_too(self) -> None:
        """Nobody rings who is not in the room yet: the revision is read again after joining."""
        join = GroupChatConsumer.join

        async def join_late(consumer: GroupChatConsumer, room: str) -> None:
            if room == room_of_group(self.group.room):
                await self.post("Meanwhile")
            await join(consumer, room)

        with patch.object(GroupChatConsumer, "join", join_late):
            socket = await self.opened(self.friend, after=0)

        (frames,) = await self.heard(socket)
        self.assertEqual([frame["payload"]["text"] for frame in frames], ["Meanwhile"])
        await self.close(socket)

    async def test_who_is_not_let_in_is_told_nothing_of_the_room_that_was_guessed(self) -> None:
        """Others of the process are in it, so an outsider's socket sits there while it is asked about."""
        inside = await self.opened(self.friend)
        identify = GroupChatConsumer.identify

        def identify_late(consumer: GroupChatConsumer) -> SignInSession:
            async_to_sync(self.post)("Not for everybody")
            return identify(consumer)

        with patch.object(GroupChatConsumer, "identify", identify_late):
            outside = await self.knock(f"{self.path}?token={await self.token(self.outsider)}")

        self.assertEqual(await outside.receive_output(), {"type": "websocket.close", "code": 4403})
        self.assertTrue(await outside.receive_nothing(timeout=0.2))
        await self.close(inside)

    async def test_what_is_posted_while_it_is_asked_who_comes_is_heard(self) -> None:
        inside = await self.opened(self.friend)
        identify = GroupChatConsumer.identify

        def identify_early(consumer: GroupChatConsumer) -> SignInSession:
            session = identify(consumer)
            async_to_sync(self.post)("Meanwhile")
            return session

        with patch.object(GroupChatConsumer, "identify", identify_early):
            late = await self.opened(self.student)

        self.assertEqual((await late.hears())["payload"]["text"], "Meanwhile")
        await self.close(inside, late)

    async def test_a_room_that_is_not_the_groups_any_more_is_left(self) -> None:
        inside = await self.opened(self.friend)
        await Group.objects.aupdate(room=uuid4())

        path = f"{self.path}?token={await self.token(self.student)}"
        self.assertEqual(await self.refusal(path), 1013)
        again = await self.opened(self.student)
        await self.close(inside, again)

    async def test_a_room_that_changes_while_it_is_asked_again_is_left(self) -> None:
        look = GroupChatConsumer.look

        def look_late(consumer: GroupChatConsumer) -> Any:
            Group.objects.update(room=uuid4())
            return look(consumer)

        path = f"{self.path}?token={await self.token(self.student)}"
        with patch.object(GroupChatConsumer, "look", look_late):
            self.assertEqual(await self.refusal(path), 1013)

    async def test_a_room_that_changes_later_is_left_with_the_next_question(self) -> None:
        inside = await self.opened(self.friend)
        await inside.asks({"action": "ping"})
        await Group.objects.aupdate(room=uuid4())
        (consumer,) = sweeper.sockets
        await consumer.recheck()

        self.assertEqual(await inside.close_code(), 1013)
        await self.close(inside)


class PageTests(SimpleTestCase):
    """What a socket that catches up holds of the process."""

    async def test_what_has_been_told_is_let_go_and_others_have_their_turn(self) -> None:
        consumer: Any = GroupChatConsumer()
        consumer.turn, consumer.user, consumer.group = asyncio.Lock(), Mock(pk=7), Mock(pk="BTF001")
        page = Missed(deque({"n": n} for n in range(3)), 3)
        left: list[str | int] = []

        async def another() -> None:
            for _ in range(3):
                left.append("another")
                await asyncio.sleep(0)

        async def forward(_: Any) -> None:
            left.append(len(page.events))

        consumer.forward = forward
        with patch("chat.consumers.missed", AsyncMock(return_value=page)):
            await asyncio.gather(consumer.catch_up(3), another())

        self.assertEqual(left, [2, "another", 1, "another", 0, "another"])

    async def test_a_persons_sockets_read_one_after_the_other_and_others_beside_them(self) -> None:
        reading: list[int] = []
        most: list[int] = []

        async def ask(_: str, cursor: int) -> Missed:
            reading.append(cursor)
            most.append(len(reading))
            await asyncio.sleep(0.01)
            reading.remove(cursor)
            return Missed(deque(), cursor)

        with patch("chat.replay.in_database", lambda _: ask):
            await asyncio.gather(*(missed("BTF001", cursor, by=7) for cursor in range(3)))
            alone, most = max(most), []
            await asyncio.gather(*(missed("BTF001", cursor, by=cursor) for cursor in range(3)))

        self.assertEqual((alone, max(most)), (1, 3))
        self.assertFalse(replay.reads)

    async def test_those_who_miss_the_same_get_a_page_each_of_one_read(self) -> None:
        ask = AsyncMock(return_value=Missed(deque([{"n": 1}]), 1))
        with patch("chat.replay.in_database", lambda _: ask):
            first, second = await asyncio.gather(*(missed("BTF001", 0, by=person) for person in (7, 8)))

        first.events.clear()
        self.assertEqual((len(second.events), ask.await_count), (1, 1))


class LossTests(SocketCase):
    async def test_the_next_event_brings_what_was_lost(self) -> None:
        socket = await self.opened(self.friend)
        with deaf():
            await self.post("Lost 1")
            await self.post("Lost 2")

        await self.post("Heard")

        (frames,) = await self.heard(socket)
        self.assertEqual([each["payload"]["text"] for each in frames], ["Lost 1", "Lost 2", "Heard"])
        await self.close(socket)

    async def test_the_sweep_brings_what_was_lost(self) -> None:
        sockets_of_all = [await self.opened(user) for user in (self.student, self.friend, self.mentor)]
        for socket in sockets_of_all:
            await socket.asks({"action": "ping"})
        with deaf():
            await self.post("Lost")

        await sweeper.sweep()

        heard = await self.heard(*sockets_of_all)
        self.assertEqual([revisions(frames) for frames in heard], [[1]] * 3)
        await self.close(*sockets_of_all)

    async def test_events_that_come_twice_or_in_another_order_change_nothing(self) -> None:
        socket = await self.opened(self.friend)
        sent: list[tuple[Any, ...]] = []
        with patch("chat.realtime.send_to_room", side_effect=lambda *event: sent.append(event)):
            for n in range(3):
                await self.post(str(n))

        for event in (sent[2], sent[0], sent[1], sent[2], sent[0]):
            await self.act(send_to_room, *event)

        (frames,) = await self.heard(socket)
        self.assertEqual(revisions(frames), [1, 2, 3])
        await self.close(socket)

    async def test_a_sweep_that_finds_the_database_away_closes_nobody(self) -> None:
        socket = await self.opened(self.friend)
        with patch("chat.sweep.standings", side_effect=OperationalError):
            await sweeper.sweep()

        self.assertEqual(await socket.asks({"action": "ping"}), {"type": "pong"})
        await self.close(socket)

    async def test_a_round_without_sockets_and_one_without_news_say_nothing(self) -> None:
        await sweeper.sweep()
        socket = await self.opened(self.friend)
        await sweeper.sweep()

        self.assertEqual(await self.heard(socket), [[]])
        await self.close(socket)


class SlowReaderTests(SocketCase):
    """SAFETY B32. A server's ``send`` that waits for the client is stood in for by a lock."""

    def setUp(self) -> None:
        super().setUp()
        for name, seconds in (("PATIENCE_SECONDS", 0.3), ("CLOSING_SECONDS", 0.3)):
            self.enterContext(patch(f"authentication.websocket.{name}", seconds))

    async def wait_for_ever(self, *_: Any) -> None:
        await asyncio.Event().wait()

    async def one_that_does_not_read(self) -> tuple[Socket, Any]:
        socket = await self.opened(self.friend)
        await socket.asks({"action": "ping"})
        consumer: Any = next(iter(sweeper.sockets))
        send = consumer.base_send

        async def take_nothing_but_a_close(message: dict[str, Any]) -> None:
            if message["type"] == "websocket.send":
                await self.wait_for_ever()
            await send(message)

        consumer.base_send = take_nothing_but_a_close
        return socket, consumer

    async def test_who_does_not_read_is_closed_to_come_back_later(self) -> None:
        socket, _ = await self.one_that_does_not_read()

        await self.post("Hi")

        self.assertEqual(await socket.close_code(), 1013)

    async def test_who_does_not_even_read_that_is_let_go(self) -> None:
        socket, consumer = await self.one_that_does_not_read()
        with patch.object(consumer, "base_send", side_effect=self.wait_for_ever):
            await self.post("Hi")
            await socket.wait(timeout=PATIENCE)

        self.assertEqual(len(sweeper.sockets), 0)
        self.assertFalse(seats.taken)

    async def test_what_waits_for_who_is_let_go_over_a_gap_goes_with_them(self) -> None:
        socket, consumer = await self.one_that_does_not_read()
        layer: Any = get_channel_layer()
        with deaf():
            await self.post("Lost")
        with patch.object(consumer, "base_send", side_effect=self.wait_for_ever):
            await self.post("Hi")
            for _ in range(3):
                await layer.send(consumer.channel_name, {"type": "socket.recheck"})
            await socket.wait(timeout=PATIENCE)

        self.assertNotIn(consumer.channel_name, layer.channels)

    async def test_the_others_hear_of_it_all_the_same(self) -> None:
        slow, _ = await self.one_that_does_not_read()
        friend = await self.opened(self.student)
        await friend.asks({"action": "ping"})
        with deaf():
            await self.post("Lost")

        await sweeper.sweep()

        (frames,) = await self.heard(friend)
        self.assertEqual(revisions(frames), [1])
        self.assertEqual(await slow.close_code(), 1013)
        await self.close(friend)
