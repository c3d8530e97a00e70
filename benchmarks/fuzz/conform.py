"""Whether generated calls by every role meet no 5xx, and are answered as docs/openapi.yaml says (SAFETY R13).

``make fuzz``; by hand, on a private PostgreSQL that ends with it:

    scripts/services.sh run -- .venv/bin/python benchmarks/fuzz/conform.py [CASES [SECONDS [SEED]]]

Schemathesis makes the calls: every operation, right and wrong ones, as nobody and as five roles, until
there are so many, or so many seconds are over (0: never); one round for each role there is at least. From
48,000 on its deterministic phase is among them. Tokens are blanked in what is printed. Fails where a check
fails, where a server logs an error that nobody expected, or where a role has died.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.request import Request, urlopen

import scene
import stage
from calls import Document

if TYPE_CHECKING:
    from stage import Stage

HERE: Final = Path(__file__).resolve().parent
SCHEMA: Final = "docs/openapi.yaml"
HOOKS: Final = {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": f"{HERE}{os.pathsep}{stage.PROJECT}"}
CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
COMMAND: Final = (
    *(str(stage.BIN / "st"), "--no-color", "run", SCHEMA, "--mode", "all", "--continue-on-failure"),
    *("--checks", ",".join(CHECKS), "--generation-database", "none", "--request-timeout", "60"),
    *("--warnings", "off", "--suppress-health-check", "all"),
)
FOUND: Final = re.compile(r"❌ (ST\d+ .+): (\d+)$", re.MULTILINE)
AT_ONCE: Final = 2
# Calls that the deterministic phase makes for a role, however few are asked for.
COVERAGE_CASES: Final = 8_000
LARGEST_ROUND: Final = 30
SESSIONS_ENDED: Final = 0.05


@dataclass
class Told:
    """What the rounds of one role came to."""

    statuses: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    reached: set[str] = field(default_factory=set)
    revivals: int = 0
    seconds: float = 0.0

    @property
    def cases(self) -> int:
        return self.statuses.total()

    @property
    def faults(self) -> int:
        return sum(number for status, number in self.statuses.items() if status >= "500")


@dataclass
class Plan:
    """How much is to be called, and until when."""

    there: Stage
    cases: int
    seed: int
    ends_at: float

    def play(self, role: str) -> Told:
        """Have a role make at least so many calls, in rounds that each have their own seed."""
        told, started, seed = Told(), time.monotonic(), self.seed
        phases = "examples,coverage,fuzzing" if self.cases >= COVERAGE_CASES else "examples,fuzzing"
        is_first = True
        while is_first or (told.cases < self.cases and not told.failures and time.monotonic() < self.ends_at):
            is_first, examples = False, (self.cases - told.cases) // len(operations())
            self.round(role, told, seed, phases, max(1, min(LARGEST_ROUND, examples)))
            phases, seed = "fuzzing", seed + 1
        told.seconds = time.monotonic() - started
        return told

    def round(self, role: str, told: Told, seed: int, phases: str, examples: int) -> None:
        """Run schemathesis once, and add up what it did; what it says is printed where it failed."""
        options = [*("--phases", phases), *("--max-examples", str(examples)), *("--seed", str(seed))]
        # Who is signed in brings their own token; nobody brings whatever is made up.
        options += ["--generation-with-security-parameters", str(role == "anonymous")]
        with tempfile.TemporaryDirectory() as folder:
            tally = Path(folder) / "tally.json"
            environment = {**os.environ, **HOOKS, "FUZZ_ROLE": role, "FUZZ_TALLY": str(tally)}
            done = subprocess.run(  # noqa: S603 - our own command
                [*COMMAND, "--url", self.there.origin, *options],
                env=environment,
                cwd=stage.PROJECT,
                capture_output=True,
                text=True,
                check=False,
            )
            known = json.loads(tally.read_text()) if tally.exists() else {"statuses": {}}
        told.statuses.update(known["statuses"])
        told.reached.update(known.get("reached", []))
        told.revivals += known.get("revivals", 0)
        if done.returncode:
            found = {name: int(number) for name, number in FOUND.findall(done.stdout)}
            told.failures.update(found or {f"exit status {done.returncode}": 1})
            print(f"\n--- as {role}, seed {seed}\n{done.stdout}{done.stderr[-4_000:]}", flush=True)


@cache
def operations() -> set[str]:
    return {f"{method} {path}" for method, path, _ in Document(stage.PROJECT / SCHEMA).operations()}


def is_alive(there: Stage, role: str) -> bool:
    """Tell whether the account of a role is let in, as it is now."""
    from authentication.sessions import open_session
    from users.models import User

    if role == "anonymous":
        return True
    user = User.objects.filter(pk=scene.person_id(role)).first()
    if user is None:
        return False
    headers = {"Authorization": f"Bearer {open_session(user, user_agent='').access}"}
    try:
        urlopen(Request(f"{there.origin}/api/users/me/", headers=headers), timeout=10).close()  # noqa: S310 - ours
    except OSError:
        return False
    return True


def report(told: dict[str, Told], dead: list[str], errors: int) -> None:
    """Print the counts, by role and in all; exit with 1 where a number is not as it must be."""
    for role, one in told.items():
        print(f"{role:12}{one.cases:>8} cases{one.seconds:>8.0f} s  ", dict(sorted(one.statuses.items())))
    failures = sum((one.failures for one in told.values()), Counter[str]())
    reached = set[str]().union(*(one.reached for one in told.values()))
    print(f"{'cases':44}{sum(one.cases for one in told.values()):>8}")
    print(f"{'operations that were let through':44}{len(reached):>8} of {len(operations())}")
    stage.tell_unreached(operations() - reached)
    print(f"{'sessions that a call ended':44}{sum(one.revivals for one in told.values()):>8}")
    for name, number in failures.items():
        print(f"{name:44}{number:>8}")
    often = [role for role, one in told.items() if one.revivals > SESSIONS_ENDED * one.cases]
    stage.settle(
        {
            "answers of 500 and above": sum(one.faults for one in told.values()),
            "failed checks": failures.total(),
            "errors that nobody expected, in logs": errors,
            "roles that did not live to the end": len(dead),
            "roles that were signed out most of the time": len(often),
        }
    )


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    cases, seconds, seed = [*given, *[3_000, 0, random.SystemRandom().randrange(2**32)][len(given) :]]
    print(f"Seed {seed}. By hand: benchmarks/fuzz/conform.py {cases} {seconds} {seed}", flush=True)
    with stage.standing() as there, ThreadPoolExecutor(AT_ONCE) as pool:
        scene.lay_out()
        ends_at = time.monotonic() + seconds if seconds else math.inf
        plan = Plan(there, math.ceil(cases / len(scene.ROLES)), seed, ends_at)
        told = dict(zip(scene.ROLES, pool.map(plan.play, scene.ROLES), strict=True))
        dead = [role for role in scene.ROLES if not is_alive(there, role)]
        errors = there.complaints()
    report(told, dead, errors)


if __name__ == "__main__":
    main()
