"""Earlier releases of this repository, each laid out in a folder of its own, in the same environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from faults import ENVIRONMENT, PROJECT, Server
from world import Person, World

if TYPE_CHECKING:
    from collections.abc import Iterator

DRILLS: Final = Path(__file__).resolve().parent
# Runs in the release's folder, by its models: whatever a row of a message had by then.
MAKE_WORLD: Final = """
import dataclasses, json, sys
import django
django.setup()
sys.path.append(sys.argv[1])
from world import make_world
from chat.models import Message
from groups.models import Group
world = make_world(int(sys.argv[2]), events=10)
columns = {field.name for field in Message._meta.fields} & {"seq", "revision", "posted_revision"}
old = Group.objects.create(id="OLD1", name="Old")
for start in range(0, int(sys.argv[3]), 1000):
    Message.objects.bulk_create(
        Message(group=old, author_id=world.admin.id, text="x" * 200, client_id=f"old-{n}",
                **dict.fromkeys(columns, n))
        for n in range(start + 1, start + 1001)
    )
print(json.dumps(dataclasses.asdict(world)))
"""


def git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=PROJECT, capture_output=True, check=True).stdout  # noqa: S603, S607


def migrations_at(revision: str) -> set[str]:
    return {name for name in git("ls-tree", "-r", "--name-only", revision).decode().split() if is_one(name)}


def migrations_now() -> set[str]:
    return {str(path.relative_to(PROJECT)) for path in PROJECT.glob("*/migrations/0*.py")}


def is_one(name: str) -> bool:
    return Path(name).match("*/migrations/0*.py")


def previous_release() -> str:
    """Return PREVIOUS, else the newest commit that has other migrations than the folder now, and starts.

    Within a change that was committed in parts, one may import what the next brings.
    """
    if given := os.environ.get("PREVIOUS"):
        return given
    today = migrations_now()
    for revision in git("rev-list", "--first-parent", "HEAD").decode().split():
        if migrations_at(revision) != today and starts(revision):
            return revision
    raise SystemExit("No commit that starts has other migrations than today's")


def starts(revision: str) -> bool:
    with exported(revision) as folder:
        command = [sys.executable, "manage.py", "check"]
        there = {**os.environ, **ENVIRONMENT}
        done = subprocess.run(command, cwd=folder, env=there, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        print("passed over, since it does not start:", revision[:7])
    return not done.returncode


@contextmanager
def exported(revision: str) -> Iterator[Path]:
    """Lay out what a revision holds; the folder goes with the block."""
    with tempfile.TemporaryDirectory(prefix="btf-release-") as folder:
        # Not tarfile: Python 3.11 has had its safe way of unpacking since 3.11.4, and Debian 12 has 3.11.2.
        subprocess.run(["tar", "-x", "-C", folder], input=git("archive", revision), check=True)  # noqa: S603, S607
        yield Path(folder)


def run(folder: Path, *command: str, **variables: str) -> tuple[str, float]:
    """Run Python in a release's folder; return what it said, and its seconds. A failure ends the drill.

    ``variables`` are told it beside those of this process.
    """
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - the drill's own commands
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command[:2]} in {folder}:\n{(done.stdout + done.stderr)[-3_000:]}")
    return done.stdout + done.stderr, time.monotonic() - began


def make_old_world(folder: Path, *, people: int, messages: int) -> World:
    text, _ = run(folder, "-W", "ignore", "-c", MAKE_WORLD, str(DRILLS), str(people), str(messages))
    made = json.loads(next(line for line in text.splitlines() if line.startswith('{"people"')))
    return World([Person(**one) for one in made["people"]], Person(**made["admin"]), made["events"])


def of(server: Server, folder: Path) -> Server:
    """Return a server that runs a release's code, by its own configuration if it has one."""
    server.folder = folder
    server.command = [
        str(PROJECT / word) if word.startswith("deploy/") and not (folder / word).exists() else word
        for word in server.command
    ]
    return server
