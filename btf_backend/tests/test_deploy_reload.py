"""New code without a gap: deploy/reload.py on a real gunicorn, and deploy/alive.py (SAFETY R17)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter

from btf_backend.tests.front import DEPLOY, HOST
from btf_backend.tests.reloading import ReloadCase


class ReloadTests(ReloadCase):
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
