"""The inbox over a socket: what comes is told at once, or some seconds late, and once."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import patch

from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.db import OperationalError
from django.test import TransactionTestCase

from authentication.inbox import FRAMES_BURST
from authentication.sessions import end_all_sessions, open_session
from authentication.sweep import inbox_sweeper
from authentication.tests.signing_in import signed_in_client
from authentication.tests.sockets import PatientSocket
from btf_backend.routing import application
from core.models import Delivery, Notice, NotificationSettings
from core.notifications.inbox import WINDOW, Row, mark_read, ring_inboxes
from core.notifications.notices import notify
from core.registry import notification_kinds
from core.tests.telling import KINDS
from users.tests.factories import make_user

URL = "/ws/notifications/"


def deliver(person: Any, count: int = 1, *, pk: int | None = None) -> list[Delivery]:
    """Put rows into an inbox, unheard."""
    start = Notice.objects.count()
    notices = Notice.objects.bulk_create(
        Notice(kind="news", subject=str(start + number), data={"title": f"No. {start + number}"})
        for number in range(count)
    )
    return Delivery.objects.bulk_create(Delivery(pk=pk, notice=one, person=person) for one in notices)


adeliver, amark_read = sync_to_async(deliver), sync_to_async(mark_read)


class InboxSocketTests(TransactionTestCase):
    def setUp(self) -> None:
        cache.clear()
        kinds = patch.dict(notification_kinds.entries, KINDS)
        kinds.start()
        self.addCleanup(kinds.stop)
        self.user, self.other = make_user(), make_user()
        self.token = open_session(self.user, user_agent="").access

    async def opened(self, *, unread: int = 0, query: str = "") -> PatientSocket:
        socket = PatientSocket(application, f"{URL}?token={self.token}{query}")
        self.assertTrue((await socket.connect())[0])
        self.assertEqual(
            await socket.receive_json_from(), {"type": "connection.established", "unread": unread}
        )
        return socket

    async def ring(self) -> None:
        await sync_to_async(ring_inboxes)([self.user.pk])

    async def told(self, socket: PatientSocket, count: int) -> list[str]:
        return [(await socket.receive_json_from())["payload"]["title"] for _ in range(count)]

    async def is_silent(self, socket: PatientSocket) -> None:
        self.assertTrue(await socket.receive_nothing(timeout=0.2))

    async def test_who_is_not_signed_in_is_closed_with_4401(self) -> None:
        socket = PatientSocket(application, URL)
        self.assertTrue((await socket.connect())[0])
        self.assertEqual((await socket.receive_output())["code"], 4401)

    async def test_it_opens_with_the_badge_and_tells_nothing_that_was_there(self) -> None:
        rows = await adeliver(self.user, 3)
        await adeliver(self.other, 5)
        await amark_read(self.user, [rows[0].pk])

        socket = await self.opened(unread=2)

        await self.is_silent(socket)
        await socket.disconnect()

    async def test_what_comes_is_told_as_the_list_has_it(self) -> None:
        """From the rule that says so, through the worker, to the socket."""
        socket = await self.opened()

        await sync_to_async(notify)("news", subject="1", data={"title": "Hello"}, to=[self.user.pk])

        frame = await socket.receive_json_from()
        client: Any = await sync_to_async(signed_in_client)(self.user)
        listed = (await sync_to_async(client.get)("/api/notifications/")).json()["results"]
        self.assertEqual(frame, {"type": "notification", "payload": listed[0], "unread": 1})
        self.assertEqual(frame["payload"]["title"], "Hello")
        await self.is_silent(socket)
        await socket.disconnect()

    async def test_it_is_told_to_each_of_ones_sockets_and_to_nobody_elses(self) -> None:
        first, second = await self.opened(), await self.opened()
        self.token = (await sync_to_async(open_session)(self.other, user_agent="")).access
        theirs = await self.opened()

        await adeliver(self.user)
        await self.ring()

        self.assertEqual([await self.told(one, 1) for one in (first, second)], [["No. 0"]] * 2)
        await self.is_silent(theirs)
        for socket in (first, second, theirs):
            await socket.disconnect()

    async def test_it_is_in_the_language_that_its_reader_has_chosen_meanwhile(self) -> None:
        socket = await self.opened()
        with patch("core.notifications.inbox.row_of", side_effect=spoken):
            await NotificationSettings.objects.acreate(person=self.user, language="pt-br")
            await adeliver(self.user)
            await self.ring()

            self.assertEqual(await self.told(socket, 1), ["pt-br"])
        await socket.disconnect()

    async def test_several_are_told_in_order_and_each_once(self) -> None:
        socket = await self.opened()
        await adeliver(self.user, 3)
        await asyncio.gather(*(self.ring() for _ in range(3)))

        self.assertEqual(await self.told(socket, 3), ["No. 0", "No. 1", "No. 2"])
        await self.is_silent(socket)
        await socket.disconnect()

    async def test_one_that_is_committed_late_is_told_though_its_id_is_lower(self) -> None:
        socket = await self.opened()
        await adeliver(self.user, pk=10**6)
        await self.ring()
        self.assertEqual(await self.told(socket, 1), ["No. 0"])

        await adeliver(self.user, pk=10**6 - 1)
        await self.ring()

        self.assertEqual(await self.told(socket, 1), ["No. 1"])
        await socket.disconnect()

    async def test_what_was_missed_is_told_after_an_id(self) -> None:
        first, *_ = await adeliver(self.user, 3)

        socket = await self.opened(unread=3, query=f"&after={first.pk}")

        self.assertEqual(await self.told(socket, 2), ["No. 1", "No. 2"])
        await self.is_silent(socket)
        await socket.disconnect()

    async def test_one_that_is_committed_late_is_told_on_a_socket_that_asked_for_what_it_missed(self) -> None:
        await adeliver(self.user, pk=10**6)
        for query, late in ((f"&after={10**6}", 10**6 - 1), ("&after=" + "9" * 18, 10**6 - 2)):
            with self.subTest(query):
                unread = await Delivery.objects.acount()
                socket = await self.opened(unread=unread, query=query)

                await adeliver(self.user, pk=late)
                await self.ring()

                self.assertEqual((await socket.receive_json_from())["payload"]["id"], late)
                await self.is_silent(socket)
                await socket.disconnect()

    async def test_no_id_is_no_wish_to_hear_what_was_missed(self) -> None:
        await adeliver(self.user)
        for after in ("x", "-1", "1e3", "9" * 30, "%00"):
            socket = await self.opened(unread=1, query=f"&after={after}")
            await self.is_silent(socket)
            await socket.disconnect()

    async def test_of_very_much_the_newest_is_told(self) -> None:
        await adeliver(self.user, WINDOW + 20)

        socket = await self.opened(unread=WINDOW + 20, query="&after=0")

        titles = await self.told(socket, WINDOW)
        self.assertEqual((titles[0], titles[-1]), ("No. 20", f"No. {WINDOW + 19}"))
        await self.is_silent(socket)
        await socket.disconnect()

    async def test_an_old_row_that_moves_up_is_no_news(self) -> None:
        """As old notices are pruned, or one's own account of them is."""
        rows = await adeliver(self.user, WINDOW + 5)
        socket = await self.opened(unread=WINDOW + 5)

        await Delivery.objects.filter(pk__in=[row.pk for row in rows[-3:]]).adelete()
        await self.ring()

        self.assertEqual(
            await socket.receive_json_from(), {"type": "notifications.read", "unread": WINDOW + 2}
        )
        await self.is_silent(socket)
        await socket.disconnect()

    async def test_what_is_read_elsewhere_changes_the_badge(self) -> None:
        rows = await adeliver(self.user, 2)
        socket = await self.opened(unread=2)

        await amark_read(self.user, [rows[0].pk])

        self.assertEqual(await socket.receive_json_from(), {"type": "notifications.read", "unread": 1})
        await socket.disconnect()

    async def test_a_client_marks_some_or_all_as_read(self) -> None:
        rows = await adeliver(self.user, 3)
        (theirs,) = await adeliver(self.other)
        socket = await self.opened(unread=3)
        for frame, unread in (
            ({"ids": [rows[0].pk, theirs.pk]}, 2),
            ({"ids": [rows[0].pk]}, 2),
            ({}, 0),
        ):
            with self.subTest(str(frame)):
                await socket.send_json_to({"action": "mark_read", **frame})
                answer = await socket.receive_json_from()
                self.assertEqual(answer, {"type": "notifications.read", "unread": unread})
                await self.is_silent(socket)
        self.assertEqual(await Delivery.objects.unread().aget(), theirs)
        await socket.disconnect()

    async def test_a_frame_that_is_not_valid_is_refused_and_closes_nothing(self) -> None:
        socket = await self.opened()
        frames: list[dict[str, Any]] = [{"ids": ids} for ids in (None, "x", [0], ["y"], {"a": 1}, [1] * 501)]
        for frame in [*frames, {"id": 7}]:
            await socket.send_json_to({"action": "mark_read", **frame})
            answer = await socket.receive_json_from()
            self.assertEqual((answer["type"], answer["error"]), ("error", "validation_error"))
        await socket.send_json_to({"type": "ping"})
        self.assertEqual(await socket.receive_json_from(), {"type": "pong"})
        await socket.disconnect()

    async def test_who_floods_is_told_when_to_go_on(self) -> None:
        socket = await self.opened()
        answers = []
        for _ in range(FRAMES_BURST + 5):
            await socket.send_json_to({"action": "mark_read", "ids": [1]})
            answers.append(await socket.receive_json_from())

        self.assertEqual(answers[0], {"type": "notifications.read", "unread": 0})
        self.assertEqual(answers[-1]["error"], "rate_limited")
        self.assertGreaterEqual(answers[-1]["retry_after"], 1)
        await socket.disconnect()

    async def test_a_session_that_has_ended_unheard_marks_nothing(self) -> None:
        await adeliver(self.user)
        socket = await self.opened(unread=1)
        with patch("core.realtime.send_to_room", return_value=False):
            await sync_to_async(end_all_sessions)(self.user)

        await socket.send_json_to({"action": "mark_read"})

        self.assertEqual((await socket.receive_json_from())["error"], "unauthenticated")
        self.assertEqual((await socket.receive_output())["code"], 4401)
        self.assertEqual(await Delivery.objects.unread().acount(), 1)

    async def test_what_no_bell_told_comes_with_the_next_round(self) -> None:
        with patch.object(inbox_sweeper, "every_seconds", 0.1):
            socket = await self.opened()
            await adeliver(self.user)
            self.assertEqual(await self.told(socket, 1), ["No. 0"])

            await Delivery.objects.aupdate(read_at="2026-11-26T12:00:00Z")
            answer = await socket.receive_json_from()
            self.assertEqual(answer, {"type": "notifications.read", "unread": 0})

            await self.is_silent(socket)
            await socket.disconnect()
        self.assertEqual(inbox_sweeper.sockets, set())

    async def test_a_round_is_one_query_for_all_and_asks_nobody_whose_inbox_stands(self) -> None:
        sockets = [await self.opened() for _ in range(3)]
        with patch("authentication.inbox.InboxConsumer.look") as look:
            with patch("authentication.sweep.standings_of", return_value={}) as asked:
                await inbox_sweeper.sweep()
            self.assertEqual([call.args for call in asked.call_args_list], [({self.user.pk},)])
            look.assert_not_awaited()
        for socket in sockets:
            await socket.disconnect()

    async def test_a_database_that_fails_closes_with_1013(self) -> None:
        socket = await self.opened()
        with patch("authentication.inbox.news_of", side_effect=OperationalError):
            await self.ring()
            self.assertEqual((await socket.receive_output(timeout=2))["code"], 1013)


def spoken(row: Delivery, **more: Any) -> Any:
    return Row(row.pk, "news", more["reader"].language, "", "", row.created_at, row.read_at)
