"""Whether any part of any call can be of the wrong type, size or sign without a 5xx (SAFETY R14, B02, B24).

``make fuzz``; by hand, on a private PostgreSQL that ends with it:

    scripts/services.sh run -- .venv/bin/python benchmarks/fuzz/mutate.py [CALLS [SECONDS [SEED]]]

Each operation of docs/openapi.yaml is called as it should be, but for one part: a body field, a query
parameter, a part of the path, a header or the whole body, by some fifty nasty values. Of all these calls so
many are made, in an order that the seed gives, by an admin, a student, a mentor and nobody. Fails where one
is answered with 500 or above, in another shape than the envelope, or by a status that is not documented; or
where a server logs an error that nobody expected.
"""

from __future__ import annotations

import http.client
import json
import math
import random
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import scene
import stage
from calls import Call, Document

if TYPE_CHECKING:
    from callers import Caller

SHARES: Final = {"admin": 0.5, "student": 0.3, "mentor": 0.1, "anonymous": 0.1}
THREADS: Final = 8
ENVELOPE: Final = {"error", "detail", "code", "requestId"}
SHOWN: Final = 40
# Of routes that a nasty path or header leads to, and of what the edge refuses before any view.
ANYWHERE: Final = {"400", "401", "403", "404", "405", "406", "413", "415", "429"}


@dataclass
class Mutation:
    """What one role did, and how it went."""

    port: int
    caller: Caller
    ends_at: float
    faults: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)
    lines: threading.local = field(default_factory=threading.local)

    def make(self, call: Call) -> None:
        """Make one call, and hold the answer against what is allowed."""
        if time.monotonic() > self.ends_at:
            return
        target = call.target(self.caller.aim.at_path(call.path, dict.fromkeys(call.names, 1)))
        headers = {**self.caller.headers, **call.headers}
        body = self.caller.aim.at_marks(call.body)
        status, kind, answer = self.send(call.method, target, body, headers)
        self.caller.note(call.operation, status, headers.get("Authorization"))
        for fault in faults_of(call, str(status), kind, answer):
            self.faults[fault] += 1
            if len(self.shown) < SHOWN:
                self.shown.append(
                    f"{fault}: {call.method} {target[:200]} ({call.what}): {status} {answer[:300]!r}"
                )

    def send(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        """Send over this thread's connection, and once more where an idle one had been closed."""
        for line in (self.line(), self.line(is_new=True)):
            try:
                line.request(method, target, body or None, headers)
                response = line.getresponse()
                return response.status, response.headers.get_content_type(), response.read()
            except (OSError, http.client.HTTPException):
                continue
        return 599, "", b"no answer"

    def line(self, *, is_new: bool = False) -> http.client.HTTPConnection:
        known = self.lines.__dict__.get("line")
        if known is None or is_new:
            known = self.lines.line = http.client.HTTPConnection(stage.HOST, self.port, timeout=60)
        return known


def faults_of(call: Call, status: str, kind: str, answer: bytes) -> list[str]:
    """Return what is wrong with an answer."""
    if status >= "500":
        return ["answers of 500 and above"]
    found = []
    is_allowed = status in call.statuses or status in (
        ANYWHERE if call.is_astray else {"304", "400", "406", "412"}
    )
    if not is_allowed and not (call.is_astray and status < "300"):
        found.append("undocumented statuses")
    if status >= "400" and not is_envelope(kind, answer):
        found.append("refusals in another shape")
    return found


def is_envelope(kind: str, answer: bytes) -> bool:
    if kind != "application/json":
        return False
    body = json.loads(answer)
    return isinstance(body, dict) and set(body) >= ENVELOPE


def perform(port: int, role: str, calls: list[Call], ends_at: float) -> Mutation:
    from callers import Caller

    mutation = Mutation(port, Caller(role, misses_in_ten=0), ends_at)
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(mutation.make, calls):
            pass
    return mutation


def report(done: dict[str, Mutation], possible: list[Call], errors: int) -> None:
    faults = sum((one.faults for one in done.values()), Counter[str]())
    for role, one in done.items():
        print(f"{role:12}{one.caller.statuses.total():>8} calls  ", dict(sorted(one.caller.statuses.items())))
        for line in one.shown:
            print("   ", line)
    reached = set[str]().union(*(one.caller.reached for one in done.values()))
    print(f"{'calls':44}{sum(one.caller.statuses.total() for one in done.values()):>8}")
    print(f"{'calls that there are for each role':44}{len(possible):>8}")
    print(f"{'operations that were let through':44}{len(reached):>8}")
    stage.tell_unreached({call.operation for call in possible} - reached)
    stage.settle(
        {
            "answers of 500 and above": faults["answers of 500 and above"],
            "refusals in another shape": faults["refusals in another shape"],
            "undocumented statuses": faults["undocumented statuses"],
            "errors that nobody expected, in logs": errors,
        }
    )


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    number, seconds, seed = [*given, *[20_000, 0, random.SystemRandom().randrange(2**32)][len(given) :]]
    print(f"Seed {seed}. By hand: benchmarks/fuzz/mutate.py {number} {seconds} {seed}", flush=True)
    possible = list(Document(stage.PROJECT / "docs/openapi.yaml").calls())
    done = {}
    with stage.standing() as there:
        scene.lay_out()
        started = time.monotonic()
        for n, (role, share) in enumerate(SHARES.items(), start=1):
            order = random.Random(f"{seed}{role}")  # noqa: S311 - it is to be the same again
            chosen = order.sample(possible, min(len(possible), math.ceil(number * share)))
            ends_at = started + seconds * n / len(SHARES) if seconds else math.inf
            done[role] = perform(there.http.port, role, chosen, ends_at)
        print(f"{'seconds':44}{time.monotonic() - started:>8.0f}")
        errors = there.complaints()
    report(done, possible, errors)


if __name__ == "__main__":
    main()
