"""New code without a gap: deploy/reload.py on a real gunicorn, whose application takes its time to load."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Final
from unittest import skipUnless

from django.test import SimpleTestCase

from btf_backend.tests.front import DEPLOY, HOST, START_SECONDS
from core.tests.clamd import free_port

APPLICATION: Final = """\
import time
time.sleep(0.5)
def application(environ, start_response):
    time.sleep(0.02)
    start_response("200 OK", [("Content-Length", "1")])
    return [b"{version}"]
"""


def has_children_files() -> bool:
    return any(Path("/proc/self/task").glob("*/children"))


@skipUnless(has_children_files(), "Linux alone tells whose child a process is.")
class ReloadTests(SimpleTestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="btf-reload-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.write("1")
        self.port = free_port()
        gunicorn = Path(sys.executable).parent / "gunicorn"
        self.master = subprocess.Popen(  # noqa: S603 - ours
            [gunicorn, "--config", DEPLOY / "gunicorn.conf.py", "--bind", f"{HOST}:{self.port}", "slow"],
            cwd=self.folder,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(self.end)
        self.wait()

    def write(self, version: str) -> None:
        (self.folder / "slow.py").write_text(APPLICATION.format(version=version), encoding="utf-8")

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

    def ask(self) -> bytes:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=20)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read()
        finally:
            connection.close()

    def workers(self) -> set[int]:
        pid = self.master.pid
        return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def roll(self) -> subprocess.CompletedProcess[str]:
        """Run it as an operator does; ``slow`` stands for the product's own entry."""
        code = (
            f"import sys; sys.path.insert(0, {str(DEPLOY)!r}); import reload; reload.roll({self.master.pid})"
        )
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603

    def test_requests_go_on_while_the_workers_change(self) -> None:
        old = self.workers()
        self.write("2")
        answers: Counter[bytes] = Counter()
        stop = threading.Event()

        def go_on() -> None:
            while not stop.is_set():
                try:
                    answers[self.ask()] += 1
                except OSError as error:
                    answers[str(error).encode()] += 1

        callers = [threading.Thread(target=go_on) for _ in range(4)]
        for caller in callers:
            caller.start()
        said = self.roll()
        stop.set()
        for caller in callers:
            caller.join()

        self.assertEqual((said.returncode, said.stderr), (0, ""))
        self.assertEqual(set(answers), {b"1", b"2"})
        self.assertEqual(len(self.workers()), len(old))
        self.assertFalse(self.workers() & old)
        self.assertEqual(self.ask(), b"2")

    def test_code_that_does_not_start_takes_nobody_away(self) -> None:
        """Its first step, in a folder where the product cannot be imported."""
        old = self.workers()

        said = subprocess.run(  # noqa: S603 - ours
            [sys.executable, DEPLOY / "reload.py", str(self.master.pid)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

        self.assertEqual(said.returncode, 1)
        self.assertEqual(
            said.stderr.splitlines()[-1], "reload.py: the new code does not start; the old one goes on"
        )
        self.assertEqual((self.workers(), self.ask()), (old, b"1"))
