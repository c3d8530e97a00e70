"""A real clamd for tests: a private one, that knows the EICAR test string and nothing else."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from errno import EADDRINUSE
from pathlib import Path
from typing import Final

# In two halves: nobody's scanner shall take this file for what it is not.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STAN" + b"DARD-ANTIVIRUS-TEST-FILE!$H+H*"
START_SECONDS = 20
STREAM_BYTES = 1_048_576
# Below those that Linux and macOS give to outgoing connections, of which tests have many at any moment, and
# without 10080, where browsers do not go.
BELOW: Final = range(10_100, 30_000)
# Where Debian and brew put what is no command for everybody.
FOLDERS = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
CONFIGURATION = """\
Foreground yes
LocalSocket {folder}/s
DatabaseDirectory {folder}/db
TemporaryDirectory {folder}
StreamMaxLength {stream_bytes}
TCPAddr 127.0.0.1
TCPSocket {port}
"""


def program() -> str | None:
    """Return where clamd lies, or None."""
    return shutil.which("clamd", path=FOLDERS)


def free_port() -> int:
    """Return a port that was free a moment ago."""
    return free_ports(1)[0]


def free_ports(number: int) -> list[int]:
    """Return as many ports, each another, that were free a moment ago."""
    with ExitStack() as held:
        ports: list[int] = []
        while len(ports) < number:
            try:
                listener = socket.create_server(("127.0.0.1", secrets.choice(BELOW)))
            except OSError as error:
                if error.errno != EADDRINUSE:
                    raise
            else:
                ports.append(held.enter_context(listener).getsockname()[1])
        return ports


class Clamd:
    """One clamd in a folder of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="clamd-"))
        self.socket = self.folder / "s"
        (self.folder / "db").mkdir()
        (self.folder / "db" / "test.ndb").write_text(f"Eicar-Test:0:*:{EICAR.hex()}\n", encoding="ascii")
        self.port = free_port()
        values = {"folder": self.folder, "port": self.port, "stream_bytes": STREAM_BYTES}
        configuration = self.folder / "clamd.conf"
        configuration.write_text(CONFIGURATION.format(**values), encoding="utf-8")
        self.process = subprocess.Popen(  # noqa: S603 - clamd, and a path that we made
            [program() or "clamd", "--config-file", str(configuration)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.wait()

    def wait(self) -> None:
        """Return once it answers: its socket lies in the folder before anybody listens at it."""
        deadline = time.monotonic() + START_SECONDS
        while not (self.answers(str(self.socket)) and self.answers(("127.0.0.1", self.port))):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.end()
                message = "clamd did not start"
                raise RuntimeError(message)
            time.sleep(0.01)

    @staticmethod
    def answers(address: str | tuple[str, int]) -> bool:
        """Tell whether it says PONG there."""
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        with socket.socket(family) as connection:
            connection.settimeout(START_SECONDS)
            try:
                connection.connect(address)
                connection.sendall(b"zPING\0")
                return connection.recv(5) == b"PONG\0"
            except OSError:
                return False

    def end(self) -> None:
        """Kill it, frozen or not, and remove its folder."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
