"""The export of everybody: how long it takes, when it begins, and how far a worker grows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .calls import Call
    from .servers import Server

PIECE: Final = 65_536
PATH: Final = "/api/admin/users/export/"
FORGET_PEAK: Final = "5"


@dataclass(frozen=True)
class Export:
    """One download; ``first_byte_ms`` is that of the body, ``grown_mib`` what the worker's peak rose by."""

    rows: int
    bytes: int
    seconds: float
    first_byte_ms: float
    grown_mib: float


def export(server: Server, admin: Call) -> Export:
    """Download the table of all people, and keep nothing of it."""
    before = {pid: memory_mib(pid, "VmRSS") for pid in server.workers}
    for pid in before:
        Path(f"/proc/{pid}/clear_refs").write_text(FORGET_PEAK)
    connection = HTTPConnection("127.0.0.1", server.port, timeout=300)
    began = time.perf_counter()
    connection.request("GET", PATH, headers={**admin.headers, "Accept": "*/*"})
    response = connection.getresponse()
    first = response.read(1)
    first_byte_ms = (time.perf_counter() - began) * 1000
    size, rows = len(first), 0
    while piece := response.read(PIECE):
        size, rows = size + len(piece), rows + piece.count(b"\n")
    seconds = time.perf_counter() - began
    connection.close()
    if response.status != 200 or not rows:  # noqa: PLR2004
        raise SystemExit(f"The export answers {response.status} with {rows} rows.")
    grown = max(memory_mib(pid, "VmHWM") - rss for pid, rss in before.items())
    return Export(rows - 1, size, seconds, first_byte_ms, max(grown, 0.0))


def memory_mib(pid: int, field: str) -> float:
    """Return VmRSS (now) or VmHWM (the peak since it was last forgotten)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{field}:")]
    return int(line.split()[1]) / 1024
