"""The servers that are measured, each with its processes: started on ports of their own, and ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Final

from .calls import body_of
from .environment import BIN, PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .calls import Call

PROCESSES: Final = 2
START_SECONDS: Final = 60
LAST_WORDS: Final = 3_000  # characters of a log
GUNICORN: Final = (str(BIN / "gunicorn"), "--config", "deploy/gunicorn.conf.py")
UVICORN: Final = (sys.executable, "-m", "uvicorn", "--log-level", "warning", "--host", "127.0.0.1")
COMMANDS: Final = {
    "ours": (*GUNICORN, "--workers", str(PROCESSES)),
    "bare WSGI": (*GUNICORN, "--workers", str(PROCESSES), "benchmarks.peer.bare_wsgi:app"),
    "peer": (*UVICORN, "--workers", str(PROCESSES), "benchmarks.peer.app:app"),
    "bare ASGI": (*UVICORN, "--workers", str(PROCESSES), "benchmarks.peer.bare_asgi:app"),
}
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A server that answers on a port of the loopback address."""

    name: str
    pid: int
    port: int
    log: Path

    @property
    def workers(self) -> list[int]:
        """Return who answers: the children that hold the application (uvicorn's other one tracks them)."""
        found = children(self.pid)
        return [pid for pid in found if b"resource_tracker" not in command_of(pid)]

    def cpu_seconds(self) -> float:
        """Return what its processes have used so far, the ended ones, too."""
        return family_cpu_seconds(self.pid)

    def memory_mib(self) -> list[float]:
        """Return the proportional share (PSS) of each worker."""
        return sorted(pss_mib(pid) for pid in self.workers)

    def answer(self, call: Call, **headers: str) -> tuple[dict[str, str], bytes]:
        """Return headers and body of one request. Ends the process at a status that is not the call's."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = body_of(uuid.uuid4().hex) if call.is_post else None
        content = {"Content-Type": "application/json"} if call.is_post else {}
        try:
            connection.request(call.method, call.path, body, {**call.headers, **content, **headers})
            response = connection.getresponse()
            told, status = response.read(), response.status
        finally:
            connection.close()
        if status not in {call.status, 304 if headers else call.status}:
            raise SystemExit(f"{self.last_words()}\n{self.name}, {call.name}: {status} {told[:500]!r}")
        return dict(response.getheaders()), told

    def last_words(self) -> str:
        """Return what it has told at the end, for whoever wants to know why."""
        return self.log.read_text(errors="replace")[-LAST_WORDS:]


def children(pid: int) -> list[int]:
    """Return the processes that one has forked, from any of its threads."""
    found: list[int] = []
    for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names are what is wanted
        with open(f"/proc/{pid}/task/{thread}/children") as listed:  # noqa: PTH123
            found += map(int, listed.read().split())
    return found


def command_of(pid: int) -> bytes:
    with open(f"/proc/{pid}/cmdline", "rb") as told:  # noqa: PTH123
        return told.read()


def used_seconds(pid: int) -> tuple[float, float]:
    """Return the CPU that a process has used, and that of its children that have ended."""
    with open(f"/proc/{pid}/stat") as told:  # noqa: PTH123
        fields = told.read().rpartition(")")[2].split()
    own, ended = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    return own / TICKS, ended / TICKS


def family_cpu_seconds(pid: int) -> float:
    """Return what a process and its children have used: what is a child's moves to it at the child's end."""
    return sum(used_seconds(pid)) + sum(used_seconds(child)[0] for child in children(pid))


def pss_mib(pid: int) -> float:
    with open(f"/proc/{pid}/smaps_rollup") as told:  # noqa: PTH123
        (line,) = [line for line in told if line.startswith("Pss:")]
    return int(line.split()[1]) / 1024


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    """Wait until it answers anything at all, with all of its workers there."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
            connection.request("GET", "/api/health/live/")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.2)
        else:
            if len(server.workers) >= PROCESSES:
                return
    raise SystemExit(f"{server.last_words()}\n{server.name} does not answer.")


@contextmanager
def serving(
    *names: str, folder: Path, environment: dict[str, str] | None = None
) -> Iterator[dict[str, Server]]:
    """Start servers, by their names in COMMANDS, and end them; each has a log in the folder."""
    with ExitStack() as ending:
        started = {}
        for name in names:
            port = free_port()
            bind = (
                ("--bind", f"127.0.0.1:{port}") if "gunicorn" in COMMANDS[name][0] else ("--port", str(port))
            )
            log = ending.enter_context((folder / f"{name}.log").open("wb"))
            process = subprocess.Popen(  # noqa: S603 - the commands above
                [*COMMANDS[name], *bind],
                cwd=PROJECT,
                env={**os.environ, **(environment or {})},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            ending.callback(process.wait)
            ending.callback(process.terminate)
            started[name] = Server(name, process.pid, port, folder / f"{name}.log")
            wait_for(started[name], process)
        yield started
