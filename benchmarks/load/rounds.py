"""Rounds: in each, every request is put on each server by turns, so that what is compared lies close by."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Final

from django.db import connection

from .goals import GOALS, OTHERS
from .servers import family_cpu_seconds
from .statements import Asked, asked_by, count_statements, database_process, settle
from .wrk import Run, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from .calls import Call
    from .servers import Server

CONNECTIONS: Final = 16
WARM_UP_SECONDS: Final = 1
FIRST_REQUESTS: Final = 6  # in which each worker loads what it had not needed yet


@dataclass(frozen=True)
class Sample:
    """One request in one round: under load, one at a time, and as 304 where there is such a thing."""

    loaded: Run
    alone: Run
    copies: Run | None
    server_ms: float
    database_ms: float


@dataclass
class Found:
    """Everything that was measured, by server and request; samples in the order of the rounds.

    ``beside`` is how many of ``OTHERS`` the peer answered a second next to a request that it does not know.
    """

    samples: dict[str, dict[str, list[Sample]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    beside: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statements: dict[str, dict[str, Asked]] = field(default_factory=lambda: defaultdict(dict))
    sizes: dict[str, int] = field(default_factory=dict)
    memory: dict[str, list[float]] = field(default_factory=dict)

    def of(self, server: str, name: str, number: Callable[[Sample], float]) -> list[float]:
        """Return one number of each round."""
        return [number(sample) for sample in self.samples[server][name]]

    def rates(self, server: str, name: str) -> list[float]:
        return self.of(server, name, lambda sample: sample.loaded.rate)

    def shares(self, name: str) -> list[float]:
        """Return our rate as a share of the peer's, round by round."""
        return [ours / peers for ours, peers in zip(self.rates("ours", name), self.peers(name), strict=True)]

    def peers(self, name: str) -> list[float]:
        """Return the peer's rate that ours is a share of, round by round."""
        return self.rates("peer", name) if GOALS[name].has_peer else self.beside[name]


class Bench:
    """Measures requests on servers that are up."""

    def __init__(
        self, servers: dict[str, Server], calls: dict[str, Call], names: list[str], *, seconds: int
    ) -> None:
        self.servers, self.calls, self.names, self.seconds = servers, calls, names, seconds
        self.found, self.copies = Found(), dict[str, str]()
        count_statements()
        self.database = database_process()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return what is measured in a round: (server, request), ours and the peer's side by side."""
        made = [(server, name) for name in self.names for server in ("ours", "peer")]
        return made if OTHERS in self.names else [*made, ("peer", OTHERS)]

    def prepare(self) -> None:
        """Open the servers' connections, count statements, and keep the ETags."""
        for server, name in self.pairs:
            if server == "peer" and not GOALS[name].has_peer:
                continue
            call, at = self.calls[name], self.servers[server]
            for _ in range(FIRST_REQUESTS):
                at.answer(call)
            self.found.statements[server][name] = asked_by(partial(at.answer, call))
            load(at, call, connections=CONNECTIONS, seconds=WARM_UP_SECONDS)
            headers, body = at.answer(call)
            if server == "ours":
                self.found.sizes[name] = len(body)
                if not call.targets and "ETag" in headers:
                    self.copies[name] = headers["ETag"]

    def round(self, number: int) -> None:
        """Measure everything once; every other round the peer goes first."""
        pairs = self.pairs if number % 2 == 0 else swapped(self.pairs)
        for server, name in pairs:
            if server == "peer" and not GOALS[name].has_peer:
                self.found.beside[name].append(self.rate_beside())
            else:
                self.found.samples[server][name].append(self.sample(self.servers[server], self.calls[name]))
        for bare in ("bare WSGI", "bare ASGI"):
            self.found.samples[bare][OTHERS].append(self.sample(self.servers[bare], self.calls[OTHERS]))

    def rate_beside(self) -> float:
        settle()
        run = load(self.servers["peer"], self.calls[OTHERS], connections=CONNECTIONS, seconds=self.seconds)
        return run.rate

    def sample(self, server: Server, call: Call) -> Sample:
        settle()
        before = server.cpu_seconds(), family_cpu_seconds(self.database), stored()
        loaded = load(server, call, connections=CONNECTIONS, seconds=self.seconds)
        settle()
        after = server.cpu_seconds(), family_cpu_seconds(self.database), stored()
        if call.is_post and after[2] - before[2] < loaded.requests:
            raise SystemExit(
                f"{call.name}: {loaded.requests} were answered, {after[2] - before[2]} are stored"
            )
        # wrk leaves the last request of each connection behind: it is done, and counted by nobody.
        handled = loaded.requests + CONNECTIONS
        alone = load(server, call, connections=1, seconds=max(self.seconds // 2, 1))
        copy = self.copies.get(call.name) if server.name == "ours" else None
        copies = copy and load(
            server, call, connections=CONNECTIONS, seconds=max(self.seconds // 2, 1), copy=copy
        )
        server_ms, database_ms = ((after[place] - before[place]) * 1000 / handled for place in range(2))
        return Sample(loaded, alone, copies or None, server_ms, database_ms)

    def finish(self) -> Found:
        """Return what was found, with the memory of each server after the load."""
        self.found.memory = {name: server.memory_mib() for name, server in self.servers.items()}
        return self.found


def swapped(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return pairs with the peer's before ours, request by request."""
    order = {name: place for place, (_, name) in reversed(list(enumerate(pairs)))}
    return sorted(pairs, key=lambda pair: (order[pair[1]], pair[0] == "ours"))


def stored() -> int:
    """Return how many messages there are, by the counters of the conversations."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(last_seq) FROM chat_conversation")
        return int(cursor.fetchone()[0])


def spread(values: list[float], form: str = ",.0f") -> str:
    """Return the median and, where there are several, the range."""
    told = format(median(values), form)
    return told if len(values) == 1 else f"{told} ({min(values):{form}} to {max(values):{form}})"
