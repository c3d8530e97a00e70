"""What happens to people's data in the background."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.forgetting import Old
from core.periodic import periodic
from core.tasks import background
from core.turns import take_turn
from users.services import archive, imports
from users.services.import_undoing import undo_next_rows
from users.services.import_writing import write_next_rows


@background(attempts=5, limit_seconds=900)
def build_archive(*, archive_id: int) -> None:
    """Put together what a person asked for of themselves."""
    archive.build_archive(archive_id)


OLD_ARCHIVES: Final = Old("ZIPs of people's data", archive.old_archives, by="requested_at")


@periodic("prune_archives", every=timedelta(hours=1), due=(OLD_ARCHIVES,))
def prune_archives() -> dict[str, int]:
    """Delete the ZIPs that people asked for more than a day ago."""
    deleted = 0
    while batch := archive.prune_archives():
        deleted += batch
    return {"deleted": deleted}


@background(attempts=8)
def commit_import(*, import_id: int) -> None:
    """Write a checked import, some rows a transaction: each run goes on where the last one stopped."""
    take_turn(write_next_rows, again="users.tasks.commit_import", import_id=import_id)


@background(attempts=8)
def undo_import(*, import_id: int) -> None:
    """Take an import back, some rows a transaction."""
    take_turn(undo_next_rows, again="users.tasks.undo_import", import_id=import_id)


@background(attempts=8)
def recount_imports(*, import_ids: list[int]) -> None:
    """Count rows again after some have gone with a person who was erased."""
    for import_id in import_ids:
        imports.recount(import_id)


@periodic(
    "prune_imports",
    every=timedelta(hours=1),
    due=(imports.ROWS_THAT_ARE_OVER, imports.OLD_ERASED_ADDRESSES, imports.OLD_IMPORTS),
)
def prune_imports() -> dict[str, int]:
    """Delete what spreadsheets of people said, a day after they were checked or written."""
    return imports.prune_imports()
