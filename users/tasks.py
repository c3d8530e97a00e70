"""What happens to people's data in the background."""

from __future__ import annotations

import logging
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import Error as DatabaseError

from core.periodic import periodic
from core.tasks import LOCMEM_MAIL, Abandoned, background, enqueue
from users.services import archive, imports
from users.services.import_rows import ImportStopped
from users.services.import_undoing import undo_next_rows
from users.services.import_writing import write_next_rows

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

TURN_SECONDS: Final = 2


@background(attempts=5)
def build_archive(*, archive_id: int) -> None:
    """Put together what a person asked for of themselves."""
    archive.build_archive(archive_id)


@periodic("prune_archives", every=timedelta(hours=1))
def prune_archives() -> dict[str, int]:
    """Delete the ZIPs that people asked for more than a day ago."""
    return {"deleted": archive.prune_archives()}


@background(attempts=8)
def commit_import(*, import_id: int) -> None:
    """Write a checked import, some rows a transaction: each run goes on where the last one stopped."""
    take_turn(write_next_rows, import_id, again="users.tasks.commit_import")


@background(attempts=8)
def undo_import(*, import_id: int) -> None:
    """Take an import back, some rows a transaction."""
    take_turn(undo_next_rows, import_id, again="users.tasks.undo_import")


def take_turn(step: Callable[[int], bool], import_id: int, *, again: str) -> None:
    """Work for about two seconds, then queue up anew: behind it may wait somebody's mail.

    The tries begin anew, too, after a fault of the database that followed some progress.
    """
    over, has_moved = monotonic() + TURN_SECONDS, False
    try:
        while step(import_id):
            has_moved = True
            if monotonic() >= over and settings.EMAIL_BACKEND != LOCMEM_MAIL:
                break
        else:
            return
    except ImportStopped as error:
        raise Abandoned from error
    except DatabaseError as error:
        if not has_moved:
            raise
        logger.warning("import_turn_failed", extra={"import_id": import_id, "fault": type(error).__name__})
    enqueue(again, import_id=import_id)


@background(attempts=8)
def recount_imports(*, import_ids: list[int]) -> None:
    """Count rows again after some have gone with a person who was erased."""
    for import_id in import_ids:
        imports.recount(import_id)


@periodic("prune_imports", every=timedelta(hours=1))
def prune_imports() -> dict[str, int]:
    """Delete what spreadsheets of people said, a day after they were checked or written."""
    return imports.prune_imports()
