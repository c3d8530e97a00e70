"""The storage's files as a backup holds them: each copied once, by its key, with its digest."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from django.core.files import File
from django.core.files.storage import default_storage

from core.refusals import Unavailable
from core.uploads.files import open_file
from core.uploads.store import STORAGE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PIECE_BYTES: Final = 1024**2
TRIES: Final = 3
PAUSE_SECONDS: Final = 2.0
KEY_BYTES: Final = 255  # a row holds no more letters, a disk's folder no longer name
DISKS_OWN: Final = "lost+found"  # beside the files where MEDIA_ROOT is a disk of its own, and root's alone


class Unreadable(Exception):
    """The storage lists a file, and does not give what is in it."""


class Gone(Exception):
    """The storage has a file no more."""


class Stored(NamedTuple):
    """A file as the storage lists it. ``modified`` is a number that changes when it is written anew."""

    key: str
    size: int
    modified: int


class Kept(NamedTuple):
    """A file as a backup has it."""

    digest: str
    size: int
    modified: int

    def is_copy_of(self, stored: Stored) -> bool:
        return (self.size, self.modified) == (stored.size, stored.modified)


def refuse(error: OSError) -> None:
    raise error


def stored_files(tell: Callable[[OSError], None] = refuse) -> Iterator[Stored]:
    """Yield every file of the storage: below MEDIA_ROOT, or in the bucket below its prefix.

    ``tell`` hears of each folder of a disk that cannot be listed, and may raise. Raises STORAGE_ERRORS.
    """
    return in_bucket() if hasattr(default_storage, "bucket_name") else on_disk(tell)


def is_a_key(key: str) -> bool:
    """Tell whether a file can be kept, and put back, under this name: one line, and one path below a folder.

    Ours all are, being letters and digits of ASCII below a prefix. Whoever names one otherwise has not
    stored it through the product.
    """
    parts = key.split("/")
    return (
        key.isprintable()
        and len(key.encode()) <= KEY_BYTES
        and "\\" not in key
        and {"", ".", ".."}.isdisjoint(parts)
    )


def in_bucket() -> Iterator[Stored]:
    storage: Any = default_storage
    prefix = f"{storage.location.strip('/')}/".lstrip("/")
    for row in storage.bucket.objects.filter(Prefix=prefix):
        if not row.key.endswith("/"):
            yield Stored(row.key.removeprefix(prefix), row.size, int(row.last_modified.timestamp()))


def on_disk(tell: Callable[[OSError], None]) -> Iterator[Stored]:
    """Yield nothing where there is no MEDIA_ROOT yet."""
    root = Path(default_storage.path(""))
    if not root.exists():
        return
    for folder, folders, names in os.walk(root, onerror=tell):
        if Path(folder) == root and DISKS_OWN in folders:
            folders.remove(DISKS_OWN)
        for name in names:
            path = Path(folder) / name
            try:
                found = path.lstat()
            except FileNotFoundError:
                continue
            except OSError as error:
                tell(error)
                continue
            if stat.S_ISREG(found.st_mode):
                yield Stored(path.relative_to(root).as_posix(), found.st_size, found.st_mtime_ns)


@contextmanager
def refusals() -> Iterator[None]:
    """Tell what the storage says from what the disk of the backups says: both are OSErrors."""
    try:
        yield
    except FileNotFoundError as error:
        raise Gone from error
    except (Unavailable, *STORAGE_ERRORS) as error:
        raise Unreadable(str(error) or type(error).__name__) from error


class Source:
    """A stored file that is read. Raises Gone and Unreadable."""

    def __init__(self, key: str) -> None:
        with refusals():
            self.file = open_file(key)

    def read(self, size: int) -> bytes:
        with refusals():
            piece: bytes = self.file.read(size)
            return piece

    def close(self) -> None:
        self.file.close()


def fetch(stored: Stored, target: Path) -> Kept | None:
    """Copy a file out of the storage so that it outlasts a power cut; None where it has gone.

    Each by itself: ``os.sync`` would write back what other programs have, too, and tell of no fault of the
    disk. Raises Unreadable after three tries, at once where this user may not read it; and OSError where the
    copy cannot be written.
    """
    for left in reversed(range(TRIES)):
        try:
            with closing(Source(stored.key)) as source, target.open("wb") as file:
                digest = copy(source, file)
                file.flush()
                os.fsync(file.fileno())
                return Kept(digest, file.tell(), stored.modified)
        except Gone:
            target.unlink(missing_ok=True)
            return None
        except Unreadable as error:
            if not left or isinstance(error.__cause__, PermissionError):
                target.unlink(missing_ok=True)
                raise
            time.sleep(PAUSE_SECONDS)
    raise AssertionError


def put_back(key: str, source: Path) -> None:
    """Store a file under its key, over what is there. Raises STORAGE_ERRORS."""
    default_storage.delete(key)
    with source.open("rb") as file:
        name = default_storage.save(key, File(file))
    if name != key:
        raise OSError(f"The storage has stored {key} as {name}.")


def digest_in_storage(key: str) -> str:
    """Return the digest of what the storage has; empty where it has nothing. Raises STORAGE_ERRORS."""
    try:
        with open_file(key) as file:
            return copy(file)
    except FileNotFoundError:
        return ""


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return copy(file)


def copy(source: IO[bytes] | File[Any] | Source, target: IO[bytes] | None = None) -> str:
    """Read to the end, and write what is read where there is a target; returns its SHA-256."""
    digest = hashlib.sha256()
    while piece := source.read(PIECE_BYTES):
        digest.update(piece)
        if target is not None:
            target.write(piece)
    return digest.hexdigest()


def write_list(path: Path, files: dict[str, Kept]) -> None:
    """Write a line a file: digest, size, when modified, key."""
    with path.open("w", encoding="utf-8") as lines:
        for key, kept in sorted(files.items()):
            lines.write(f"{kept.digest}\t{kept.size}\t{kept.modified}\t{key}\n")


def read_list(lines: Iterable[str]) -> dict[str, Kept]:
    found = {}
    for line in lines:
        digest, size, modified, key = line.rstrip("\n").split("\t", 3)
        found[key] = Kept(digest, int(size), int(modified))
    return found
