"""CPU of single requests in one process, for whoever makes one cheaper. Steady on a busy machine.

    scripts/services.sh run -- .venv/bin/python -m benchmarks.load.cpu users/me "group detail" [--sql]

Fills a private PostgreSQL (200 people, 10,000 messages), calls the product's WSGI application with all its
middleware, PostgreSQL and Redis behind it, and prints milliseconds of CPU a request (median of the chunks,
and their range) and how many statements go to the database. Without names: all. ``--copy``: also as 304.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .calls import Call, calls, chosen
from .environment import configure, fill
from .inside import Inside, cpu_ms, spread

if TYPE_CHECKING:
    from collections.abc import Callable


class Statements:
    """Keeps what a connection is asked for."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        self.texts.append(sql)
        return execute(sql, *args)


def statements_of(server: Inside, call: Call) -> list[str]:
    from django.db import connection

    kept = Statements()
    with connection.execute_wrapper(kept):
        server.send(call)
    return kept.texts


def lines_to_nowhere() -> None:
    """Have log lines made as in production, and written where nobody reads: the terminal is not measured."""
    nowhere = Path("/dev/null").open("w")  # noqa: SIM115 - for as long as the process lives
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(nowhere)


def tell(server: Inside, call: Call, options: argparse.Namespace) -> None:
    """Print what a call costs; with ``--sql`` what it asks for, with ``--copy`` what it costs as 304."""
    for _ in range(options.size):
        server.send(call)
    statements = statements_of(server, call)
    size = len(server.send(call)[2])
    costs = cpu_ms(partial(server.send, call), chunks=options.chunks, size=options.size)
    print(f"{call.name:20} {spread(costs):32} {len(statements):3} SQL  {size:8,} bytes", flush=True)
    if options.copy and not call.targets and "ETag" in (headers := server.send(call)[1]):
        again = partial(server.send, call, **{"If-None-Match": headers["ETag"]})
        print(f"{'':15} 304: {spread(cpu_ms(again, chunks=options.chunks, size=options.size))}", flush=True)
    if options.sql:
        print(*(f"  {number}. {text}" for number, text in enumerate(statements, 1)), sep="\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--sql", action="store_true", help="print the statements, too")
    parser.add_argument("--copy", action="store_true", help="measure it with If-None-Match, too")
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--chunks", type=int, default=10)
    parser.add_argument("--size", type=int, default=20, help="requests a chunk")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        configure(Path(folder))
        fill(options.people, options.messages)
        from .seed import cast

        wanted = chosen(options.names, calls(cast()))
        server = Inside()
        lines_to_nowhere()
        print(f"{'':20} {'CPU ms a request, median (range)':32}", flush=True)
        for call in wanted.values():
            tell(server, call, options)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
