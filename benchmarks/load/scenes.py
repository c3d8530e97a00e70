"""Programmes of several sizes side by side: a database and a running product each, in one PostgreSQL."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection

from .calls import calls
from .seed import cast, seed
from .servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .calls import Call
    from .servers import Server

EMPTY = "migrated"


@dataclass(frozen=True)
class Scene:
    """One size, and what answers for it."""

    people: int
    messages: int
    groups: int
    calls: dict[str, Call]
    server: Server


def become(database: str) -> None:
    """Have this process speak to another database."""
    connection.close()
    connection.settings_dict["NAME"] = database


def prepare(sizes: list[tuple[int, int]]) -> None:
    """Make a database of each size out of the migrated one."""
    migrated = connection.settings_dict["NAME"]
    for people, messages in sizes:
        name = name_of(people, messages)
        become("postgres")
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{migrated}"')
        become(name)
        seed(people, messages)
        become(migrated)


def name_of(people: int, messages: int) -> str:
    return f"scene_{people}_{messages}"


@contextmanager
def scenes(sizes: list[tuple[int, int]], folder: Path) -> Iterator[list[Scene]]:
    """Start the product on each database. They share Redis, under names of their own."""
    with ExitStack() as ending:
        made = []
        for people, messages in sizes:
            name = name_of(people, messages)
            become(name)
            told, known = cast(), calls(cast())
            (folder / name / "metrics").mkdir(parents=True)
            environment = {
                "DB_NAME": name,
                "CACHE_KEY_PREFIX": name,
                "PROMETHEUS_MULTIPROC_DIR": str(folder / name / "metrics"),
            }
            up = serving("ours", folder=folder / name, environment=environment)
            made.append(Scene(people, messages, told.groups, known, ending.enter_context(up)["ours"]))
        yield made
