"""A conversation's socket: who gets in, what may be sent, and what is answered."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

from channels.layers import get_channel_layer
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisDown

from authentication import seats
from authentication.models import SignInSession
from authentication.sessions import open_session
from chat.consumers import FLOODS_BORNE
from chat.models import Message
from chat.services.posting import post_message
from chat.sweep import sweeper
from chat.tests.sockets import SocketCase
from groups.tests.cases import call


class HandshakeTests(SocketCase):
    async def test_it_opens_with_the_group_and_where_its_conversation_stands(self) -> None:
        await self.act(self.write)
        token = await self.token(self.student)

        socket = await self.knock(f"{self.path}?token={token}")

        established = {"type": "connection.established", "groupId": self.group.pk, "revision": 1}
        self.assertEqual(await socket.hears(), established)
        await self.close(socket)

    async def test_every_place_for_the_token_and_both_slash_forms_are_taken(self) -> None:
        """B76."""
        token = await self.token(self.student)
        bare = self.path.rstrip("/")
        for path, headers in (
            (f"{self.path}?token={token}", {}),
            (f"{bare}?token={token}", {}),
            (f"{bare}?access_token={token}", {}),
            (self.path, {"Authorization": f"Bearer {token}"}),
        ):
            with self.subTest(path.replace(token, "")):
                socket = await self.knock(path, **headers)
                self.assertEqual((await socket.hears())["type"], "connection.established")
                await self.close(socket)

    async def test_everybody_who_sees_the_group_gets_in(self) -> None:
        for user in (self.student, self.mentor, self.supervisor, self.admin):
            with self.subTest(user.role):
                await self.close(await self.opened(user))

    async def test_a_refusal_accepts_and_then_says_why(self) -> None:
        """B65, D12."""
        token, outside = await self.token(self.student), await self.token(self.outsider)
        for path, code in (
            (f"/ws/chat/groups/NOWHERE/?token={token}", 4404),
            (f"/ws/chat/groups/%00/?token={token}", 4404),
            (f"{self.path}?token={outside}", 4403),
            (f"{self.path}?token=a.b.c", 4401),
            (self.path, 4401),
            ("/ws/chat/groups/?token=x", 4404),
        ):
            with self.subTest(path[:30], code=code):
                self.assertEqual(await self.refusal(path), code)

    async def test_tokens_that_are_no_access_tokens_of_today_are_refused(self) -> None:
        pair = await self.act(open_session, self.student, user_agent="")
        with patch("rest_framework_simplejwt.tokens.aware_utcnow") as clock:
            clock.return_value = self.student.date_joined.replace(year=2001)
            expired = await self.token(self.student)
        for name, token in {"refresh": pair.refresh, "expired": expired}.items():
            with self.subTest(name):
                self.assertEqual(await self.refusal(f"{self.path}?token={token}"), 4401)

    async def test_a_bad_token_is_refused_without_a_query(self) -> None:
        queries = CaptureQueriesContext(connection)
        await self.act(queries.__enter__)

        codes = {await self.refusal(f"{self.path}?token={token}") for token in ("", "a.b.c", "x" * 5_000)}

        await self.act(queries.__exit__, None, None, None)
        self.assertEqual((codes, len(queries)), ({4401}, 0))

    async def test_a_bad_token_joins_no_room_and_is_refused_though_the_layer_is_away(self) -> None:
        inside = await self.opened(self.friend)  # from whom the room is known
        with patch.object(get_channel_layer(), "group_add", side_effect=RedisDown) as join:
            self.assertEqual(await self.refusal(f"{self.path}?token=a.b.c"), 4401)

        join.assert_not_called()
        await self.close(inside)

    async def test_the_token_of_an_ended_session_leaves_what_it_joined(self) -> None:
        inside = await self.opened(self.friend)
        token = await self.token(self.student)
        await SignInSession.objects.filter(user=self.student).aupdate(revoked_at=timezone.now())
        layer: Any = get_channel_layer()
        rooms = {room: len(sockets) for room, sockets in layer.groups.items()}

        socket = await self.knock(f"{self.path}?token={token}")
        self.assertEqual(await socket.close_code(), 4401)
        await socket.receive_nothing()

        self.assertEqual({room: len(sockets) for room, sockets in layer.groups.items()}, rooms)
        await self.close(inside)

    @override_settings(CORS_ALLOWED_ORIGINS=["https://app.example.org"])
    async def test_pages_of_the_front_end_get_in_and_foreign_ones_do_not(self) -> None:
        """B66."""
        path = f"{self.path}?token={await self.token(self.student)}"

        socket = await self.knock(path, Origin="https://app.example.org")

        await self.close(socket)
        with self.assertRaises(AssertionError):
            await self.knock(path, Origin="https://evil.test")

    async def test_a_person_has_so_many_sockets_and_no_more(self) -> None:
        path = f"{self.path}?token={await self.token(self.student)}"
        with patch("authentication.seats.MOST", 2):
            first, second = await self.opened(self.student), await self.opened(self.student)
            self.assertEqual(await self.refusal(path), 4429)
            friend = await self.opened(self.friend)
            await self.close(first)
            third = await self.opened(self.student)

        await self.close(second, third, friend)
        self.assertFalse(seats.taken)

    async def test_what_has_gone_is_not_looked_after_any_more(self) -> None:
        socket = await self.opened(self.student)
        await socket.asks({"action": "ping"})
        self.assertEqual(len(sweeper.sockets), 1)

        await self.close(socket)

        self.assertEqual(len(sweeper.sockets), 0)


class FrameTests(SocketCase):
    async def test_a_bad_frame_is_answered_and_the_socket_lives(self) -> None:
        """B64, B71."""
        socket = await self.opened(self.student)
        frames: list[tuple[dict[str, Any], str]] = [
            ({"text_data": "no json"}, "invalid_payload"),
            ({"text_data": "[1]"}, "invalid_payload"),
            ({"text_data": '"text"'}, "invalid_payload"),
            ({"text_data": "7"}, "invalid_payload"),
            ({"text_data": '{"a":' * 5_000}, "invalid_payload"),
            ({"text_data": "[" * 20_000 + "]" * 20_000}, "invalid_payload"),
            ({"bytes_data": b"\x00\xff"}, "invalid_payload"),
            ({"bytes_data": b'{"action": "ping"}'}, "invalid_payload"),
            ({"text_data": '{"action": "fly"}'}, "unknown_action"),
            ({"text_data": '{"action": null}'}, "unknown_action"),
            ({"text_data": '{"action": ["ping"]}'}, "unknown_action"),
            ({"text_data": json.dumps({"action": "ping", "x": "y" * 65 * 1024})}, "frame_too_large"),
            ({"bytes_data": b"x" * 1_048_576}, "frame_too_large"),
        ]
        for frame, slug in frames:
            with self.subTest(slug, frame=str(frame)[:40]):
                await socket.send_to(**frame)
                answer = await socket.hears()
                self.assertEqual((answer["type"], answer["error"]), ("error", slug))
                self.assertEqual(answer["payload"], {"detail": answer["detail"]})
        self.assertEqual(await socket.asks({"action": "ping"}), {"type": "pong"})
        await self.close(socket)

    async def test_a_message_is_held_against_the_rules_of_the_rest_api(self) -> None:
        """B64, B68-B71: one serializer at both doors."""
        socket = await self.opened(self.student)
        bad: list[dict[str, Any]] = [
            {},
            {"text": "  "},
            {"text": 5},
            {"text": ["a"]},
            {"text": "a\u0000b"},
            {"text": "x" * 10_001},
            {"text": "a", "clientId": "x" * 65},
            {"text": "a", "replyTo": "none"},
            {"text": "a", "replyTo": 2**62},
            {"text": "a", "attachments": 5},
            {"text": "a", "attachments": [5]},
            {"text": "a", "attachments": [{"url": "javascript:alert(1)", "filename": "a"}]},
            {"text": "a", "attachments": [{"url": "https://evil.test/a.png", "filename": "a"}]},
            {"text": "a", "attachments": [{"url": "https://evil.test/a", "filename": "a", "size": -1}] * 11},
        ]
        for body in bad:
            with self.subTest(str(body)[:60]):
                answer = await socket.asks({"action": "send_message", **body})
                self.assertEqual((answer["type"], answer["error"]), ("error", "validation_error"))
                refused = await self.act(call, self.student, "post", self.url, body)
                self.assertEqual(refused.status_code, 400)
        self.assertEqual(await Message.objects.acount(), 0)
        self.assertEqual(await socket.asks({"type": "ping"}), {"type": "pong"})
        await self.close(socket)

    async def test_what_is_sent_comes_back_to_everybody_and_to_the_sender(self) -> None:
        sender, friend = await self.opened(self.student), await self.opened(self.friend)

        frame = await sender.asks({"action": "send_message", "text": " Hi ", "clientId": "c1"})

        read = (await self.rest(self.student, "get"))["messages"]
        self.assertEqual(frame, {"type": "message.created", "revision": 1, "payload": read[0]})
        self.assertEqual((read[0]["text"], read[0]["clientId"]), ("Hi", "c1"))
        told = await friend.hears()
        self.assertEqual(told["payload"], {**read[0], "clientId": None})
        await self.close(sender, friend)

    async def test_a_repeat_is_answered_to_the_sender_alone(self) -> None:
        """D26, SAFETY B34."""
        sender, friend = await self.opened(self.student), await self.opened(self.friend)
        message = {"action": "send_message", "text": "Hi", "clientId": "c1"}
        first = await sender.asks(message)

        self.assertEqual(await sender.asks(message), first)
        self.assertEqual((await sender.asks({**message, "text": "Other"}))["error"], "client_id_reused")

        self.assertEqual([len(frames) for frames in await self.heard(sender, friend)], [0, 1])
        self.assertEqual(await Message.objects.acount(), 1)
        await self.close(sender, friend)

    async def test_a_repeat_of_what_was_removed_is_answered_with_what_is_left(self) -> None:
        posted = await self.post("Hi", clientId="c1")
        await self.rest(self.mentor, "delete", f"/{posted['id']}")
        socket = await self.opened(self.student)

        frame = await socket.asks({"action": "send_message", "text": "Hi", "clientId": "c1"})

        self.assertEqual((frame["type"], frame["payload"]["isDeleted"]), ("message.created", True))
        self.assertEqual(frame["payload"]["text"], "This message was removed.")
        await self.close(socket)

    async def test_a_repeat_does_not_bring_back_what_has_changed_since_it_was_found(self) -> None:
        socket = await self.opened(self.student)
        posted = await self.post("Hi", clientId="c1")
        await socket.hears()

        def find_and_remove(*args: Any, **kwargs: Any) -> Any:
            found = post_message(*args, **kwargs)
            answer = call(self.mentor, "delete", f"{self.url}/{posted['id']}")
            self.assertEqual(answer.status_code, 200)
            return found

        with patch("chat.consumers.post_message", find_and_remove):
            await socket.send_json_to({"action": "send_message", "text": "Hi", "clientId": "c1"})
            frame = await socket.hears()

        self.assertEqual((frame["type"], frame["revision"]), ("message.deleted", 2))
        self.assertEqual(await socket.asks({"action": "ping"}), {"type": "pong"})
        await self.close(socket)

    async def test_before_a_repeat_comes_what_was_missed(self) -> None:
        """A client that reads a revision counts on having all before it."""
        socket = await self.opened(self.student)
        with patch("chat.realtime.send_to_room"):
            await self.post("One")
            await self.post("Two", clientId="c2")

        await socket.send_json_to({"action": "send_message", "text": "Two", "clientId": "c2"})

        frames = [await socket.hears() for _ in range(3)]
        self.assertEqual([frame["revision"] for frame in frames], [1, 2, 2])
        await self.close(socket)

    async def test_typing_is_told_to_the_others_and_not_all_the_time(self) -> None:
        typist, friend = await self.opened(self.student), await self.opened(self.friend)

        for _ in range(3):
            await typist.send_json_to({"action": "typing"})
        self.assertEqual(await typist.asks({"action": "ping"}), {"type": "pong"})

        mine, theirs = await self.heard(typist, friend)
        user = {"id": self.student.pk, "name": "Ada Lovelace"}
        self.assertEqual(theirs, [{"type": "typing", "payload": {"user": user, "expiresIn": 6}}])
        self.assertEqual(mine, [])
        await self.close(typist, friend)

    async def test_that_somebody_types_who_only_looks_in_is_told_to_nobody(self) -> None:
        """As with reading."""
        for typist, told in ((self.mentor, 1), (self.supervisor, 0), (self.admin, 0)):
            with self.subTest(typist.role):
                typing, friend = await self.opened(typist), await self.opened(self.friend)
                await typing.send_json_to({"action": "typing"})
                await typing.asks({"action": "ping"})
                ((frames),) = await self.heard(friend)
                self.assertEqual(len(frames), told)
                await self.close(typing, friend)

    async def test_typing_and_pings_wait_for_no_database(self) -> None:
        typist, friend = await self.opened(self.student), await self.opened(self.friend)
        with (
            patch("chat.consumers.in_database", side_effect=AssertionError),
            patch("channels.consumer.aclose_old_connections", side_effect=AssertionError),
        ):
            await typist.send_json_to({"action": "typing"})
            self.assertEqual((await friend.hears())["type"], "typing")
            self.assertEqual(await friend.asks({"action": "ping"}), {"type": "pong"})
        await self.close(typist, friend)

    async def test_reading_is_told_to_the_others(self) -> None:
        await self.act(self.write)
        reader, friend = await self.opened(self.friend), await self.opened(self.student)

        await self.act(call, self.friend, "post", self.url.replace("messages", "read"), {})

        mine, theirs = await self.heard(reader, friend)
        self.assertEqual([frame["type"] for frame in theirs], ["read"])
        self.assertEqual(theirs[0]["payload"]["seq"], 1)
        self.assertEqual(mine, [])
        await self.close(reader, friend)


@override_settings(CHAT_BURST=2, CHAT_PER_SECOND=1)
class FloodTests(SocketCase):
    async def test_who_posts_too_fast_is_told_when_to_go_on(self) -> None:
        """SAFETY B31: one bucket for all sockets and for REST."""
        first, second = await self.opened(self.student), await self.opened(self.student)
        await first.asks({"action": "send_message", "text": "One"})
        await self.post("Two")
        await self.heard(first, second)

        answer = await second.asks({"action": "send_message", "text": "Three"})

        self.assertEqual((answer["error"], answer["retry_after"]), ("rate_limited", 1))
        self.assertEqual(await Message.objects.acount(), 2)
        self.assertEqual(await second.asks({"action": "ping"}), {"type": "pong"})
        await self.close(first, second)

    async def test_what_is_not_valid_costs_nothing(self) -> None:
        socket = await self.opened(self.student)
        for _ in range(5):
            await socket.asks({"action": "send_message"})

        self.assertEqual(
            (await socket.asks({"action": "send_message", "text": "Hi"}))["type"], "message.created"
        )
        await self.close(socket)

    async def test_even_what_is_refused_is_counted(self) -> None:
        socket = await self.opened(self.student)
        with patch("chat.services.posting.FRAMES_BURST", 2):
            answers = [(await socket.asks({"action": "send_message"}))["error"] for _ in range(3)]

        self.assertEqual(answers, ["validation_error", "validation_error", "rate_limited"])
        await self.close(socket)

    async def test_who_does_not_stop_is_closed(self) -> None:
        """SAFETY B31."""
        socket = await self.opened(self.student)
        with patch("chat.services.posting.pour", return_value=1):
            for _ in range(FLOODS_BORNE):
                answer = await socket.asks({"action": "send_message", "text": "Hi"})
                self.assertEqual(answer["error"], "rate_limited")
            await socket.send_json_to({"action": "send_message", "text": "Hi"})
            self.assertEqual(await socket.close_code(), 4429)
