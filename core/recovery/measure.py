"""What a database holds, in few words: so that a restored one can be told equal to the one that was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of the schema in use, without what belongs to an extension.
TABLES: Final = """
    SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e') ORDER BY relname
"""
# The sum does not depend on the order of rows. Sixteen digits of an MD5 each: against accidents, not malice.
CONTENT: Final = """
    SELECT count(*),
    coalesce(sum(('x' || substr(md5(t::text), 1, 16))::bit(64)::bigint::numeric), 0)::text
    FROM {} AS t
"""
# By name: what PostgreSQL prints of a condition is not always what it prints of that once it is read again.
NAMES: Final = {
    # NOT NULL stands there since PostgreSQL 18, and before that at the columns alone.
    "constraints": "SELECT conrelid::regclass::text, conname FROM pg_constraint"
    " WHERE connamespace = current_schema()::regnamespace AND contype <> 'n' ORDER BY 1, 2",
    "columns": "SELECT relname, attname || ' ' || format_type(atttypid, atttypmod)"
    " || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END"
    " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
    " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    " AND attnum > 0 AND NOT attisdropped"
    " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e') ORDER BY 1, 2",
    "indexes": "SELECT tablename, indexname FROM pg_indexes"
    " WHERE schemaname = current_schema() ORDER BY 1, 2",
    "triggers": "SELECT tgrelid::regclass::text, tgname || ' ' || tgenabled::text FROM pg_trigger"
    " WHERE NOT tgisinternal ORDER BY 1, 2",
    "functions": "SELECT oid::regprocedure::text, md5(prosrc) FROM pg_proc"
    " WHERE pronamespace = current_schema()::regnamespace"
    " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e') ORDER BY 1, 2",
    "sequences": "SELECT sequencename, data_type::text FROM pg_sequences"
    " WHERE schemaname = current_schema() ORDER BY 1",
    "extensions": "SELECT extname, '' FROM pg_extension ORDER BY 1",
}
SEQUENCES: Final = """
    SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name)
    FROM information_schema.columns WHERE table_schema = current_schema()
    AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL ORDER BY 1, 2
"""
BEHIND: Final = "SELECT last_value < (SELECT coalesce(max({column}), 0) FROM {table}) FROM {sequence}"


def tables(cursor: Any) -> list[str]:
    cursor.execute(TABLES)
    return [name for (name,) in cursor.fetchall()]


def content(cursor: Any) -> dict[str, list[Any]]:
    """Return of each table how many rows it has, and a sum over what they say. Reads every row."""
    found = {}
    for name in tables(cursor):
        cursor.execute(CONTENT.format(quoted(name)))
        found[name] = list(cursor.fetchone())
    return found


def structure(cursor: Any) -> dict[str, list[list[str]]]:
    """Return the names of what holds the tables together."""
    found = {}
    for kind, query in NAMES.items():
        cursor.execute(query)
        found[kind] = [list(row) for row in cursor.fetchall()]
    return found


def sequences_behind(cursor: Any) -> list[str]:
    """Return the sequences that would hand out an id which is in use already."""
    cursor.execute(SEQUENCES)
    behind = []
    for table, column, sequence in cursor.fetchall():
        cursor.execute(BEHIND.format(column=quoted(column), table=quoted(table), sequence=sequence))
        if cursor.fetchone()[0]:
            behind.append(sequence)
    return behind


def differences(kept: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Name what is not the same in both."""
    return sorted(name for name in kept.keys() | found.keys() if kept.get(name) != found.get(name))


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
