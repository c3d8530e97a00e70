"""What happens to stored files in the background."""

from __future__ import annotations

from core.tasks import background
from core.uploads.files import remove_files


@background(attempts=12)
def delete_files(*, keys: list[str]) -> None:
    """Delete files that no row names any more. Safe to repeat."""
    remove_files(keys)
