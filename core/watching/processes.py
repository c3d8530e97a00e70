"""The files in which the processes of one machine count together, and what the dead leave in them.

All of a folder's processes must see each other's process ids: in one container, or on one machine. Each has
files of its own (``counter_<pid>.db`` and so on). What the dead counted still counts; what they had open does
not. Their files are added up into one, or each restart would leave some behind.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import mmap_dict, multiprocess

from core.watching.owners import lives, turn

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE: Final = re.compile(r"(?:(?P<adds>counter|histogram)|gauge_live\w+|owner)_(?P<pid>\d+)(?:\.db)?")
GONE: Final = "gone"
Collector: Any = multiprocess.MultiProcessCollector
Numbers: Any = mmap_dict.MmapedDict  # a file's: the library has no types for either


def families(folder: str) -> list[Any]:
    """Return what all processes have counted, without what dead ones had open.

    Readers take turns, or one would miss what another is adding up.
    """
    with turn(Path(folder)):
        gather_the_dead(Path(folder))
        return list(Collector(None, folder).collect())


def gather_the_dead(folder: Path) -> None:
    """Add up what they counted, and take away what they had open. What says whose it was goes last."""
    for file in [*sorted(folder.glob("*.db")), *folder.glob("owner_*")]:
        found = FILE.fullmatch(file.name)
        if found is None or lives(int(found["pid"]), folder):
            continue
        if found["adds"]:
            add_up(file, folder / f"{found['adds']}_{GONE}.db")
        file.unlink(missing_ok=True)


def add_up(file: Path, total: Path) -> None:
    """Add a file's numbers to the total. The total takes its place at once, or not at all."""
    sums = dict(numbers(total)) if total.exists() else {}
    for key, number in numbers(file):
        sums[key] = sums.get(key, 0.0) + number
    fresh = total.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    written = Numbers(str(fresh))
    for key, number in sums.items():
        written.write_value(key, number, 0.0)
    written.close()
    fresh.replace(total)


def numbers(file: Path) -> Iterable[tuple[str, float]]:
    return [(key, number) for key, number, *_ in Numbers.read_all_values_from_file(str(file))]
