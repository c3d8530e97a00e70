"""New code without a gap: deploy/reload.py on a real gunicorn, whose application takes its time to load."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unittest import skipUnless

from django.test import SimpleTestCase

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
    time.sleep(0.02)
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


@skipUnless(has_children_files(), "Linux alone tells whose child a process is.")
class ReloadTests(SimpleTestCase):
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

    def test_requests_go_on_while_the_workers_change(self) -> None:
        old = self.workers()
        self.release("2")
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

    def test_what_runs_stays_with_the_release_that_it_began_with(self) -> None:
        self.release("2")

        self.assertEqual({self.ask("/late") for _ in range(8)}, {b"1"})

    def test_new_workers_have_nothing_of_the_release_before(self) -> None:
        """Not even what the master has loaded of it."""
        self.release("2")
        self.assertEqual(self.roll().stderr, "")
        self.release("3")
        self.assertEqual(self.roll().stderr, "")

        self.assertEqual({self.ask("/late") for _ in range(8)}, {b"3"})

    def test_the_old_ones_go_on_where_the_new_ones_never_serve(self) -> None:
        """To take one away is, for gunicorn, to take the oldest: that left those that hang."""
        old = self.workers()
        self.release_that_hangs()

        said = self.roll(patience=2)

        self.assertEqual((said.returncode, said.stderr), (1, "reload.py: no new worker serves within 2 s\n"))
        self.until(lambda: self.workers() == old)
        self.assertEqual({self.ask() for _ in range(8)}, {b"1"})

    def test_the_old_ones_go_on_where_it_is_stopped(self) -> None:
        old = self.workers()
        self.release_that_hangs()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with self.subTest(number.name):
                with self.rolling() as process:
                    self.until(lambda: len(self.workers()) == 2 * len(old))
                    process.send_signal(number)
                    _, said = process.communicate()

                self.assertEqual((process.returncode, said), (1, "reload.py: stopped\n"))
                self.until(lambda: self.workers() == old)
                self.assertEqual({self.ask() for _ in range(8)}, {b"1"})

    def test_what_a_killed_one_left_is_taken_away_by_the_next(self) -> None:
        old = self.workers()
        self.release_that_hangs()
        with self.rolling() as process:
            self.until(lambda: len(self.workers()) == 2 * len(old))
            process.kill()
        self.release("3")

        said = self.roll()

        self.assertEqual((said.returncode, said.stderr), (0, ""))
        self.assertEqual({self.ask() for _ in range(8)}, {b"3"})
        self.assertEqual(len(self.workers()), len(old))

    def test_one_at_a_time(self) -> None:
        old = self.workers()
        with self.rolling() as process:
            self.until(lambda: len(self.workers()) > len(old))
            second = self.roll()
            process.communicate()

        self.assertEqual((process.returncode, second.returncode), (0, 1))
        self.assertEqual(second.stderr, "reload.py: another one is at work\n")
        self.assertEqual(len(self.workers()), len(old))

    def test_a_master_that_dies_is_told(self) -> None:
        old = self.workers()
        self.release_that_hangs()
        with self.rolling() as process:
            self.until(lambda: len(self.workers()) == 2 * len(old))
            left = self.workers()
            self.master.kill()
            _, said = process.communicate()
        for worker in left:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)

        self.assertEqual(process.returncode, 1)
        self.assertIn("is no gunicorn that serves", said.splitlines()[-1])

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

    def test_a_server_is_asked_itself_whatever_proxy_leads_to_the_world(self) -> None:
        """deploy/alive.py, by which systemd and containers know it."""
        done = subprocess.run(  # noqa: S603 - ours
            [sys.executable, DEPLOY / "alive.py", str(self.port)],
            env={**os.environ, "http_proxy": f"http://{HOST}:9"},
            capture_output=True,
            text=True,
            check=False,
        )

        self.assertEqual((done.returncode, done.stderr), (0, ""))
