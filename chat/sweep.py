"""Below the rings of rooms: every few seconds a process asks what sockets have not heard."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

from django.db.models import Count, Max

from core.sweep import Sweeper, side_by_side
from core.threads import in_database
from groups.models import Group
from users.models import StudentSupervisor

GRACE_SECONDS: Final = 0.5  # in which an event may be on its way


class Watched(Protocol):
    """An open socket of somebody in a conversation."""

    cursor: int
    group_id: str
    user_id: int
    rights: Any
    turn: asyncio.Lock  # while it is told something
    door: asyncio.Lock  # while its rights are asked for

    async def catch_up(self, revision: int) -> None: ...
    async def recheck(self) -> None: ...


class ConversationSweeper(Sweeper[Watched]):
    """Has each socket ask again whose rights may have changed, and each read on that has fallen behind.

    Two queries for all: where each conversation stands with who may be in it, and supervisors' links.
    """

    every_seconds = 2.0

    async def look_after(self, sockets: set[Watched]) -> None:
        groups, links = await in_database(standings)(
            {socket.group_id for socket in sockets}, {socket.user_id for socket in sockets}
        )
        asking, behind = [], []
        for socket in sockets:
            revision, rights = standing_in(socket, groups, links)
            if socket.rights != rights:
                asking.append(bring_up_to_date(socket, groups, links))
            elif revision > socket.cursor:
                behind.append((socket, revision))
        await side_by_side([*asking, bring_on(behind)])


sweeper = ConversationSweeper()


def standing_in(socket: Watched, groups: dict[str, Any], links: dict[int, Any]) -> tuple[int, Any]:
    """Return where the conversation of a socket stands, and what its rights hang on."""
    revision, version = groups.get(socket.group_id, (0, None))
    return revision, (version, links.get(socket.user_id))


async def bring_up_to_date(socket: Watched, groups: dict[str, Any], links: dict[int, Any]) -> None:
    """Have a socket ask again whose rights may have changed, and then read on.

    Also in its first round: they may have changed since it was let in.
    """
    revision, rights = standing_in(socket, groups, links)
    if socket.rights != rights:
        # Before it has asked: that takes longer than a round where many do.
        known, socket.rights = socket.rights, rights
        try:
            await socket.recheck()
        except BaseException:
            socket.rights = known
            raise
    await bring_on([(socket, revision)])


async def bring_on(behind: list[tuple[Watched, int]]) -> None:
    """Have those read on to a revision who are still behind when what is on its way has come.

    One waits for all of them: at any moment a thousand may be about to hear of a message. Whoever is being
    told something is left to a later round, and so is whoever may have no right to it any more.
    """
    if any(revision > socket.cursor for socket, revision in behind):
        await asyncio.sleep(GRACE_SECONDS)
    await side_by_side(
        socket.catch_up(revision)
        for socket, revision in behind
        if revision > socket.cursor and not (socket.turn.locked() or socket.door.locked())
    )


def standings(group_ids: set[str], user_ids: set[int]) -> tuple[dict[str, Any], dict[int, Any]]:
    """Return revision and version of rights by group, and what stands for the links of each supervisor."""
    groups = Group.objects.filter(pk__in=group_ids).values_list(
        "pk", "conversation__last_revision", "access_version"
    )
    links = (
        StudentSupervisor.objects.filter(supervisor__in=user_ids)
        .order_by()
        .values_list("supervisor")
        .annotate(count=Count("pk"), latest=Max("updated_at"))
    )
    return (
        {pk: (revision or 0, version) for pk, revision, version in groups},
        {user: (count, latest) for user, count, latest in links},
    )
