"""Examples in documents: found, run in one shell in their order, compared, and written anew.

In a ``console`` block a line that begins with ``$ `` is a command, one with ``> `` goes on with it, and what
follows is printed by it. A block of ``sh`` is run too: each command of it has to succeed, and none prints.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FENCE: Final = re.compile(r"```(console|sh)\n(.*?)```\n", re.DOTALL)
COMMAND: Final = re.compile(r"\$ (.*\n(?:> .*\n)*)((?:(?!\$ ).*\n)*)")
ANY: Final = "…"
SECONDS: Final = 300
DAY: Final = r"\b\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
TIME: Final = r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
# What differs each time: moments, days, ids of requests, seconds to wait. Their form does not.
VOLATILE: Final = {
    rf"{DAY}{TIME}\.\d{{6}}Z": "<moment>",
    rf"{DAY}{TIME}Z": "<second>",
    rf"{DAY}\b": "<day>",
    r"\b[0-9a-f]{32}\b": "<request>",
    r"(?i)Retry-After: [1-9]\d*": "Retry-After: <seconds>",
    r"/media/[\w-]+/": "/media/<token>/",
    r'(?i)ETag: W/"[^"]+"': "ETag: <weak tag>",
    r'(?i)ETag: "[^"]+"': "ETag: <strong tag>",
}
HEADERS: Final = re.compile(r"(?i)(HTTP/|etag|retry-after|idempotent|location|content-(type|disp))")
SECRETS: Final = {
    r"\b[0-9a-f]{32}\b": ANY,
    r"eyJhbGci[\w.-]+": f"eyJhbGci{ANY}",
    r"(/media/)[\w-]+/": rf"\1{ANY}/",
    r"(/calendar/)[\w-]{20,}": rf"\1{ANY}",
    r'("ticket":")[\w.:-]+': rf"\1{ANY}",
}


@dataclass
class Example:
    """A command, and what it prints; a block of ``sh`` is one without ``is_shown``.

    ``status``: with what it exited, None where the shell did not come to its end.
    """

    line: int
    command: str
    printed: str = ""
    is_shown: bool = True
    actual: str = ""
    status: int | None = 0

    def faults(self) -> list[str]:
        """Say where what was printed is not what stands in the document, and what failed."""
        found = compared(self.printed, self.actual)
        if self.status != 0:
            found.append("did not end" if self.status is None else f"exit status {self.status}")
        return [f"line {self.line}: {self.command.strip()}: {text}" for text in found]

    def as_run(self) -> str:
        return self.command if self.is_shown else f"set -e\n{self.command}set +e\n"


def examples(text: str) -> Iterator[Example]:
    for fence in FENCE.finditer(text):
        line = text.count("\n", 0, fence.start(2)) + 1
        if fence[1] == "sh":
            yield Example(line, fence[2], is_shown=False)
            continue
        for found in COMMAND.finditer(fence[2]):
            at = line + fence[2].count("\n", 0, found.start())
            yield Example(at, re.sub(r"(?m)^> ", "", found[1]), found[2])


def run(found: list[Example], *, folder: Path, environment: dict[str, str], base: tuple[str, str]) -> None:
    """Run all in one POSIX shell, and keep what each prints. ``base``: the documented host, the true one."""
    documented, true = base
    out = folder / "printed"
    out.mkdir(exist_ok=True)
    script = "".join(
        f'{{\n{example.as_run().replace(documented, true)}\n}} >"{out}/{number}" 2>&1 </dev/null\n'
        f'echo $? >"{out}/{number}.status"\n'
        for number, example in enumerate(found)
    )
    command = ["/bin/sh", "-c", script]
    subprocess.run(command, cwd=folder, env=environment, check=False, timeout=SECONDS)  # noqa: S603 - our document
    for number, example in enumerate(found):
        example.actual = read(out / str(number)).replace("\r", "").replace(true, documented)
        status = read(out / f"{number}.status")
        example.status = int(status) if status else None


def read(path: Path) -> str:
    """Return what a command has left, or nothing: the shell ended before it."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def compared(printed: str, actual: str) -> list[str]:
    """Say how they differ. Of headers those count that are documented."""
    said, told = printed.strip(), actual.strip()
    faults = []
    if said.startswith("HTTP/"):
        (head, _, said), (heads, _, told) = said.partition("\n\n"), told.partition("\n\n")
        lines = heads.split("\n")
        faults += [
            f"no {line!r} in {lines}"
            for line in head.split("\n")
            if not any(same(line, one) for one in lines)
        ]
    wanted, got = said.strip().split("\n"), told.strip().split("\n")
    if len(wanted) != len(got):
        return [*faults, f"{len(got)} lines, not {len(wanted)}: {told!r}"]
    for line, one in zip(wanted, got, strict=True):
        faults += compared_lines(line, one)
    return faults


