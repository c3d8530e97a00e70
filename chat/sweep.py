"""The safety net below the channel layer: every few seconds a process asks what its sockets have not heard.

Two queries for all sockets of the process, as long as there are any: where each conversation stands and
whose rights may have changed, and the links of supervisors.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final, Protocol

from channels.db import database_sync_to_async
from django.db.models import Count, Max

from authentication.sweep import look_after_all
from core.exceptions import STORE_ERRORS
from groups.models import Group
from users.models import StudentSupervisor

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 2.0
GRACE_SECONDS: Final = 0.5  # in which an event may be on its way


class Watched(Protocol):
    """An open socket of somebody in a conversation."""

    cursor: int
    group_id: str
    user_id: int
    rights: Any
    turn: asyncio.Lock

    async def catch_up(self, revision: int) -> None: ...
    async def recheck(self) -> None: ...


sockets: set[Watched] = set()
sweepers: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}


def watch(socket: Watched) -> None:
    """Look after a socket. Call it in the socket's event loop."""
    sockets.add(socket)
    loop = asyncio.get_running_loop()
    if loop not in sweepers:
        sweepers[loop] = loop.create_task(sweep_while_watching(loop))


def unwatch(socket: Watched) -> None:
    sockets.discard(socket)


async def sweep_while_watching(loop: asyncio.AbstractEventLoop) -> None:
    try:
        while sockets:
            await asyncio.sleep(EVERY_SECONDS)
            await sweep()
    finally:
        del sweepers[loop]


async def sweep() -> None:
    """Have each socket ask again whose rights may have changed, and each read on that has fallen behind."""
    served = set(sockets)
    try:
        groups, links = await database_sync_to_async(standings)(
            {socket.group_id for socket in served}, {socket.user_id for socket in served}
        )
    except STORE_ERRORS as error:
        logger.warning("sweep_failed", extra={"store_error": type(error).__name__})
        return
    await look_after_all(look_after(socket, groups, links) for socket in served)


async def look_after(socket: Watched, groups: dict[str, Any], links: dict[int, Any]) -> None:
    revision, version = groups.get(socket.group_id, (0, None))
    rights = (version, links.get(socket.user_id))
    # The first time, too: rights may have changed since the socket was let in.
    if socket.rights != rights:
        await socket.recheck()
        socket.rights = rights
    if revision > socket.cursor:
        await asyncio.sleep(GRACE_SECONDS)
        if not socket.turn.locked():
            await socket.catch_up(revision)


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
