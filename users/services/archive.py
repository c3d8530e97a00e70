"""The ZIP that a person may have of everything we hold of them: asked for, built, handed out, deleted."""

from __future__ import annotations

import tempfile
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core import audit
from core.forgetting import BATCH
from core.limits import take_or_fall_back
from core.refusals import TooMany, Unavailable
from core.tasks import enqueue_on_commit
from core.uploads.files import open_part, remove_files, save_file
from core.uploads.store import STORAGE_ERRORS
from users.models import DataArchive, User
from users.services.archive_content import write_archive
from users.services.holding import acting

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

    from core.uploads.files import Part

LOST_AFTER: Final = timedelta(minutes=15)
FRESH_RATE: Final = "6/1h"
FOLDER: Final = "exports"
State = DataArchive.State


def request_archive(user: User, *, fresh: bool = False) -> tuple[DataArchive, Part | None]:
    """Return a person's archive with its open ZIP, or None in its place while it is being built.

    Starts the build where there is none of the last 24 hours, where ``fresh`` asks for another,
    where the last request is lost, or its file. Raises TooMany (429) at the seventh fresh one in
    an hour, and where as many ZIPs and tables as EXPORTS_PER_USER lets one person have were taken away;
    Unavailable (503) when the storage does not answer, or too many wait for it.
    """
    archive = claim_archive(user, fresh=fresh)
    if archive.state != State.READY:
        return archive, None
    try:
        file = open_part(archive.key, 0, archive.size)
    except FileNotFoundError:
        return claim_archive(user, lost=archive.key), None
    except STORAGE_ERRORS as error:
        raise Unavailable from error
    # Only now: who gets none has taken none away.
    if wait := take_or_fall_back(f"EXPORTS_PER_USER:{user.pk}", settings.EXPORTS_PER_USER):
        file.close()
        raise TooMany(wait)
    return archive, file


def claim_archive(user: User, *, fresh: bool = False, lost: str = "") -> DataArchive:
    """Return the person's archive as it now is. Of several callers at once, one starts a build.

    In the calling thread the build may have ended by now: the row is read again.
    """
    with transaction.atomic():
        acting(user)
        archive, is_new = DataArchive.objects.select_for_update().get_or_create(user=user)
        if is_new or is_due(archive, fresh=fresh, lost=lost):
            if fresh and (wait := take_or_fall_back(f"fresh-archive:{user.pk}", FRESH_RATE)):
                raise TooMany(wait)
            start_build(archive)
    return DataArchive.objects.filter(pk=archive.pk).first() or archive


def is_due(archive: DataArchive, *, fresh: bool, lost: str) -> bool:
    now = timezone.now()
    if archive.state == State.BUILDING:
        return now - archive.requested_at > LOST_AFTER
    return fresh or now >= archive.expires_at or archive.key == lost


def start_build(archive: DataArchive) -> None:
    """Begin anew; what was there before is deleted. The row must be held."""
    if archive.key:
        enqueue_on_commit("core.uploads.tasks.delete_files", keys=[archive.key])
    archive.state, archive.key, archive.size = State.BUILDING, "", 0
    archive.requested_at = timezone.now()
    archive.save()
    audit.record("own_data_requested", actor=archive.user, target=archive)
    enqueue_on_commit("users.tasks.build_archive", archive_id=archive.pk)


def build_archive(archive_id: int) -> None:
    """Write the ZIP to a temporary file, store it, and mark the archive ready. Safe to repeat.

    Its name stands in the row before it is stored: whatever happens in between, erasure and pruning
    know it. Where the person was erased, or asked anew, while it was built, the file is deleted
    again. Raises STORAGE_ERRORS.
    """
    archive = DataArchive.objects.select_related("user").filter(pk=archive_id, state=State.BUILDING).first()
    if archive is None:
        return
    if archive.key:
        remove_files([archive.key])
    key = archive.key or f"{FOLDER}/{uuid.uuid4().hex}.zip"
    with tempfile.TemporaryFile() as file:
        write_archive(archive.user, file)
        size = file.tell()
        if not keep(archive, key=key):
            return
        save_file(key, file)
    if not keep(archive, key=key, size=size, state=State.READY):
        remove_files([key])


def keep(archive: DataArchive, **values: Any) -> bool:
    """Write columns, and tell whether the request for which it is built still stands."""
    same = DataArchive.objects.filter(pk=archive.pk, state=State.BUILDING, requested_at=archive.requested_at)
    return bool(same.update(**values))


def old_archives() -> QuerySet[DataArchive]:
    """Find archives that were asked for more than a day ago."""
    return DataArchive.objects.filter(requested_at__lt=timezone.now() - DataArchive.KEEP)


@transaction.atomic
def prune_archives() -> int:
    """Delete a thousand old archives, their files after the commit; returns how many."""
    old = list(old_archives().select_for_update().order_by("pk")[:BATCH])
    DataArchive.objects.filter(pk__in=[archive.pk for archive in old]).delete()
    if keys := [archive.key for archive in old if archive.key]:
        enqueue_on_commit("core.uploads.tasks.delete_files", keys=keys)
    return len(old)


def archives_named(keys: Collection[str], /) -> set[str]:
    """Return those of the stored files that are somebody's archive, or will be."""
    return set(DataArchive.objects.filter(key__in=keys).values_list("key", flat=True))