def compared_lines(line: str, one: str) -> list[str]:
    if line[:1] not in {"{", "["}:
        return [] if same(line, one) else [f"{one!r}, not {line!r}"]
    try:
        return list(differences(pattern(line), json.loads(one), "$"))
    except ValueError:
        return [f"no JSON: {one!r}, or {line!r}"]


def pattern(line: str) -> Any:
    """Read JSON in which … stands for the rest of an object or a list."""
    inside: list[str] = []
    parts = [""]
    for token in re.findall(r'"(?:\\.|[^"\\])*"|\S', line):
        if token in "{[":
            inside.append(token)
        elif token in "}]":
            inside.pop()
        is_pair = token == ANY and inside[-1] == "{" and parts[-1] != ":"
        parts.append(token if token != ANY else f'"{ANY}":0' if is_pair else f'"{ANY}"')
    return json.loads("".join(parts))


def differences(wanted: Any, got: Any, where: str) -> Iterator[str]:
    """Say where a document is not as the pattern has it: keys, nesting, values."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        yield from missing(wanted, got, where)
        for key in wanted.keys() & got.keys():
            yield from differences(wanted[key], got[key], f"{where}.{key}")
    elif isinstance(wanted, list) and isinstance(got, list):
        rows = [row for row in wanted if row != ANY]
        if len(got) < len(rows) or (ANY not in wanted and len(got) > len(rows)):
            yield f"{where}: {len(got)} things, not {len(wanted)}"
        for number, (row, one) in enumerate(zip(rows, got, strict=False)):
            yield from differences(row, one, f"{where}[{number}]")
    elif isinstance(wanted, str) and isinstance(got, str):
        yield from () if same(wanted, got) else (f"{where}: {got!r}, not {wanted!r}",)
    elif wanted not in (ANY, got) or (type(wanted) is not type(got) and wanted != ANY):
        yield f"{where}: {got!r}, not {wanted!r}"


def missing(wanted: dict[str, Any], got: dict[str, Any], where: str) -> Iterator[str]:
    """Say which keys are missing, or too many where none were left out."""
    wrong = wanted.keys() - {ANY} - got.keys()
    if ANY not in wanted:
        wrong |= got.keys() - wanted.keys()
    if wrong:
        yield f"{where}: {sorted(wrong)} in one of both alone"


def same(wanted: str, got: str) -> bool:
    for expression, word in VOLATILE.items():
        wanted, got = re.sub(expression, word, wanted), re.sub(expression, word, got)
    return bool(re.fullmatch(".*".join(map(re.escape, wanted.split(ANY))), got, re.DOTALL))


def rewritten(text: str, found: list[Example]) -> str:
    """Return the document with what was printed in place of what is not true any more; secrets are cut."""
    lines = text.splitlines(keepends=True)
    for example in reversed(found):
        if example.is_shown and compared(example.printed, example.actual):
            first = example.line - 1 + example.command.count("\n")
            count = example.printed.rstrip("\n").count("\n") + 1 if example.printed.strip() else 0
            lines[first : first + count] = [shortened(example.actual)]
    return "".join(lines)


def shortened(actual: str) -> str:
    head, gap, body = actual.partition("\n\n")
    if head.startswith("HTTP/"):
        actual = "\n".join(line for line in head.split("\n") if HEADERS.match(line)) + gap + body
    for expression, short in SECRETS.items():
        actual = re.sub(expression, short, actual)
    return f"{actual.strip()}\n" if actual.strip() else ""
