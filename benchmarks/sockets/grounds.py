"""What the benchmark of sockets stands on: a group of many, the servers, and who listens to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults import Server

    from groups.models import Group
    from users.models import User

HERE: Final = Path(__file__).resolve().parent
TICKS: Final = os.sysconf("SC_CLK_TCK")


class Ears:
    """The process of those who listen: ``sockets`` or ``redis``."""

    def __init__(self, kind: str) -> None:
        self.process: subprocess.Popen[str] = subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, str(HERE / "listeners.py"), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **order: Any) -> Any:
        pipe: IO[str] | None = self.process.stdin
        answers: IO[str] | None = self.process.stdout
        assert pipe is not None  # noqa: S101 - both were asked for
        assert answers is not None  # noqa: S101
        pipe.write(json.dumps(order) + "\n")
        pipe.flush()
        line = answers.readline()
        if not line:
            raise SystemExit(f"The listeners are gone; they were told {list(order)}")
        return json.loads(line)

    def leave(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(60)


def make_members(people: int) -> tuple[Group, list[User], list[str]]:
    """Store a group with so many members, each signed in; return it, them, and their access tokens."""
    from django.utils import timezone

    from authentication.models import SignInSession
    from authentication.tokens import access_for
    from groups.models import Group, GroupMember
    from users.models import User

    group = Group.objects.create(id="FANOUT", name="All of them", status="active")
    users = User.objects.bulk_create(
        User(username=f"f{n}", email=f"f{n}@example.org", first_name="Ada", last_name=str(n), status="active")
        for n in range(people)
    )
    GroupMember.objects.bulk_create(GroupMember(group=group, user=user) for user in users)
    ends = timezone.now() + timedelta(days=7)
    sessions = SignInSession.objects.bulk_create(SignInSession(user=user, expires_at=ends) for user in users)
    tokens = [access_for(user, session) for user, session in zip(users, sessions, strict=True)]
    return group, users, tokens


@contextmanager
def ringing_by(ring: Callable[[str, dict[str, Any]], bool]) -> Iterator[None]:
    """Have what this process posts rung out by ``ring``; the server's own process is as it is."""
    with patch("chat.realtime.send_to_room", ring):
        yield


@contextmanager
def at_once() -> Iterator[None]:
    """Commit all that is posted inside together: else the server's sweep tells some before it is rung out."""
    from django.db import transaction

    together = transaction.atomic()
    # As in a test: what posts would not be part of anything larger.
    together._from_testcase = True  # type: ignore[attr-defined]  # noqa: SLF001
    with together:
        yield


def cpu_seconds(server: Server) -> float:
    """Return what a server has used of the processors."""
    fields = Path(f"/proc/{pid_of(server)}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def own_kib(server: Server) -> int:
    """Return a server's memory in KiB, of shared pages its part (PSS)."""
    lines = Path(f"/proc/{pid_of(server)}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def pid_of(server: Server) -> int:
    assert server.process is not None  # noqa: S101 - it was started
    return server.process.pid
