"""The files in which the processes of one machine count together, and what the dead leave in them.

All of a folder's processes must see each other's process ids: in one container, or on one machine. Each has
files of its own (``counter_<pid>.db`` and so on). What the dead counted still counts; what they had open does
not. Their files are added up into one, or each restart would leave some behind.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import mmap_dict, multiprocess

from core.watching.owners import lives, turn

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

FILE: Final = re.compile(r"(?:(?P<adds>counter|histogram)|gauge_live\w+|owner)_(?P<pid>\d+)(?:\.db)?")
GONE: Final = "gone"
ADDED: Final = ("counter", "histogram")
HEAD_BYTES: Final = 8  # of each file, before the first number
Collector: Any = multiprocess.MultiProcessCollector
Numbers: Any = mmap_dict.MmapedDict  # a file's: the library has no types for either


def families(folder: str) -> list[Any]:
    """Return what all processes have counted, without what dead ones had open.

    Readers take turns, or one would miss what another is adding up.
    """
    with turn(Path(folder)):
        gather_the_dead(Path(folder))
        return list(Collector.merge([str(file) for file in Path(folder).glob("*.db") if is_begun(file)]))


def is_begun(file: Path) -> bool:
    """Tell whether a file can be read: the library makes it empty, and gives it a length then."""
    with suppress(FileNotFoundError):  # gunicorn's master takes gauges away out of turn
        return file.stat().st_size >= HEAD_BYTES
    return False


def gather_the_dead(folder: Path) -> None:
    """Add up what they counted, and take away what they had open. What says whose it was goes last."""
    for kind in ADDED:
        finish(folder / f"{kind}_{GONE}.db")
    for file in [*sorted(folder.glob("*.db")), *folder.glob("owner_*")]:
        found = FILE.fullmatch(file.name)
        if found is None or lives(int(found["pid"]), folder):
            continue
        if found["adds"] and is_begun(file):
            add_up(file, folder / f"{found['adds']}_{GONE}.db")
            continue
        if found["adds"]:
            logger.info("metrics_file_empty", extra={"file": file.name})
        file.unlink(missing_ok=True)


def add_up(file: Path, total: Path) -> None:
    """Add a dead process's numbers to the total. Wherever this is killed, they count once.

    The file is taken under a name that is no process's, and the sum written beside the total. Once what was
    taken is deleted the sum stands for the total, and takes its place.
    """
    file.replace(total.with_suffix(".taken"))
    finish(total)


def finish(total: Path) -> None:
    """Do what is left of adding up, from wherever it ended."""
    taken, sums = total.with_suffix(".taken"), total.with_suffix(".sum")
    if taken.exists():
        add(taken, total, sums)
        taken.unlink()
    if sums.exists():
        sums.replace(total)


def add(taken: Path, total: Path, sums: Path) -> None:
    """Write the sum of two files into a third, which takes its place at once, or not at all."""
    added = dict(numbers(total)) if total.exists() else {}
    for key, number in numbers(taken):
        added[key] = added.get(key, 0.0) + number
    fresh = sums.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    written = Numbers(str(fresh))
    for key, number in added.items():
        written.write_value(key, number, 0.0)
    written.close()
    fresh.replace(sums)


def numbers(file: Path) -> Iterable[tuple[str, float]]:
    return [(key, number) for key, number, *_ in Numbers.read_all_values_from_file(str(file))]
