"""A reload that cannot be: whatever stops it, the old workers go on, and as many as were wanted stay."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from btf_backend.tests.front import DEPLOY
from btf_backend.tests.reloading import ReloadCase, name_of


class ReloadFaultTests(ReloadCase):
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

    def test_new_ones_that_break_are_replaced_while_the_old_ones_still_end(self) -> None:
        """The old ones were counted as if they stayed, and nobody answered until they had ended."""
        old = self.workers()
        callers = [threading.Thread(target=self.ask, args=("/slow",)) for _ in range(8)]
        for caller in callers:
            caller.start()
        time.sleep(0.5)
        with self.rolling() as process:
            self.until(lambda: any(name_of(worker) == "hub-ending" for worker in old))
            for worker in self.workers() - old:
                os.kill(worker, signal.SIGKILL)
            self.until(lambda: len(self.workers() - old) == len(old))
            self.assertTrue(self.workers() & old)
            _, said = process.communicate()
        for caller in callers:
            caller.join()

        self.assertEqual((process.returncode, said), (0, ""))
        self.until(lambda: len(self.workers()) == len(old))

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

    def test_code_is_tried_in_the_environment_that_workers_have(self) -> None:
        """A variable that is new in the file is not there for them: they ended, and gunicorn with them."""
        old = self.workers()
        package = self.folder / "btf_backend"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "wsgi.py").write_text("import os; os.environ['NEEDED']", encoding="utf-8")

        said = subprocess.run(  # noqa: S603 - ours
            [sys.executable, DEPLOY / "reload.py", str(self.master.pid)],
            cwd=self.folder,
            env={**os.environ, "NEEDED": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

        self.assertIn("the new code does not start", said.stderr)
        self.assertEqual((self.workers(), self.ask()), (old, b"1"))
