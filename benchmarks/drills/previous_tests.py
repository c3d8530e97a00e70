"""Whether the release before passes its own tests on today's schema (SAFETY R18).

By hand, on private servers that end with it (``make drill PART=previous_tests``); ten minutes on two cores:

    scripts/services.sh run -- .venv/bin/python benchmarks/drills/previous_tests.py [LABELS]

Today's ``migrate`` makes a database. The release before (PREVIOUS, a revision; else the newest commit that
has other migrations, and starts) must find nothing to migrate there, and then runs its suite on copies of it,
by ``released_runner.py``. What that leaves out is printed. What fails runs once more on the schema that the
release makes itself: a test that fails there, too, says nothing of today's. Fails where any other failed.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import faults
import psycopg2
from releases import DRILLS, exported, git, migrations_at, migrations_now, previous_release, run

if TYPE_CHECKING:
    from pathlib import Path

RUNNER: Final = "released_runner"
# What tests see of somebody's shell, and of scripts/services.sh: no setting of the product besides.
KEPT: Final = (
    *("PATH", "HOME", "USER", "LANG", "TMPDIR", "SERVICES_FOLDER"),
    *("DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST", "DB_PORT", "REDIS_URL"),
)
DISABLE_TRIGGERS: Final = """
    SELECT format('ALTER TABLE %I DISABLE TRIGGER %I', relname, tgname)
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE tgtype & 32 <> 0 AND NOT tgisinternal  -- TRIGGER_TYPE_TRUNCATE of pg_trigger.h
"""
NOTHING_TO_DO: Final = "No migrations to apply."
TITLES: Final = {"tags": "left out by tag", "excluded": "by name", "skipped": "skipped"}
SHOWN: Final = 40_000
MOST_EXCUSED: Final = 3  # where more fail on their own schema, too, it is the drill that is broken


def ask(database: str, *statements: str) -> list[Any]:
    """Execute in a database; return the first column that the last statement gave."""
    names = {"user": "DB_USER", "password": "DB_PASSWORD", "host": "DB_HOST", "port": "DB_PORT"}
    with closing(psycopg2.connect(dbname=database, **{k: os.environ[v] for k, v in names.items()})) as line:
        line.autocommit = True  # CREATE DATABASE wants none
        with line.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return [row[0] for row in cursor.fetchall()] if cursor.description else []


def make_database() -> str:
    """Let today's code make the database under which Django looks for that of tests; return its name."""
    name = f"test_{os.environ['DB_NAME']}"
    ask(os.environ["DB_NAME"], f"CREATE DATABASE {name} TEMPLATE template0")
    run(faults.PROJECT, "manage.py", "migrate", DB_NAME=name)
    # Tests that commit clear up by TRUNCATE, which no release does.
    statements = ask(name, DISABLE_TRIGGERS)
    for statement in statements:
        ask(name, statement)
        print(f"for tests that clear up: {statement}")
    return name


@dataclass
class Ran:
    """What a run of a release's suite came to: ``counts`` is None where it never got so far as to tell."""

    said: str
    seconds: float
    counts: dict[str, Any] | None

    @property
    def failed(self) -> set[str]:
        return set(self.counts["failed"]) if self.counts else set()


def run_tests(old: Path, *options: str) -> Ran:
    command = [sys.executable, "-W", "error", "manage.py", "test", "--testrunner", f"{RUNNER}.ReleasedRunner"]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as path, tempfile.TemporaryFile("w+") as output:
        shutil.copy(DRILLS / f"{RUNNER}.py", path)
        process = subprocess.Popen(  # noqa: S603 - the drill's own command
            [*command, "--noinput", "--parallel", "auto", *options],
            cwd=old,
            env={**os.environ, "PYTHONPATH": path},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait()
        finally:
            if process.poll() is None:  # the drill is ended: so are the processes of its parallel run
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        output.seek(0)
        said, _, counts = output.read().partition(f"\n{RUNNER}: ")
    return Ran(said, time.monotonic() - began, json.loads(counts.splitlines()[0]) if counts else None)


def report(ran: Ran, old: Path) -> bool:
    """Print the counts, and what the tests said where some failed; tell whether today's schema may stay."""
    if ran.failed or not ran.counts:
        print(ran.said[-SHOWN:])
    if not ran.counts:
        print("The tests of the release before ended without a word on what they came to")
        return False
    excused = run_tests(old, *sorted(ran.failed)).failed & ran.failed if ran.failed else set()
    for name in TITLES:
        for what, number in sorted(ran.counts[name].items()):
            print(f"{TITLES[name]:16}{number:>6}  {what}")
    for name in sorted(ran.failed):
        print(f"{'failed':16}{'':6}  {name}{' (on its own schema, too)' if name in excused else ''}")
    tags, names, skipped = (sum(ran.counts[name].values()) for name in TITLES)
    print(f"run {ran.counts['run']}, failed {len(ran.failed)}, of these on their own, too, {len(excused)}")
    print(f"skipped {skipped}, left out by tag {tags}, by name {names}; {ran.seconds:.0f} s")
    return ran.failed == excused and len(excused) <= MOST_EXCUSED < ran.counts["run"]


def set_up() -> None:
    if "DB_PORT" not in os.environ:
        raise SystemExit("By hand: scripts/services.sh run -- .venv/bin/python benchmarks/drills/<drill>.py")
    faults.end_on_signal()
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    os.environ.clear()
    os.environ.update(
        kept, ENV_FILE=os.devnull, SECRET_KEY=secrets.token_hex(32), SECURE_SSL_REDIRECT="false", CI="true"
    )


def main() -> int:
    revision = previous_release()
    set_up()
    print("from", git("log", "-1", "--format=%h %ad %s", "--date=short", revision).decode().strip())
    newer = sorted(migrations_now() - migrations_at(revision))
    print(f"{len(newer)} migrations are newer:", *newer)
    with exported(revision) as old:
        name = make_database()
        said, _ = run(old, "manage.py", "migrate", DB_NAME=name)
        if NOTHING_TO_DO not in said:
            print(said[-SHOWN:])
            raise SystemExit("The release before would migrate what today's code has migrated")
        is_right = report(run_tests(old, "--keepdb", *sys.argv[1:]), old)
    return faults.verdict(is_right=is_right)


if __name__ == "__main__":
    sys.exit(main())
