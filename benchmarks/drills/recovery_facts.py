"""What the restore drill compares, measured without the code that makes backups."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

missed: list[str] = []
FOREIGN_KEYS: Final = """
    SELECT conrelid::regclass::text, own.attname, confrelid::regclass::text, other.attname FROM pg_constraint
    JOIN pg_attribute own ON own.attrelid = conrelid AND own.attnum = conkey[1]
    JOIN pg_attribute other ON other.attrelid = confrelid AND other.attnum = confkey[1] WHERE contype = 'f'
"""
DEFINED: Final = {
    "constraints": "SELECT conname, contype::text, convalidated FROM pg_constraint c JOIN pg_namespace n"
    " ON n.oid = connamespace WHERE nspname = 'public' ORDER BY 1, 2",
    "indexes": "SELECT indexname, tablename FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "triggers": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    "extensions": "SELECT extname, extversion FROM pg_extension ORDER BY 1",
    "sequences": "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1",
    "last revisions": "SELECT group_id, last_seq, last_revision FROM chat_conversation ORDER BY 1",
}


def expect(what: str, found: Any, wanted: Any) -> None:
    """Print a fact, and remember it where it is not as it must be."""
    is_so = found == wanted
    print(
        f"{'ok    ' if is_so else 'MISSED'} {what}: {found}" + ("" if is_so else f", not {wanted}"),
        flush=True,
    )
    missed.extend([] if is_so else [what])


def make_database(name: str) -> None:
    named = {"user": "DB_USER", "password": "DB_PASSWORD", "host": "DB_HOST", "port": "DB_PORT"}
    line = psycopg2.connect(dbname="postgres", **{name: os.environ[key] for name, key in named.items()})
    line.autocommit = True
    with line.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    line.close()


def bucket(base: str, prefix: str) -> dict[str, str]:
    chosen = {"ACCESS_KEY": "key", "SECRET_KEY": "secret", "BUCKET_NAME": "btf-test", "S3_ENDPOINT": base}
    return {f"VULTR_{name}": value for name, value in {**chosen, "KEY_PREFIX": prefix}.items()}


@contextmanager
def there(environment: Mapping[str, str]) -> Iterator[None]:
    """Be the restored installation for the block: this process, and those that it starts."""
    from django.core.files.storage import default_storage
    from django.db import connection
    from django.test import override_settings

    before = dict(os.environ)
    os.environ.update(environment)
    connection.close()
    name, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], environment["DB_NAME"]
    storage: Any = default_storage
    location = storage.location
    with override_settings(MEDIA_ROOT=environment.get("MEDIA_ROOT", "")):
        if "VULTR_KEY_PREFIX" in environment:
            storage.location = environment["VULTR_KEY_PREFIX"]
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = name
            if "VULTR_KEY_PREFIX" in environment:
                storage.location = location
            os.environ.clear()
            os.environ.update(before)


def ask(query: str) -> list[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(query)
        return list(cursor.fetchall())


def facts() -> dict[str, Any]:
    """Return every table's rows and checksum, what is defined, and every file's digest."""
    found: dict[str, Any] = {kind: ask(query) for kind, query in DEFINED.items()}
    for (name,) in ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"):
        rows = f"SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM \"{name}\" t"  # noqa: S608
        found[f"table {name}"] = ask(rows)[0]
    found["files"] = {key: digest(key) for (key,) in ask("SELECT key FROM core_upload")}
    return found


def digest(key: str) -> str:
    from django.core.files.storage import default_storage

    try:
        with default_storage.open(key) as file:
            return hashlib.sha256(file.read()).hexdigest()
    except FileNotFoundError:
        return "missing"


def compare(when: str, live: dict[str, Any], restored: dict[str, Any]) -> None:
    tables = [name for name in live if name.startswith("table ")]
    rows = sum(live[name][0] for name in tables)
    print(f"{when}: {len(tables)} tables, {rows} rows, {len(live['files'])} files")
    for kind in (*DEFINED, "files"):
        expect(f"{kind} ({len(live[kind])}) that differ", len(differing(live[kind], restored[kind])), 0)
    expect("tables that differ", [name for name in tables if live[name] != restored.get(name)], [])
    expect("files missing", list(live["files"].values()).count("missing"), 0)


def differing(live: Any, restored: Any) -> set[Any]:
    pairs = (set(each.items() if isinstance(each, dict) else each) for each in (live, restored))
    return next(pairs) ^ next(pairs)


def check_whole(backup: Path, acknowledged: list[int]) -> None:
    """Hold the restored system against itself, its backup's manifest, and what had been acknowledged."""
    said = json.loads((backup / "manifest.json").read_text())
    kept = {name: rows for name, (rows, _) in said["tables"].items()}
    found = {name: ask(f'SELECT count(*) FROM "{name}"')[0][0] for name in kept}  # noqa: S608
    print(f"under load: {len(kept)} tables, {sum(kept.values())} rows, {said['files']['count']} files")
    expect("tables with another number of rows", [name for name in kept if kept[name] != found[name]], [])
    expect("files that rows name and nobody has", len(said["files"]["missing"]), 0)
    keys = [key for (key,) in ask("SELECT key FROM core_upload")]
    expect(f"files of {len(keys)} rows that are missing", [digest(key) for key in keys].count("missing"), 0)
    ids = {pk for (pk,) in ask("SELECT id FROM chat_message")}
    expect(f"of {len(acknowledged)} acknowledged before, lost", len(set(acknowledged) - ids), 0)
    gaps = ask(
        "SELECT count(*) FROM chat_conversation c WHERE last_seq <>"
        " (SELECT count(*) FROM chat_message m WHERE m.group_id = c.group_id)"
    )
    expect("conversations with a gap", gaps[0][0], 0)
    keys_of = ask(FOREIGN_KEYS)
    loose = sum(
        ask(
            f"SELECT count(*) FROM {table} a WHERE {own} IS NOT NULL"  # noqa: S608
            f" AND NOT EXISTS (SELECT FROM {other} b WHERE b.{theirs} = a.{own})"
        )[0][0]
        for table, own, other, theirs in keys_of
    )
    expect(f"rows that point nowhere, by {len(keys_of)} foreign keys", loose, 0)
