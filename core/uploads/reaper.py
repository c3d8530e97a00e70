"""The nightly search: files that no row names, uploads that nothing needs, rows without their file."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.forgetting import Line
from core.models import Upload
from core.periodic import periodic
from core.registry import file_rights, files_named, uploads_needed
from core.uploads.erasure import delete_spare
from core.uploads.files import remove_files

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

Item = TypeVar("Item")

ORPHANS_AFTER: Final = timedelta(hours=24)  # bytes are stored before their row is written
UNNEEDED_AFTER: Final = timedelta(days=7)  # somebody without a line may still send what they uploaded
BATCH: Final = 1_000
# A night with the wrong database or bucket costs so much and no more, and a run ends in time.
MOST_A_RUN: Final = 1_000


class Stored(NamedTuple):
    """A file as the storage lists it."""

    key: str
    modified: datetime


def reapable() -> list[Line]:
    """Count what a run without its bound would delete. Searches the storage: raises STORAGE_ERRORS."""
    found = reap(dry_run=True)
    return [Line("files that no row names", found["orphans"]), Line("spare uploads", found["unneeded"])]


@periodic("reap_files", every=timedelta(hours=24), due=(reapable,))
def reap_files() -> dict[str, int]:
    """Look for what nothing names or needs, and delete it; returns what was found and done."""
    return reap()


def reap(*, dry_run: bool = False) -> dict[str, int]:
    """Delete what nothing names or needs, at most 1,000 of each a run; returns what was found and done.

    ``missing`` counts uploads whose file is not there: they are left for somebody to look at. Raises
    STORAGE_ERRORS.
    """
    most = 0 if dry_run else MOST_A_RUN
    report = Counter(files=0, orphans=0, orphans_deleted=0, missing=0)
    for folder in dict.fromkeys((*file_rights.entries, *files_named.entries)):
        report.update(reap_orphans(folder, most=most - report["orphans_deleted"]))
    report.update(reap_unneeded(most=most))
    return dict(report)


def reap_orphans(folder: str, *, most: int) -> dict[str, int]:
    """Delete up to ``most`` files of a folder that no row names and that are no longer new."""
    before = timezone.now() - ORPHANS_AFTER
    files = present = orphans = deleted = 0
    for batch in batches(files_in(folder)):
        uploads = Upload.objects.filter(key__in=[file.key for file in batch])
        rows = dict(uploads.values_list("key", "created_at"))
        old = {file.key for file in batch if file.modified < before} - rows.keys()
        nameless = sorted(old - named_by_apps(folder, old))
        doomed = nameless[: most - deleted]
        remove_files(doomed)
        files += len(batch)
        present += sum(created_at < before for created_at in rows.values())
        orphans += len(nameless)
        deleted += len(doomed)
    expected = Upload.objects.filter(key__startswith=f"{folder}/", created_at__lt=before).count()
    missing = max(0, expected - present)  # below nothing where a row was deleted meanwhile
    return {"files": files, "orphans": orphans, "orphans_deleted": deleted, "missing": missing}


def named_by_apps(folder: str, keys: Collection[str]) -> set[str]:
    names = files_named.entries.get(folder)
    return names(keys) if names and keys else set()


def reap_unneeded(*, most: int) -> dict[str, int]:
    """Delete up to ``most`` old uploads that hang on nothing, rows and files."""
    found = deleted = 0
    for ids in old_uploads():
        spare = sorted(set(ids).difference(*(ask(ids) for ask in uploads_needed)))
        found += len(spare)
        if doomed := spare[: most - deleted]:
            with transaction.atomic():
                deleted += len(doomed) - len(delete_spare(doomed))
    return {"unneeded": found, "unneeded_deleted": deleted}


def old_uploads() -> Iterator[list[int]]:
    """Yield the ids of old uploads in folders whose apps say what they need, batch by batch."""
    before, last = timezone.now() - UNNEEDED_AFTER, 0
    folders = Q(*(("key__startswith", f"{folder}/") for folder in file_rights.entries), _connector=Q.OR)
    old = Upload.objects.filter(folders, created_at__lt=before).order_by("pk")
    while ids := list(old.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        yield ids
        last = ids[-1]


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


def files_in(folder: str) -> Iterator[Stored]:
    """Yield the files of a folder as the storage tells of them, page by page."""
    return in_bucket(folder) if hasattr(default_storage, "bucket_name") else on_disk(folder)


def in_bucket(folder: str) -> Iterator[Stored]:
    storage: Any = default_storage
    prefix = f"{storage.location.strip('/')}/{folder}/".lstrip("/")
    for row in storage.bucket.objects.filter(Prefix=prefix, Delimiter="/"):
        if row.key != prefix:
            yield Stored(f"{folder}/{row.key.removeprefix(prefix)}", row.last_modified)


def on_disk(folder: str) -> Iterator[Stored]:
    try:
        entries = os.scandir(default_storage.path(folder))
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                modified = datetime.fromtimestamp(entry.stat(follow_symlinks=False).st_mtime, UTC)
                yield Stored(f"{folder}/{entry.name}", modified)
