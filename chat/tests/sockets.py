"""A conversation with real sockets: opening them, and what each of them hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.core.cache import cache
from django.test import TransactionTestCase
from django.urls import reverse

from authentication.sessions import open_session
from authentication.tests.sockets import PatientSocket
from btf_backend.routing import application
from chat.tests.factories import make_message
from core.realtime import room_of_group
from groups.tests.cases import call
from groups.tests.factories import make_group
from users.tests.factories import make_admin, make_link, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat.models import Message
    from users.models import User

    Frame = dict[str, Any]

PATIENCE: Final = 10  # seconds
LAST_WORD: Final = "last.word"


class Socket(PatientSocket):
    """A client's end of a socket."""

    async def hears(self) -> Frame:
        frame: Frame = await self.receive_json_from(timeout=PATIENCE)
        return frame

    async def asks(self, frame: Any) -> Frame:
        """Send a frame and return the next that comes."""
        await self.send_json_to(frame)
        return await self.hears()

    async def close_code(self) -> int:
        """Return with what the server closes; what it sends before is passed over."""
        while (output := await self.receive_output(timeout=PATIENCE))["type"] != "websocket.close":
            pass
        return int(output["code"])


class SocketCase(TransactionTestCase):
    """A group with a mentor, two students, a linked supervisor; an admin, and an outsider."""

    def setUp(self) -> None:
        cache.clear()
        self.admin = make_admin(first_name="Ann", last_name="Desk")
        self.mentor = make_user(role="mentor", status="active", first_name="Max", last_name="Planck")
        self.student = make_user(first_name="Ada", last_name="Lovelace")
        self.friend = make_user(first_name="Bo")
        self.outsider = make_user(first_name="Eve")
        self.supervisor = make_user(role="supervisor", status="active", first_name="Vera")
        self.link = make_link(self.student, self.supervisor)
        self.group = make_group(mentor=self.mentor, members=[self.student, self.friend])
        self.path = f"/ws/chat/groups/{self.group.pk}/"
        self.url = reverse("chat:group-messages", args=[self.group.pk])

    def write(self, **fields: Any) -> Message:
        """Store a message of the student's, unannounced."""
        return make_message(**{"group": self.group, "author": self.student, **fields})

    async def token(self, user: User) -> str:
        return (await sync_to_async(open_session)(user, user_agent="")).access

    async def knock(self, path: str, **headers: str) -> Socket:
        """Open a socket that is accepted, whatever comes then."""
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        socket = Socket(application, path, headers=pairs)
        self.assertTrue((await socket.connect(timeout=PATIENCE))[0])
        return socket

    async def refusal(self, path: str, **headers: str) -> int:
        """Return the code with which a socket is closed that was accepted."""
        return await (await self.knock(path, **headers)).close_code()

    async def opened(self, user: User, after: int | None = None) -> Socket:
        """Open somebody's socket, past its greeting."""
        more = "" if after is None else f"&after={after}"
        socket = await self.knock(f"{self.path}?token={await self.token(user)}{more}")
        self.assertEqual((await socket.hears())["type"], "connection.established")
        return socket

    async def act(self, do: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await sync_to_async(do)(*args, **kwargs)

    async def rest(self, who: User, method: str, path: str = "", body: Any = None) -> Any:
        """Call the conversation over HTTP; return what was answered, of which all is well."""
        response = await self.act(call, who, method, self.url + path, body)
        self.assertLess(response.status_code, 300, response.content)
        return response.json() if response.content else None

    async def post(self, text: str, who: User | None = None, **body: Any) -> Any:
        return await self.rest(who or self.student, "post", body={"text": text, **body})

    async def heard(self, *sockets: Socket) -> list[list[Frame]]:
        """Return what each socket has heard until now."""
        layer: Any = get_channel_layer()
        word = {"type": "chat.aside", "kind": LAST_WORD, "payload": {"user": {"id": 0}}}
        await layer.group_send(room_of_group(self.group.room), word)
        return [await self.until_last_word(socket) for socket in sockets]

    async def until_last_word(self, socket: Socket) -> list[Frame]:
        frames: list[Frame] = []
        while (frame := await socket.hears())["type"] != LAST_WORD:
            frames.append(frame)
        return frames

    async def close(self, *sockets: Socket) -> None:
        for socket in sockets:
            await socket.disconnect(timeout=PATIENCE)
