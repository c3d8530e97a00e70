"""What rows name and a backup has not: told, and held against the backups before."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from core.models import Upload
from core.recovery.files import digest_of
from core.recovery.folders import FILE_LIST, FILES, BackupBroken, files_of, manifest_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from core.recovery.files import Kept


class Former(NamedTuple):
    """A backup that is there already: its files, and the keys that it told to be missing or damaged."""

    path: Path
    files: dict[str, Kept]
    lacking: frozenset[str]


def former_of(backup: Path) -> Former:
    """Read what a backup has. Raises BackupBroken where its list is not what its manifest says."""
    said = manifest_of(backup).get("files")
    files = files_of(backup)
    if not isinstance(said, dict) or said.get("sha256") != digest_of(backup / FILE_LIST):
        raise BackupBroken(f"{backup / FILE_LIST} is not what was kept.")
    return Former(backup, files, frozenset(lacking(said)))


def lacking(said: dict[str, Any]) -> list[str]:
    """Return the keys that a manifest tells of. An older one does not know what is damaged."""
    return [*said["missing"], *said.get("damaged", ())]


def compared(named: dict[str, int], have: dict[str, Kept]) -> dict[str, list[str]]:
    """Return the keys that rows name (with their size) and nobody has, and those of another size."""
    return {
        "missing": sorted(named.keys() - have.keys()),
        "damaged": sorted(key for key in named.keys() & have.keys() if have[key].size != named[key]),
    }


def losses(said: dict[str, Any], former: Former | None, before: Collection[Path]) -> list[str]:
    """Say what a new backup lacks, where that is news, or where an older one has it whole.

    What is stored and deleted again within the backup is no loss: its row has gone.
    """
    if not (told := lacking(said)):
        return []
    rows = dict(Upload.objects.values_list("key", "size"))
    lost = {key: rows[key] for key in told if key in rows}
    news = lost.keys() - former.lacking if former else lost.keys()
    held = {path.name: keys for path in before if (keys := held_by(path, lost))}
    if not (found := set(news).union(*held.values())):
        return []
    words = f"{len(found)} files that rows name are missing or of another size, such as {min(found)}."
    if held:
        last = max(held)
        words += f" {last} has {len(held[last])} of them: put them back from there."
    return [f"{words} No older backup was deleted."]


def held_by(backup: Path, sizes: dict[str, int]) -> set[str]:
    """Return which files of these sizes a backup has."""
    held = set()
    for key, size in sizes.items():
        with suppress(OSError):
            if (backup / FILES / key).stat().st_size == size:
                held.add(key)
    return held
