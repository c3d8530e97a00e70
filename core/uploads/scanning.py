"""Virus scanners: clamd by its socket, and a command. What they say stays with us (B89).

clamd's protocol is spoken here. Of its clients, ``clamd`` needs pkg_resources, which leaves setuptools;
``clamav-client`` is GPL, and bounds neither the connect to a local socket nor the whole of a scan.
"""

from __future__ import annotations

import logging
import os
import shlex
import signal
import socket
import struct
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from core.refusals import Unavailable
from core.uploads.policy import UploadRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.files.base import File
    from django.core.files.uploadedfile import UploadedFile

logger = logging.getLogger(__name__)

NOT_CHECKED: Final = "Files cannot be checked right now. Please try again in a moment."
PLACEHOLDER: Final = "{file}"
CONNECT_SECONDS: Final = 1.0
CHUNK_BYTES: Final = 65_536
REPLY_BYTES: Final = 4_096
# A scanner needs no key and no password of ours.
PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


class Silent(Exception):
    """A scanner said neither yes nor no."""


def is_configured() -> bool:
    """Tell whether files are scanned: then none is served that was not."""
    return bool(settings.CLAMD_SOCKET or settings.FILE_UPLOAD_SCAN_COMMAND)


def scan(file: UploadedFile[Any] | File[Any]) -> None:
    """Let a file pass that no configured scanner refuses; it is left at its beginning.

    Raises UploadRefused (400), or Unavailable (503) where a scanner fails, or where all of them
    together take longer than FILE_UPLOAD_SCAN_SECONDS.
    """
    deadline = time.monotonic() + settings.FILE_UPLOAD_SCAN_SECONDS
    for name, is_clean, configured in (
        ("clamd", clamd_passes, settings.CLAMD_SOCKET),
        ("command", command_passes, settings.FILE_UPLOAD_SCAN_COMMAND),
    ):
        if not configured:
            continue
        try:
            passed = is_clean(file, deadline)
        except (OSError, Silent, subprocess.TimeoutExpired) as error:
            logger.warning("scanner_failed", extra={"scanner": name, "fault": fault_of(error)})
            raise Unavailable(NOT_CHECKED) from error
        finally:
            file.seek(0)
        if not passed:
            logger.warning("scanner_refused_file", extra={"scanner": name})
            raise UploadRefused


def fault_of(error: Exception) -> str:
    """Return the fault's kind alone: an OSError's text names files."""
    return str(error) if isinstance(error, Silent) else type(error).__name__


def seconds_to(deadline: float) -> float:
    """Return what is left of the time. Raises TimeoutError once nothing is."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def chunks_of(file: UploadedFile[Any] | File[Any]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def clamd_passes(file: UploadedFile[Any] | File[Any], deadline: float) -> bool:
    """Ask clamd (INSTREAM). Raises OSError, or Silent: it cannot scan this, or is not what it should be."""
    with connection_to(clamd_address(settings.CLAMD_SOCKET), deadline) as connection:
        connection.sendall(b"zINSTREAM\0")
        for chunk in chunks_of(file):
            connection.settimeout(seconds_to(deadline))
            connection.sendall(struct.pack("!L", len(chunk)) + chunk)
        connection.sendall(struct.pack("!L", 0))
        reply = reply_of(connection, deadline)
    if reply.endswith(b" FOUND"):
        return False
    if reply == b"stream: OK":
        return True
    message = "no verdict"
    raise Silent(message)


def reply_of(connection: socket.socket, deadline: float) -> bytes:
    """Read up to the NUL that ends a reply, or to where the line is cut."""
    reply = b""
    while b"\0" not in reply and len(reply) < REPLY_BYTES:
        connection.settimeout(seconds_to(deadline))
        received = connection.recv(REPLY_BYTES)
        if not received:
            break
        reply += received
    return reply.partition(b"\0")[0]


def connection_to(address: str | tuple[str, int], deadline: float) -> socket.socket:
    patience = min(CONNECT_SECONDS, seconds_to(deadline))
    if not isinstance(address, str):
        return socket.create_connection(address, patience)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(patience)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def clamd_address(text: str) -> str | tuple[str, int]:
    """Read CLAMD_SOCKET: the path of a local socket, or ``host:port``. Raises ValueError."""
    if text.startswith("/"):
        return text
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        message = "neither a path nor host:port"
        raise ValueError(message)
    return host.strip("[]"), int(port)


def command_passes(file: UploadedFile[Any] | File[Any], deadline: float) -> bool:
    """Run the command on a copy of the file; exit status 0 lets it pass.

    Raises OSError or TimeoutExpired, or Silent: a signal ended it, which is no verdict.
    """
    with tempfile.NamedTemporaryFile(prefix="scan-") as copy:
        for chunk in chunks_of(file):
            copy.write(chunk)
        copy.flush()
        status = exit_status(scan_arguments(settings.FILE_UPLOAD_SCAN_COMMAND, copy.name), deadline)
    if status < 0:
        message = "ended by a signal"
        raise Silent(message)
    return status == 0


def scan_arguments(template: str, path: str) -> list[str]:
    """Return the command's words, the path in place of ``{file}``. Raises ValueError: a quote stays open."""
    return [word.replace(PLACEHOLDER, path) for word in shlex.split(template)]


def exit_status(arguments: list[str], deadline: float) -> int:
    """Run a command without a shell; what it has not ended in time is killed, with all that it started."""
    process = subprocess.Popen(  # noqa: S603 - the operator's command, and a path that we made
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
        start_new_session=True,
    )
    try:
        return process.wait(timeout=seconds_to(deadline))
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
