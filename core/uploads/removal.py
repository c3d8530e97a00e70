"""Deleting stored files with what named them."""

from __future__ import annotations

from core.models import Upload
from core.tasks import enqueue_on_commit


def drop_files(*keys: str | None) -> None:
    """Delete the uploads of these keys: the rows now, the files once that is committed, and until they go.

    What is no key of ours (a link to elsewhere, nothing) is passed over.
    """
    rows = Upload.objects.filter(key__in=[key for key in keys if key])
    gone = list(rows.values_list("key", flat=True))
    rows.delete()
    if gone:
        enqueue_on_commit("core.uploads.tasks.delete_files", keys=gone)
