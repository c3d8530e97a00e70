"""How several processes count together for ``/metrics``, and what the dead leave."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from django.conf import settings
from django.test import SimpleTestCase

from core.tests.test_watching_metrics import Samples, value
from core.watching import processes

# Without Django, which takes ten times as long to start as all that counts.
COUNTING: Final = """
import os, sys, time
from core.watching import metrics

def count(number):
    metrics.messages_posted.inc(number)
    metrics.request_seconds.labels("api/x/").observe(0.3)
    metrics.open_sockets.labels("chat").inc(number)

count(int(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    if line == "fork\\n" and os.fork():
        continue
    count(int(sys.argv[1]))
    print(os.getpid(), flush=True)
    if line == "fork\\n":
        time.sleep(60)
"""


class Killed(BaseException):
    """What a test ends a reader by."""


class ProcessesCase(SimpleTestCase):
    """Real processes, which count into one folder."""

    def setUp(self) -> None:
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def counting(self, number: int) -> subprocess.Popen[str]:
        """Start a process that counts so many, and wait until it has."""
        environment = {
            "PATH": os.environ["PATH"],
            "PROMETHEUS_MULTIPROC_DIR": self.folder,
        }
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and words
            [sys.executable, "-c", COUNTING, str(number)],
            cwd=settings.BASE_DIR,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.end, process)
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process

    @staticmethod
    def once_more(process: subprocess.Popen[str], word: str = "more") -> int:
        """Have it count as much again, or a fork of it; return the number of the process that did."""
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{word}\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    @staticmethod
    def end(process: subprocess.Popen[str]) -> None:
        process.kill()
        process.communicate()

    def samples(self, folder: str = "") -> Samples:
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in processes.families(folder or self.folder)
            for sample in family.samples
        }


class ProcessesTests(ProcessesCase):
    def test_two_processes_are_summed(self) -> None:
        self.counting(2)
        self.counting(3)

        samples = self.samples()

        self.assertEqual(value(samples, "btf_messages_posted_total"), 5)
        self.assertEqual(value(samples, "btf_sockets_open", kind="chat"), 5)
        self.assertEqual(
            value(samples, "btf_http_request_duration_seconds_bucket", route="api/x/", le="0.5"), 2
        )

    def test_what_a_killed_one_had_open_is_gone_and_what_it_counted_is_not(self) -> None:
        self.counting(2)
        killed = self.counting(3)
        self.samples()

        self.end(killed)

        for _ in range(2):
            samples = self.samples()
            self.assertEqual(value(samples, "btf_messages_posted_total"), 5)
            self.assertEqual(value(samples, "btf_sockets_open", kind="chat"), 2)
            self.assertEqual(value(samples, "btf_http_request_duration_seconds_count", route="api/x/"), 2)

    def test_however_often_processes_start_anew_the_folder_stays_small(self) -> None:
        for number in range(3):
            self.end(self.counting(number + 1))
            self.assertEqual(value(self.samples(), "btf_messages_posted_total"), sum(range(number + 2)))

        self.assertEqual(
            {file.name for file in Path(self.folder).iterdir()},
            {"counter_gone.db", "histogram_gone.db", "lock"},
        )

    def test_another_that_got_a_dead_ones_number_does_not_keep_its_sockets_open(self) -> None:
        self.end(self.counting(3))
        for left in Path(self.folder).glob("*_*"):
            left.rename(left.with_name(re.sub(r"_\d+", f"_{os.getpid()}", left.name)))

        samples = self.samples()

        self.assertIsNone(value(samples, "btf_sockets_open", kind="chat"))
        self.assertEqual(value(samples, "btf_messages_posted_total"), 3)
        self.assertEqual(list(Path(self.folder).glob(f"*_{os.getpid()}*")), [])

    def test_a_clock_that_is_put_forward_takes_no_living_one_for_dead(self) -> None:
        counting = self.counting(3)
        long_ago = time.time() - 86_400
        for file in Path(self.folder).iterdir():
            os.utime(file, (long_ago, long_ago))

        for counted in (3, 6):
            samples = self.samples()
            self.assertEqual(value(samples, "btf_sockets_open", kind="chat"), counted)
            self.assertEqual(value(samples, "btf_messages_posted_total"), counted)
            self.once_more(counting)

    def test_what_a_forked_one_counts_is_its_own(self) -> None:
        """It does not live as long as who forked it, nor the other way round."""
        child = self.once_more(self.counting(3), "fork")
        self.addCleanup(os.kill, child, signal.SIGKILL)

        self.assertEqual(value(self.samples(), "btf_sockets_open", kind="chat"), 6)
        names = {file.name for file in Path(self.folder).glob("owner_*")}
        self.assertEqual(len(names), 2)
        self.assertIn(f"owner_{child}", names)

    def test_a_process_of_an_earlier_release_has_not_signed_and_lives_all_the_same(self) -> None:
        self.counting(3)
        for signature in Path(self.folder).glob("owner_*"):
            signature.unlink()

        self.assertEqual(value(self.samples(), "btf_sockets_open", kind="chat"), 3)

    def test_another_users_that_got_a_dead_ones_number_does_not_either(self) -> None:
        """ProtectProc=invisible of systemd hides from us when it began."""
        self.counting(3)

        with patch("core.watching.owners.os.kill", side_effect=PermissionError):
            samples = self.samples()

        self.assertIsNone(value(samples, "btf_sockets_open", kind="chat"))
        self.assertEqual(value(samples, "btf_messages_posted_total"), 3)


class KilledTests(ProcessesCase):
    """Processes that are killed in the middle of their files."""

    def dead(self) -> int:
        process = self.counting(3)
        self.end(process)
        return process.pid

    def test_a_file_that_a_dead_one_had_only_made_is_deleted_and_told(self) -> None:
        pid = self.dead()
        for name in ("counter", "histogram", "gauge_livesum"):
            Path(self.folder, f"{name}_{pid}.db").write_bytes(b"")

        with self.assertLogs("core.watching.processes", "INFO") as logs:
            samples = self.samples()

        self.assertEqual(samples, {})
        self.assertEqual({path.name for path in Path(self.folder).iterdir()}, {"lock"})
        self.assertEqual(
            [(record.message, vars(record)["file"]) for record in logs.records],
            [("metrics_file_empty", f"{kind}_{pid}.db") for kind in ("counter", "histogram")],
        )

    def test_a_file_that_has_a_length_and_no_number_yet_adds_nothing(self) -> None:
        pid = self.dead()
        os.truncate(Path(self.folder, f"counter_{pid}.db"), 0)
        os.truncate(Path(self.folder, f"counter_{pid}.db"), 65_536)

        samples = self.samples()

        self.assertIsNone(value(samples, "btf_messages_posted_total"))
        self.assertEqual(value(samples, "btf_http_request_duration_seconds_count", route="api/x/"), 1)

    def test_a_file_that_a_living_one_has_only_made_is_passed_over_and_stays(self) -> None:
        self.counting(2)
        making = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
        )
        self.addCleanup(making.communicate)
        files = [Path(self.folder, f"{name}_{making.pid}.db") for name in ("counter", "gauge_livesum")]
        for file in files:
            file.write_bytes(b"")

        samples = self.samples()

        self.assertEqual(value(samples, "btf_messages_posted_total"), 2)
        self.assertEqual(value(samples, "btf_sockets_open", kind="chat"), 2)
        self.assertTrue(all(file.exists() for file in files))

    def test_a_gauge_that_gunicorns_master_takes_away_meanwhile_is_no_fault(self) -> None:
        self.assertFalse(processes.is_begun(Path(self.folder, "gauge_livesum_1.db")))

    def test_wherever_a_reader_is_killed_what_the_dead_counted_counts_once(self) -> None:
        self.dead()
        self.samples()
        self.dead()
        kills = 0
        while True:
            folder = self.enterContext(tempfile.TemporaryDirectory())
            shutil.copytree(self.folder, folder, dirs_exist_ok=True)
            if self.reads(folder, steps=kills):
                break
            kills += 1
            samples = self.samples(folder)
            with self.subTest(kills=kills):
                self.assertEqual(value(samples, "btf_messages_posted_total"), 6)
                self.assertEqual(value(samples, "btf_http_request_duration_seconds_count", route="api/x/"), 2)
                self.assertEqual(
                    {path.name for path in Path(folder).iterdir()},
                    {"counter_gone.db", "histogram_gone.db", "lock"},
                )
        self.assertGreater(kills, 10)

    def reads(self, folder: str, *, steps: int) -> bool:
        """Read, and be ended after so many renames and deletions; tell whether that was the end anyway."""
        left = iter(range(steps))

        def step(change: Any) -> Any:
            def until_killed(*args: Any, **kwargs: Any) -> Any:
                if next(left, None) is None:
                    raise Killed
                return change(*args, **kwargs)

            return until_killed

        with (
            patch.object(Path, "replace", step(Path.replace)),
            patch.object(Path, "unlink", step(Path.unlink)),
        ):
            try:
                self.samples(folder)
            except Killed:
                return False
        return True
