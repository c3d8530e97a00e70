"""The files of a backup that is being made: linked, copied, or noted where neither can be."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from django.core.files.storage import default_storage

from core.recovery.files import Kept, Unreadable, fetch, is_a_key, stored_files
from core.recovery.folders import FILES, sync

if TYPE_CHECKING:
    from core.recovery.files import Stored
    from core.recovery.losses import Former

FAULTS_IN_A_ROW: Final = 20


class Files:
    """The files of a backup that is being made; what the former one has is linked, not copied."""

    def __init__(self, folder: Path, former: Former | None) -> None:
        self.folder = folder
        self.former = former
        self.have: dict[str, Kept] = {}
        self.copied = self.linked = 0
        self.cut_short: set[str] = set()
        self.left_out: set[str] = set()
        self.unreadable: dict[str, str] = {}
        self.in_a_row = 0

    def take_all(self) -> None:
        """Take every file that the storage has and this backup has not. Raises STORAGE_ERRORS.

        One that cannot be read is told; twenty in a row are a storage that is down, and raise OSError.
        """
        self.in_a_row = 0
        for stored in stored_files(self.not_listed):
            have = self.have.get(stored.key)
            if not is_a_key(stored.key):
                self.left_out.add(ascii(stored.key))
            elif have is None or not have.is_copy_of(stored):
                self.take(stored)

    def not_listed(self, error: OSError) -> None:
        """Note a folder that cannot be looked into; MEDIA_ROOT itself is the storage that is away."""
        root = Path(default_storage.path(""))
        if error.filename is None or (path := Path(error.filename)) == root:
            raise error
        if not isinstance(error, FileNotFoundError):
            key = path.relative_to(root).as_posix()
            self.unreadable[key if is_a_key(key) else ascii(key)] = error.strerror or type(error).__name__

    def take(self, stored: Stored) -> None:
        target = self.folder / FILES / stored.key
        if target.is_dir():
            self.left_out.add(ascii(stored.key))
            return
        self.make_way(stored.key)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        self.have.pop(stored.key, None)
        if kept := self.link(stored, target):
            self.linked += 1
        elif kept := self.fetch(stored, target):
            self.copied += 1
        if kept:
            self.have[stored.key] = kept
            self.unreadable.pop(stored.key, None)

    def make_way(self, key: str) -> None:
        """Leave out a file that has the name of a folder of others: a bucket has both, a disk does not."""
        for parent in PurePosixPath(key).parents:
            if self.have.pop(str(parent), None):
                (self.folder / FILES / parent).unlink()
                self.left_out.add(ascii(str(parent)))

    def fetch(self, stored: Stored, target: Path) -> Kept | None:
        """Copy a file. Nothing is told by links of whether the storage can be read: they do not count."""
        try:
            kept = fetch(stored, target)
        except Unreadable as error:
            # Whom a file belongs to says nothing of the storage, and the second round nothing of the first's.
            is_news = stored.key not in self.unreadable
            self.in_a_row += is_news and not isinstance(error.__cause__, PermissionError)
            self.unreadable[stored.key] = str(error)
            if self.in_a_row >= FAULTS_IN_A_ROW:
                raise OSError(f"{self.in_a_row} files in a row cannot be read: {error}") from error
            return None
        self.in_a_row = 0
        return kept

    def link(self, stored: Stored, target: Path) -> Kept | None:
        """Share a file with the former backup; None where it has none such, or the disk cannot."""
        kept = self.former.files.get(stored.key) if self.former else None
        if self.former and kept and kept.is_copy_of(stored):
            source = self.former.path / FILES / stored.key
            with suppress(OSError):
                if source.stat().st_size != kept.size:
                    self.cut_short.add(stored.key)
                    return None
                os.link(source, target)
                return kept
        return None

    def outlast(self) -> None:
        """Have the names of the files outlast a power cut: ``fetch`` has seen to what is in them."""
        for folder, _, _ in os.walk(self.folder / FILES):
            sync(Path(folder))

    def notes(self) -> list[str]:
        told = {
            "copied again, cut short in the backup before": self.cut_short,
            "left out, no names of ours": self.left_out,
        }
        notes = [f"{words}: {len(keys)}, such as {min(keys)}" for words, keys in told.items() if keys]
        if self.unreadable:
            key = min(self.unreadable)
            notes.append(f"cannot be read: {len(self.unreadable)}, such as {key}: {self.unreadable[key]}")
        return notes
