"""Scanning what was stored before there was a scanner: until then it is not served."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Final

from django.utils import timezone

from core.models import Upload
from core.periodic import periodic
from core.refusals import Unavailable
from core.uploads.files import open_file
from core.uploads.policy import UploadRefused
from core.uploads.scanning import is_configured, scan
from core.uploads.store import STORAGE_ERRORS

AT_ONCE: Final = 100  # such that a run ends long before it would be taken for lost


@periodic("scan_uploads", every=timedelta(minutes=1))
def scan_uploads() -> dict[str, int]:
    """Scan the oldest files that no scanner has seen; returns what became of them, as counts.

    What is refused goes into quarantine. Raises Unavailable where scanner or storage does not answer: what
    was scanned until then stays so.
    """
    found: Counter[str] = Counter(clean=0, quarantined=0, missing=0)
    if is_configured():
        for upload in Upload.objects.filter(scanned_at=None).order_by("pk")[:AT_ONCE]:
            verdict = verdict_on(upload.key)
            state = Upload.State.QUARANTINED if verdict == "quarantined" else upload.state
            Upload.objects.filter(pk=upload.pk).update(scanned_at=timezone.now(), state=state)
            found[verdict] += 1
    return dict(found)


def verdict_on(key: str) -> str:
    """Return ``clean``, ``quarantined``, or ``missing``: there is nothing that could be served."""
    try:
        with open_file(key) as file:
            scan(file)
    except FileNotFoundError:
        return "missing"
    except UploadRefused:
        return "quarantined"
    except STORAGE_ERRORS as error:
        raise Unavailable from error
    return "clean"
