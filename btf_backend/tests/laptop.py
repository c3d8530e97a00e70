"""What ``make run`` starts, for tests: an embedded server with demo data, in a copy of the tree."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings

# What a fresh clone does not have, beside whatever begins with a point.
LEFT_OUT: Final = {"db.sqlite3", "db.sqlite3-shm", "db.sqlite3-wal", "media", "staticfiles"}
READY_SECONDS: Final = 60
RUN_LOG: Final = "run.log"


def left_out(folder: str, names: list[str]) -> list[str]:
    """Say what is not copied: of the first level what is nobody's source, below it what npm has installed."""
    if Path(folder) != settings.BASE_DIR:
        return [name for name in names if name == "node_modules"]
    return [name for name in names if name in LEFT_OUT or name.startswith(".")]


class Laptop:
    """A copy with a database and files of its own, in ``folder``; what the server says is in ``run.log``."""

    def __init__(self) -> None:
        self.room = tempfile.TemporaryDirectory(prefix="btf-laptop-")
        self.folder = Path(self.room.name) / "hub"
        shutil.copytree(settings.BASE_DIR, self.folder, ignore=left_out)
        (self.folder / ".venv").symlink_to(sys.prefix)
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.base = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.manage("migrate", "--verbosity", "0")
        self.manage("seed_demo_data")
        shutil.copy(self.folder / "db.sqlite3", self.folder / "first.sqlite3")

    @property
    def environment(self) -> dict[str, str]:
        """Nobody's settings: those of a fresh clone."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            "ENV_FILE": os.devnull,
            "FRONTEND_BASE_URL": self.base,
            "PYTHONUNBUFFERED": "1",
        }

    def manage(self, *words: str) -> None:
        command = [sys.executable, "manage.py", *words]
        options: Any = {"cwd": self.folder, "env": self.environment, "capture_output": True, "text": True}
        done = subprocess.run(command, **options, check=False, timeout=120)  # noqa: S603 - ours
        if done.returncode:
            raise RuntimeError(done.stderr)

    def forget(self) -> None:
        """Have the database be as it was at first. The server is not running."""
        for path in self.folder.glob("db.sqlite3*"):
            path.unlink()
        shutil.copy(self.folder / "first.sqlite3", self.folder / "db.sqlite3")

    def start(self, **environment: str) -> None:
        """Return when the server answers. Its budgets, which are in memory, are new each time."""
        self.log = (self.folder / RUN_LOG).open("wb")
        self.process = subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, "manage.py", "runserver", "--noreload", self.base.removeprefix("http://")],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdout=self.log,
            stderr=self.log,
        )
        until = time.monotonic() + READY_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(self.told())
            time.sleep(0.1)

    def answers(self) -> bool:
        try:
            with urlopen(f"{self.base}/api/health/live/", timeout=5) as answer:  # noqa: S310 - our own server
                return bool(answer.status == 200)
        except URLError:
            return False

    def told(self) -> str:
        """Return what the server has said, mails among it, since it was started."""
        return (self.folder / RUN_LOG).read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()

    def remove(self) -> None:
        self.room.cleanup()
