"""What rows name and a backup has not: told every time, until somebody accepts that it is lost."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from core.models import Upload
from core.recovery.files import digest_of
from core.recovery.folders import (
    FILE_LIST,
    FILES,
    BackupBroken,
    alone_in,
    files_of,
    manifest_of,
    sync,
    whole_backups,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from core.recovery.files import Kept

KNOWN: Final = "known-losses.txt"


class Former(NamedTuple):
    """A backup that is there already, and its files."""

    path: Path
    files: dict[str, Kept]


class Accepted(NamedTuple):
    """The losses of a backup that are known by now; ``held`` are words on who has them."""

    backup: str
    keys: list[str]
    held: str


def former_of(backup: Path) -> Former:
    """Read what a backup has. Raises BackupBroken where its list is not what its manifest says."""
    said = manifest_of(backup).get("files")
    files = files_of(backup)
    if not isinstance(said, dict) or said.get("sha256") != digest_of(backup / FILE_LIST):
        raise BackupBroken(f"{backup / FILE_LIST} is not what was kept.")
    return Former(backup, files)


def compared(named: dict[str, int], have: dict[str, Kept]) -> dict[str, list[str]]:
    """Return the keys that rows name (with their size) and nobody has, and those of another size."""
    return {
        "missing": sorted(named.keys() - have.keys()),
        "damaged": sorted(key for key in named.keys() & have.keys() if have[key].size != named[key]),
    }


def still_named(named: dict[str, int], told: dict[str, list[str]]) -> dict[str, int]:
    """Return what is lost, with its size: what was stored and deleted again meanwhile is not."""
    keys = sorted(key for keys in told.values() for key in keys)
    rows = set(Upload.objects.values_list("key", flat=True)) if keys else set()
    return {key: named[key] for key in keys if key in rows}


def told_of(lost: dict[str, int], known: Collection[str], before: Collection[Path]) -> list[str]:
    """Say what a new backup lacks and nobody has accepted."""
    new = {key: size for key, size in lost.items() if key not in known}
    if not new:
        return []
    words = f"{len(new)} files that rows name are missing or of another size, such as {min(new)}."
    words += f"{who_has(new, before)} No older backup was deleted."
    return [f"{words} What cannot or must not come back: backup.sh TARGET --accept-losses."]


def who_has(lost: dict[str, int], backups: Collection[Path]) -> str:
    """Say which backup is the last that has some of these files whole; nothing where none has."""
    held = {path.name: count for path in backups if (count := held_by(path, lost))}
    if not held:
        return ""
    last = max(held)
    return f" {last} has {held[last]} of them: put them back from there."


def held_by(backup: Path, sizes: dict[str, int]) -> int:
    """Return how many files of these sizes a backup has."""
    count = 0
    for key, size in sizes.items():
        with suppress(OSError):
            count += (backup / FILES / key).stat().st_size == size
    return count


def known_losses(target: Path) -> tuple[list[str], list[str]]:
    """Return the keys that somebody accepted to be lost, and a word where that cannot be read: then none."""
    try:
        text = (target / KNOWN).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return [], []
    except OSError as error:
        return [], [f"{KNOWN} cannot be read: {error}."]
    return [line for line in text.splitlines() if line], []


def write_known(target: Path, keys: list[str], *, instead_of: list[str]) -> list[str]:
    """Keep these keys alone: one that is back, and is lost again, is news. Returns a word of what fails."""
    if keys == instead_of:
        return []
    written = target / f".{KNOWN}.new"
    try:
        written.write_text("".join(f"{key}\n" for key in keys), encoding="utf-8")
        written.chmod(0o600)
        sync(written)
        written.replace(target / KNOWN)
        sync(target)
    except OSError as error:
        return [f"{KNOWN} could not be written: {error}."]
    return []


def accept_losses(target: Path) -> Accepted:
    """Accept all that the last backup tells to be lost. Raises BackupRunning, and BackupBroken."""
    with alone_in(target):
        backups = whole_backups(target)
        if not backups:
            raise BackupBroken(f"There is no backup in {target}.")
        said = manifest_of(backups[-1]).get("files")
        if not isinstance(said, dict) or "lost" not in said:
            raise BackupBroken(f"{backups[-1]} does not tell what is lost: make a new one first.")
        known, faults = known_losses(target)
        new = sorted(said["lost"].keys() - set(known))
        if faults := faults or write_known(target, known + new, instead_of=known):
            raise BackupBroken(" ".join(faults))
        return Accepted(backups[-1].name, new, who_has({key: said["lost"][key] for key in new}, backups))
