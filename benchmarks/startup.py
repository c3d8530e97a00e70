"""What a start costs: CPU, wall-clock time and memory of `check` and of both entries, above Django's own.

By hand, on a private PostgreSQL and Redis that end with it:

    scripts/services.sh run -- .venv/bin/python benchmarks/startup.py [ROUNDS]

Every round starts each of them once, in a fresh process. Writes ``docs/performance/startup.md``; fails where
a check takes its bar or more of a processor. Linux alone: memory is read from ``/proc``.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

PROJECT: Final = Path(__file__).resolve().parent.parent
TABLE: Final = PROJECT / "docs/performance/startup.md"
ROUNDS: Final = 7
CHECK_SECONDS: Final = 1.5
PRODUCTION: Final = {
    "SECRET_KEY": secrets.token_hex(32),
    "DEBUG": "false",
    "ALLOWED_HOSTS": "hub.example.org",
    "FRONTEND_BASE_URL": "https://hub.example.org",
    "CORS_ALLOWED_ORIGINS": "https://hub.example.org",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "EMAIL_HOST": "smtp.example.org",
}
EMBEDDED: Final = {"SECRET_KEY": PRODUCTION["SECRET_KEY"], "DEBUG": "true"}
KEPT: Final = ("PATH", "HOME", "LANG")
STORES: Final = ("DB_", "REDIS_")
EMPTY: Final = """
import django
from django.conf import settings

apps = ["admin", "auth", "contenttypes", "sessions", "messages", "staticfiles"]
settings.configure(INSTALLED_APPS=[f"django.contrib.{name}" for name in apps])
django.setup()
"""
TELL: Final = """
import sys
lines = open("/proc/self/smaps_rollup").read().splitlines()
sizes = dict(line.split()[:2] for line in lines[1:])
print(sizes["Rss:"], sizes["Pss:"], len(sys.modules))
"""
PAGE: Final = """# What a start costs

`make bench PART=startup`: {rounds} rounds, each of which starts every one of them once in a fresh process;
medians. CPU and wall-clock time in seconds from the start of Python to its end, memory in MiB when all is
loaded (PSS counts what processes share by its part).

| start | CPU | of all rounds | wall | RSS | PSS | modules |
|---|---|---|---|---|---|---|
{rows}

The bar: a check in less than {bar} s. Which libraries wait for their first use:
`btf_backend/tests/test_imports.py`.
"""
CHECK: Final = "import sys, manage; sys.argv = ['manage.py', 'check']; manage.main()"


class Start(NamedTuple):
    """What one start took: seconds of processors and of the clock, KiB of memory, modules."""

    cpu: float
    wall: float
    rss: int
    pss: int
    modules: int


# Name: the code, and on which profile.
STARTS: Final = {
    "Python alone": ("", EMBEDDED),
    "`import django`": ("import django", EMBEDDED),
    "`django.setup()` of an empty project": (EMPTY, EMBEDDED),
    "`manage.py check`, embedded": (CHECK, EMBEDDED),
    "`manage.py check`, production": (CHECK, PRODUCTION),
    "`import btf_backend.wsgi`, production": ("import btf_backend.wsgi", PRODUCTION),
    "`import btf_backend.asgi`, production": ("import btf_backend.asgi", PRODUCTION),
}


def environment(profile: dict[str, str]) -> dict[str, str]:
    """Return what a process of that profile sees: nothing of a developer's own, and stores in production."""
    prefixes = STORES if profile is PRODUCTION else ()
    own = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(prefixes)}
    return {**own, **profile, "ENV_FILE": os.devnull}


def start(code: str, profile: dict[str, str]) -> Start:
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code + TELL],
        cwd=PROJECT,
        env=environment(profile),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    wall, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    rss, pss, modules = map(int, done.stdout.split()[-3:])
    return Start(cpu, wall, rss, pss, modules)


def row(name: str, starts: list[Start]) -> str:
    cpu, wall = sorted(each.cpu for each in starts), median(each.wall for each in starts)
    rss, pss = (median(each) / 1024 for each in zip(*(s[2:4] for s in starts), strict=True))
    spread = f"{cpu[0]:.2f} to {cpu[-1]:.2f}"
    modules = f"{starts[0].modules:,}"
    return f"| {name} | {median(cpu):.2f} | {spread} | {wall:.2f} | {rss:.0f} | {pss:.0f} | {modules} |"


def report(measured: dict[str, list[Start]]) -> str:
    rounds = len(next(iter(measured.values())))
    rows = "\n".join(row(name, starts) for name, starts in measured.items())
    return PAGE.format(rounds=rounds, rows=rows, bar=CHECK_SECONDS)


def main() -> None:
    if "DB_PORT" not in os.environ:
        raise SystemExit(__doc__)
    measured: dict[str, list[Start]] = {name: [] for name in STARTS}
    for code, profile in STARTS.values():
        start(code, profile)  # compiles what is new, and reads the files into memory
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS):
        for name, (code, profile) in STARTS.items():
            measured[name].append(start(code, profile))
    text = report(measured)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(text)
    sys.stdout.write(text)
    checks = [name for name, (code, _) in STARTS.items() if code == CHECK]
    slow = [name for name in checks if median(each.cpu for each in measured[name]) >= CHECK_SECONDS]
    if slow:
        raise SystemExit(f"{CHECK_SECONDS} s or more: {', '.join(slow)}")


if __name__ == "__main__":
    main()
