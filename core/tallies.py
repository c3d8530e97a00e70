"""Rows counted by what changes them, on PostgreSQL: nothing is read to know how many there are.

A trigger writes down what each statement adds or takes away, in its transaction (PostgreSQL 43.10, transition
tables): what the rows of a tally come to is as true as the snapshot that they are read in. No row is ever
changed, so that nobody waits for anybody; ``core.tally_keeper`` puts together what has gathered. ADR 0024.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from django.db.migrations.operations.base import Operation

from core.registry import Registry


class Tally(NamedTuple):
    """How many rows of ``table`` there are of each kind, which is what they have in the columns ``by``.

    Those alone count that ``only`` lets in. Rows of ``into`` have the same columns, and ``number``.
    """

    table: str
    into: str
    by: tuple[str, ...]
    number: str
    only: str = "true"

    def sql(self, text: str) -> str:
        return text.format(**self._asdict() | {"by": ", ".join(self.by)})


tallies: Registry[Tally] = Registry()

# As shared migrations: what stands here is never changed, since it is what databases have.
# A trigger that is shown a statement's rows cannot be told of columns: it sees whether ours have changed. It
# runs as its owner: whoever may write the one table need not know of the other.
BEGIN: Final = """
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
CREATE FUNCTION tally_{into}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO {into} ({by}, {number})
    SELECT {by}, COUNT(*) FROM came WHERE {only} GROUP BY {by};
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO {into} ({by}, {number})
    SELECT {by}, -COUNT(*) FROM went WHERE {only} GROUP BY {by};
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO {into} ({by}, {number})
    SELECT {by}, SUM(change) FROM (
      SELECT {by}, 1 AS change FROM came WHERE {only} UNION ALL SELECT {by}, -1 FROM went WHERE {only}
    ) changed
    GROUP BY {by} HAVING SUM(change) <> 0;
  ELSE
    DELETE FROM {into};
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION tally_{into}() FROM PUBLIC;
CREATE TRIGGER {into}_inserted AFTER INSERT ON {table} REFERENCING NEW TABLE AS came
FOR EACH STATEMENT EXECUTE FUNCTION tally_{into}();
CREATE TRIGGER {into}_updated AFTER UPDATE ON {table} REFERENCING OLD TABLE AS went NEW TABLE AS came
FOR EACH STATEMENT EXECUTE FUNCTION tally_{into}();
CREATE TRIGGER {into}_deleted AFTER DELETE ON {table} REFERENCING OLD TABLE AS went
FOR EACH STATEMENT EXECUTE FUNCTION tally_{into}();
CREATE TRIGGER {into}_emptied AFTER TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION tally_{into}();
INSERT INTO {into} ({by}, {number}) SELECT {by}, COUNT(*) FROM {table} WHERE {only} GROUP BY {by};
"""
END: Final = """
DROP TRIGGER IF EXISTS {into}_inserted ON {table};
DROP TRIGGER IF EXISTS {into}_updated ON {table};
DROP TRIGGER IF EXISTS {into}_deleted ON {table};
DROP TRIGGER IF EXISTS {into}_emptied ON {table};
DROP FUNCTION IF EXISTS tally_{into}();
DELETE FROM {into};
"""


class Keep(Operation):
    """Keeps a tally from now on, and counts who is there. Its table is there, and empty.

    Nobody writes ``table`` between the first trigger and the end of the migration, nor waits longer than it
    takes to count it. On SQLite nothing happens.
    """

    reversible = True

    def __init__(self, tally: Tally) -> None:
        self.tally = Tally(*tally)  # which a squashed migration has as a tuple

    def state_forwards(self, *args: Any) -> None:
        """Change no model."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        self.run(schema_editor, BEGIN)

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        self.run(schema_editor, END)

    def run(self, schema_editor: Any, text: str) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(self.tally.sql(text), params=None)

    def describe(self) -> str:
        return f"Keep a tally of {self.tally.table} in {self.tally.into}"
