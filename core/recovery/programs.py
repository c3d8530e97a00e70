"""PostgreSQL's own programs on the configured database: no password stands on a command line."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

if TYPE_CHECKING:
    from pathlib import Path

KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PGSSLMODE", "PGSSLROOTCERT")
# A restored database belongs to whoever restores it: other roles need not exist there.
PLAIN: Final = ("--no-owner", "--no-privileges", "--no-comments")
EMPTY: Final = """
BEGIN;
SET LOCAL lock_timeout = '10s';
DO $$
DECLARE
  item text;
BEGIN
  FOR item IN SELECT pg_class.oid::regclass::text FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
  LOOP EXECUTE format('DROP TABLE IF EXISTS %s CASCADE', item); END LOOP;
  FOR item IN SELECT pg_proc.oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
  LOOP EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', item); END LOOP;
END $$;
"""


class ProgramFailed(Exception):
    """One of PostgreSQL's programs has not done its work; its words."""


def environment() -> dict[str, str]:
    chosen = connection.settings_dict
    named = {"HOST": "HOST", "PORT": "PORT", "USER": "USER", "PASSWORD": "PASSWORD", "DATABASE": "NAME"}
    own = {f"PG{variable}": str(chosen[name]) for variable, name in named.items() if chosen[name]}
    return {name: os.environ[name] for name in KEPT if name in os.environ} | own


def dump(target: Path, *, snapshot: str) -> None:
    """Write the database as of a snapshot, which somebody holds open. Raises ProgramFailed."""
    command = ["pg_dump", "--format=custom", "--no-password", "--lock-wait-timeout=60s"]
    run([*command, f"--snapshot={snapshot}", f"--file={target}"])


def load(source: Path) -> None:
    """Put a dump in the place of all that the database holds: in one transaction, or not at all.

    Raises ProgramFailed.
    """
    with (
        start(["psql", "-X", "-q", "--no-password", "-v", "ON_ERROR_STOP=1", "-o", os.devnull]) as psql,
        start(["pg_restore", *PLAIN, "--file=-", str(source)], source=subprocess.DEVNULL) as reader,
    ):
        try:
            feed(psql.stdin, reader)
        except BrokenPipeError:
            reader.kill()
            with suppress(BrokenPipeError):
                psql.stdin.close()
        told = psql.stderr.read() + reader.stderr.read()
        if psql.wait() or reader.wait():
            raise ProgramFailed(told.decode(errors="replace").strip())


def feed(statements: Any, reader: Any) -> None:
    statements.write(EMPTY.encode())
    while piece := reader.stdout.read(1024**2):
        statements.write(piece)
    if reader.wait() == 0:
        statements.write(b"\nCOMMIT;\n")  # without it all is undone when the line closes
    statements.close()


def start(command: list[str], *, source: int = subprocess.PIPE) -> Any:
    return subprocess.Popen(  # noqa: S603 - PostgreSQL's own, found by PATH
        command, env=environment(), stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def run(command: list[str]) -> None:
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own, found by PATH
        command, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode:
        raise ProgramFailed(done.stderr.decode(errors="replace").strip())
