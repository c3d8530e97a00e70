"""A real gunicorn whose application takes its time to load, and releases beside each other."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unittest import skipUnless

from django.test import SimpleTestCase, tag

from btf_backend.tests.front import DEPLOY, HOST, START_SECONDS
from core.tests.clamd import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

# One folder a release, as an installation has them. The master loads `kept`, a request to /late loads `late`.
APPLICATION: Final = """\
import time
from kept import VERSION
time.sleep(0.5)
def application(environ, start_response):
    time.sleep(3 if environ["PATH_INFO"] == "/slow" else 0.02)
    if environ["PATH_INFO"] == "/late":
        import late
        assert late.VERSION == VERSION
    start_response("200 OK", [("Content-Length", "1")])
    return [VERSION]
"""
KEPT: Final = """\
from gunicorn.glogging import Logger
VERSION = b"{version}"
"""
LATE: Final = """\
VERSION = b"{version}"
"""


def has_children_files() -> bool:
    return any(Path("/proc/self/task").glob("*/children"))


def name_of(process: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/comm").read_text().strip()
    return ""


@tag("served")
@skipUnless(has_children_files(), "Linux alone tells whose child a process is.")
class ReloadCase(SimpleTestCase):
    """gunicorn by deploy/gunicorn.conf.py, which follows a link; ``roll`` gives it new workers."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="btf-reload-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.link = self.folder / "hub"
        self.release("1")
        self.port = free_port()
        gunicorn = Path(sys.executable).parent / "gunicorn"
        options = ["--bind", f"{HOST}:{self.port}", "--logger-class", "kept.Logger"]
        self.master = subprocess.Popen(  # noqa: S603 - ours
            [gunicorn, "--config", DEPLOY / "gunicorn.conf.py", *options, "slow"],
            cwd=self.link,
            env={**os.environ, "RELEASE_LINK": str(self.link)},
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(self.end)
        self.wait()

    def release(self, version: str) -> None:
        """Lay a release beside the others, and have the link lead to it at one stroke."""
        folder = self.folder / version
        folder.mkdir()
        for name, text in (("slow", APPLICATION), ("kept", KEPT), ("late", LATE)):
            (folder / f"{name}.py").write_text(text.replace("{version}", version), encoding="utf-8")
        following = self.folder / "next"
        following.symlink_to(version)
        following.rename(self.link)

    def end(self) -> None:
        self.master.terminate()
        self.master.wait()

    def wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.ask()
            except OSError:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)
            else:
                return

    def ask(self, path: str = "/") -> bytes:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def workers(self) -> set[int]:
        pid = self.master.pid
        return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def roll(self, *, patience: int = 120) -> subprocess.CompletedProcess[str]:
        """Run it as an operator does; ``slow`` stands for the product's own entry."""
        with self.rolling(patience=patience) as process:
            out, said = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, said)

    def rolling(self, *, patience: int = 120) -> subprocess.Popen[str]:
        code = (
            f"import sys, signal; sys.path.insert(0, {str(DEPLOY)!r}); import reload\n"
            f"reload.PATIENCE_SECONDS = {patience}\n"
            "for each in reload.STOPPING: signal.signal(each, reload.stop)\n"
            f"reload.roll({self.master.pid})"
        )
        return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)  # noqa: S603

    def release_that_hangs(self) -> None:
        self.release("2")
        (self.link / "slow.py").write_text("import time; time.sleep(600)", encoding="utf-8")

    def until(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not happened():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
