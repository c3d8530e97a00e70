"""What open sockets are told, once it is committed: that the group is gone, or to ask again who they are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.db import transaction
from django.test import TransactionTestCase

from authentication.sessions import open_session
from btf_backend.routing import application
from core.realtime import room_of_group, room_of_user
from core.refusals import Refused
from groups.models import Group, NewMember
from groups.services.members import add_members, remove_member
from groups.services.teams import archive_group, change_group
from groups.tests.factories import make_group
from users.services.erasure import erase_person
from users.services.links import change_link, link_people, unlink
from users.tests.factories import make_admin, make_link, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

CLOSED: Final = {"type": "socket.close", "code": 4404, "session": None}
RECHECK: Final = {"type": "socket.recheck"}


class SocketCase(TransactionTestCase):
    """A group and its people, and ears in the rooms of the real channel layer."""

    def setUp(self) -> None:
        self.admin, self.student = make_admin(), make_user()
        self.mentor, self.successor = (make_user(role="mentor", status="active") for _ in range(2))
        self.group = make_group(members=[self.student], mentor=self.mentor)
        self.room = room_of_group(self.group.room)

    async def heard(self, room: str, act: Callable[[], Any]) -> list[dict[str, Any]]:
        """Return what is said in a room while ``act`` runs: all of it, by a last word of our own."""
        layer: Any = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(room, channel)
        await sync_to_async(act)()
        await layer.group_send(room, {"type": "last.word"})
        events: list[dict[str, Any]] = []
        while (event := await layer.receive(channel))["type"] != "last.word":
            events.append(event)
        await layer.group_discard(room, channel)
        return events


class GroupRoomTests(SocketCase):
    async def test_archiving_closes_the_groups_sockets(self) -> None:
        """B42: nobody stays in the room of a group that is gone."""
        self.assertEqual(
            await self.heard(self.room, lambda: archive_group(self.group, by=self.admin)), [CLOSED]
        )

    async def test_removing_a_member_has_all_ask_again(self) -> None:
        """SAFETY B29."""
        user_id = self.student.pk
        events = await self.heard(
            self.room, lambda: remove_member(self.group, by=self.admin, user_id=user_id)
        )

        self.assertEqual(events, [RECHECK])

    async def test_replacing_the_mentor_has_all_ask_again(self) -> None:
        for mentor_id in (self.successor.pk, None):
            events = await self.heard(
                self.room,
                partial(change_group, self.group, by=self.admin, values={"mentor_id": mentor_id}),
            )
            self.assertEqual(events, [RECHECK])

    async def test_erasing_a_member_has_all_ask_again_who_saw_the_group_through_them(self) -> None:
        events = await self.heard(self.room, lambda: erase_person(self.student, by=self.admin))

        self.assertEqual(events, [RECHECK])

    async def test_what_takes_nobodys_right_says_nothing(self) -> None:
        acts: list[Callable[[], Any]] = [
            lambda: change_group(self.group, by=self.admin, values={"name": "New"}),
            lambda: change_group(self.group, by=self.admin, values={"mentor_id": self.mentor.pk}),
            lambda: add_members(self.group, by=self.admin, members=[NewMember(self.successor.pk)]),
        ]
        for act in acts:
            self.assertEqual(await self.heard(self.room, act), [])

    async def test_another_groups_room_hears_nothing(self) -> None:
        other = await sync_to_async(make_group)(members=[self.student])

        self.assertEqual(
            await self.heard(room_of_group(other.room), lambda: archive_group(self.group, by=self.admin)), []
        )

    async def test_what_is_rolled_back_or_refused_says_nothing(self) -> None:
        def undone() -> None:
            with transaction.atomic():
                remove_member(self.group, by=self.admin, user_id=self.student.pk)
                change_group(self.group, by=self.admin, values={"mentor_id": self.successor.pk})
                archive_group(self.group, by=self.admin)
                transaction.set_rollback(True)

        def refused() -> None:
            for act in (
                lambda: remove_member(self.group, by=self.admin, user_id=self.mentor.pk),
                lambda: change_group(self.group, by=self.admin, values={"mentor_id": self.student.pk}),
            ):
                self.assertRaises(Refused, act)

        for act in (undone, refused):
            self.assertEqual(await self.heard(self.room, act), [])
        self.assertTrue(await Group.objects.filter(pk=self.group.pk, mentor=self.mentor).aexists())


class SupervisorRoomTests(SocketCase):
    def setUp(self) -> None:
        super().setUp()
        self.supervisor, self.other = (make_user(role="supervisor") for _ in range(2))
        self.link = make_link(self.student, self.supervisor)
        self.room = room_of_user(self.supervisor.pk)

    async def test_taking_the_link_away_has_the_supervisor_ask_again(self) -> None:
        self.assertEqual(await self.heard(self.room, lambda: unlink(self.link, by=self.admin)), [RECHECK])

    async def test_giving_the_link_to_somebody_else_does_too(self) -> None:
        for values in ({"student": await sync_to_async(make_user)()}, {"supervisor": self.other}):
            events = await self.heard(
                self.room,
                partial(change_link, self.link, by=self.admin, values=values, granted=None),
            )
            self.assertEqual(events, [RECHECK])

    async def test_what_leaves_the_supervisor_as_they_are_says_nothing(self) -> None:
        def undone() -> None:
            with transaction.atomic():
                unlink(self.link, by=self.admin)
                transaction.set_rollback(True)

        def rest() -> None:
            change_link(self.link, by=self.admin, values={"notes": "x"}, granted=True)
            link_people(by=self.admin, granted=False, student=make_user(), supervisor=self.supervisor)

        for act in (undone, rest):
            self.assertEqual(await self.heard(self.room, act), [])

    async def test_a_socket_of_the_session_alone_stays_open(self) -> None:
        token = (await sync_to_async(open_session)(self.supervisor, user_agent="")).access
        socket = WebsocketCommunicator(application, f"/ws/session/?token={token}")
        self.assertTrue((await socket.connect())[0])
        await socket.receive_json_from()

        await sync_to_async(unlink)(self.link, by=self.admin)

        self.assertTrue(await socket.receive_nothing(timeout=0.2))
        await socket.send_json_to({"type": "ping"})
        self.assertEqual(await socket.receive_json_from(), {"type": "pong"})
        await socket.disconnect()
