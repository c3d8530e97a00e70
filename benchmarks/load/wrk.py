"""wrk: closed loops over a number of connections."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .calls import body_of

if TYPE_CHECKING:
    from .calls import Call
    from .servers import Server

SCRIPT: Final = Path(__file__).resolve().parent / "load.lua"
PLACE: Final = "NAME"  # in a body; each message has a name of its own there


@dataclass(frozen=True)
class Run:
    """What came of one run: whole requests, seconds, bytes, and latency in milliseconds."""

    requests: int
    seconds: float
    bytes: int
    refused: int
    broken: int
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def program() -> str:
    """Return where wrk is. Ends the process where it is nowhere."""
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit(
            "wrk is missing, and nothing is measured without it: scripts/install_dependencies.sh"
        )
    return found


def load(server: Server, call: Call, *, connections: int, seconds: int, copy: str = "") -> Run:
    """Send a call for so long; ``copy`` is an ETag to name. Ends the process at any answer of 400 or more."""
    headers = {**call.headers, **({"If-None-Match": copy} if copy else {})}
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as told:
        told.write(lua_of(call, headers))
        told.flush()
        answer = subprocess.run(  # noqa: S603 - wrk, on our own servers
            [
                *(program(), "--latency", "--timeout", "20s", "--duration", f"{seconds}s"),
                *("--connections", str(connections), "--threads", "1", "--script", str(SCRIPT)),
                *(f"http://127.0.0.1:{server.port}", "--", told.name),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    run = Run(**json.loads(answer.stdout.splitlines()[-1]))
    if run.refused or run.broken or not run.requests:
        raise SystemExit(f"{server.last_words()}\n{server.name}, {call.name}: {run}")
    return run


def lua_of(call: Call, headers: dict[str, str]) -> str:
    """Return the table that the script reads. JSON's strings, of ASCII alone, are Lua's."""
    targets = call.targets or [(call.path, call.token)]
    listed = ", ".join(
        f"{{path = {json.dumps(path)}, token = {json.dumps(token)}}}" for path, token in targets
    )
    fields = {**headers, "Content-Type": "application/json"} if call.is_post else headers
    written = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in fields.items())
    body = body_of(PLACE).decode() if call.is_post else ""
    return (
        f"return {{method = {json.dumps(call.method)}, name = {json.dumps(uuid.uuid4().hex)}, "
        f"body = {json.dumps(body)}, headers = {{{written}}}, targets = {{{listed}}}}}"
    )
