"""The AsyncAPI document tells of every socket and every frame there is, and what is really said fits."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
import yaml
from django.test import TestCase, override_settings

from authentication.inbox import InboxConsumer
from authentication.tests.test_notification_socket import adeliver
from authentication.websocket import SessionConsumer
from btf_backend import asyncapi
from btf_backend.asyncapi import FILE, document
from btf_backend.routing import websocket_urlpatterns
from btf_backend.tests.spoken import messages_of, problems
from chat import realtime
from chat.consumers import GroupChatConsumer
from chat.realtime import Kind
from chat.services.reading import mark_read
from chat.tests.sockets import Socket, SocketCase
from core import realtime as core_realtime
from core.contract_testing import faults, strict
from core.inbox.serializers import ReadSerializer
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from types import ModuleType

CONSUMERS: Final = {"chat": GroupChatConsumer, "notifications": InboxConsumer, "session": SessionConsumer}
ROOT: Final = Path(asyncapi.__file__).resolve().parent.parent
SAME_WHEN_GONE: Final = {"text", "isDeleted", "attachments", "reactions", "mentions", "replyTo", "editedAt"}
BASE: Final = "authentication/websocket.py"
MODULES: Final = {
    "chat": [BASE, "chat/consumers.py"],
    "notifications": [BASE, "authentication/inbox.py"],
    "session": [BASE],
}


def words(shown: ast.AST, name: str) -> set[str]:
    """Return the texts that stand under a key in a dictionary that is written out."""
    if not isinstance(shown, ast.Dict):
        return set()
    pairs = zip(shown.keys, shown.values, strict=True)
    texts = [value for key, value in pairs if isinstance(key, ast.Constant) and key.value == name]
    return {str(one.value) for one in texts if isinstance(one, ast.Constant)}


def said_in(path: str) -> set[str]:
    """Return the ``type`` of every frame that a module writes out as a dictionary for ``reply``."""
    calls = [node for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.Call)]
    replies = [one for one in calls if isinstance(one.func, ast.Attribute) and one.func.attr == "reply"]
    return {word for one in replies for shown in one.args for word in words(shown, "type")}


def asides() -> set[str]:
    """Return the kinds that ``chat.realtime`` rings a room with and the consumer hands on as they are."""
    return {word for node in ast.walk(ast.parse(source(realtime))) for word in words(node, "kind")}


def source(module: ModuleType) -> str:
    return Path(str(module.__file__)).read_text()


class DocumentTests(TestCase):
    def test_the_file_is_what_the_code_says(self) -> None:
        self.assertEqual(yaml.safe_load(FILE.read_text()), document(), "make schema")

    def test_it_has_every_socket_that_is_served(self) -> None:
        addresses = [
            channel["address"].replace("{groupId}", "BTF046") for channel in document()["channels"].values()
        ]
        served = websocket_urlpatterns[:-1]  # the last one is for all other paths

        for pattern in served:
            with self.subTest(str(pattern.pattern)):
                self.assertEqual(sum(bool(pattern.resolve(path[1:])) for path in addresses), 1)
        self.assertEqual(len(served), len(addresses))

    def test_it_has_every_action_that_a_consumer_takes(self) -> None:
        for channel, consumer in CONSUMERS.items():
            with self.subTest(channel):
                taken = {name.removeprefix("on_") for name in dir(consumer) if name.startswith("on_")}
                self.assertEqual(set(messages_of(channel, "receive")), taken)

    def test_it_has_every_frame_that_a_consumer_sends(self) -> None:
        for channel, paths in MODULES.items():
            with self.subTest(channel):
                said = set().union(*map(said_in, paths))
                said |= {*Kind.values, *asides()} if channel == "chat" else set()
                self.assertEqual(set(messages_of(channel, "send")), said)

    def test_it_has_every_code_with_which_we_close(self) -> None:
        names = ("UNAUTHENTICATED", "FORBIDDEN", "UNKNOWN", "FLOODED", "TRY_LATER")
        codes = {getattr(core_realtime, name) for name in names}
        told = {int(code) for one in document()["channels"].values() for code in one["x-close-codes"]}

        self.assertEqual(codes - told, set())

    def test_every_example_fits(self) -> None:
        for name, message in document()["components"]["messages"].items():
            with self.subTest(name):
                whole = {**message["payload"], "components": document()["components"]}
                validator = jsonschema_rs.Draft202012Validator(strict(whole), validate_formats=True)
                self.assertEqual(faults(validator, message["examples"][0]["payload"]), [])

    def payload(self, name: str) -> dict[str, Any]:
        payload: dict[str, Any] = document()["components"]["messages"][name]["examples"][0]["payload"]
        return payload

    def test_what_becomes_of_a_message_differs_in_its_examples(self) -> None:
        made, changed, gone = (self.payload(f"Message{one}") for one in ("Created", "Updated", "Deleted"))

        self.assertEqual({one["payload"]["id"] for one in (made, changed, gone)}, {made["payload"]["id"]})
        self.assertLess(made["revision"], changed["revision"])
        self.assertLess(changed["revision"], gone["revision"])
        for one in (made, changed, gone):
            self.assertEqual(one["revision"], one["payload"]["revision"])
        self.assertNotEqual(made["payload"]["text"], changed["payload"]["text"])
        self.assertIsNotNone(changed["payload"]["editedAt"])

    def test_it_takes_as_many_ids_as_the_inbox(self) -> None:
        ids = document()["components"]["messages"]["MarkRead"]["payload"]["properties"]["ids"]

        ReadSerializer(data={"ids": [1] * ids["maxItems"]}).is_valid(raise_exception=True)
        self.assertFalse(ReadSerializer(data={"ids": [1] * (ids["maxItems"] + 1)}).is_valid())

    def test_it_lets_keys_be_added_to_what_the_server_says_and_tests_do_not(self) -> None:
        for channel in CONSUMERS:
            for kind, schema in messages_of(channel, "send").items():
                with self.subTest(channel, kind=kind):
                    self.assertNotIn("additionalProperties", str(schema))
        self.assertEqual(problems("session", {"type": "pong"}), [])
        self.assertNotEqual(problems("session", {"type": "pong", "at": "noon"}), [])

    def test_every_socket_may_fail_by_a_fault_of_ours(self) -> None:
        for channel in document()["channels"].values():
            self.assertIn("1011", channel["x-close-codes"])


class ServingTests(TestCase):
    PATH: Final = "/api/schema/sockets/"

    @override_settings(API_DOCS_PUBLIC=True)
    def test_it_is_served_where_the_api_document_is(self) -> None:
        response = self.client.get(self.PATH)

        self.assertEqual(yaml.safe_load(response.content)["asyncapi"], "3.1.0")
        self.assertEqual(response.headers["Content-Type"], "application/yaml")
        self.assertIn(self.PATH, self.client.get("/api/schema/").content.decode())

    @override_settings(API_DOCS_PUBLIC=False)
    def test_else_it_is_for_staff_alone(self) -> None:
        self.assertIn(self.client.get(self.PATH).status_code, {401, 403})
        self.client.force_login(make_user(email="student@example.org"))
        self.assertEqual(self.client.get(self.PATH).status_code, 403)
        self.client.force_login(make_admin(is_staff=True))
        self.assertEqual(self.client.get(self.PATH).status_code, 200)


class SpokenTests(SocketCase):
    """Real sockets hear every kind of frame that the document tells of, and each fits."""

    def check(self, channel: str, frames: list[dict[str, Any]]) -> None:
        documented = messages_of(channel, "send")
        for frame in frames:
            with self.subTest(channel, type=frame["type"]):
                self.assertEqual(problems(channel, frame), [])
        self.assertEqual({frame["type"] for frame in frames}, set(documented))

    def compare(self, name: str, frames: list[dict[str, Any]], keys: set[str]) -> None:
        """Hold the keys of an example's message against those of what was really said."""
        message = document()["components"]["messages"][name]
        kind = message["payload"]["properties"]["type"]["const"]
        shown = message["examples"][0]["payload"]["payload"]
        said = next(frame["payload"] for frame in frames if frame["type"] == kind)
        self.assertEqual({key: said[key] for key in keys}, {key: shown[key] for key in keys})

    async def greeted(self, path: str) -> tuple[Socket, list[dict[str, Any]]]:
        socket = await self.knock(f"{path}?token={await self.token(self.student)}")
        return socket, [await socket.hears()]

    async def test_in_a_conversation(self) -> None:
        socket, frames = await self.greeted(self.path)
        other = await self.opened(self.friend)
        frames.append(await socket.asks({"action": "ping"}))
        frames.append(await socket.asks({"action": "dance"}))
        message = await self.post("Hello", replyTo=None, clientId="a1")
        await self.rest(self.friend, "put", f"/{message['id']}/reactions/🎉")
        await self.rest(self.student, "delete", f"/{message['id']}")
        await other.send_json_to({"action": "typing"})
        frames += [await socket.hears() for _ in range(4)]
        await self.act(self.read_all)
        frames.append(await socket.hears())
        await self.close(socket, other)

        self.check("chat", frames)
        self.compare("MessageDeleted", frames, SAME_WHEN_GONE)

    def read_all(self) -> None:
        mark_read(str(self.group.pk), by=self.friend, seq=None)

    async def test_in_an_inbox(self) -> None:
        await adeliver(self.student)
        path = "/ws/notifications/"
        socket = await self.knock(f"{path}?token={await self.token(self.student)}&after=0")
        frames = [await socket.hears(), await socket.hears()]
        frames.append(await socket.asks({"action": "mark_read"}))
        frames.append(await socket.asks({"action": "mark_read", "ids": "all"}))
        frames.append(await socket.asks({"type": "ping"}))
        await self.close(socket)

        self.check("notifications", frames)

    async def test_of_a_session(self) -> None:
        socket, frames = await self.greeted("/ws/session/")
        frames.append(await socket.asks({"action": "ping"}))
        frames.append(await socket.asks({"action": "dance"}))
        await self.close(socket)

        self.check("session", frames)
        shown = document()["components"]["messages"]["SessionRefused"]["examples"][0]["payload"]
        self.assertEqual(frames[-1], shown)
