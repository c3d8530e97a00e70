"""How much a person may upload in a day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db.models import Count, Min, Sum
from django.utils import timezone

from core.models import Upload
from core.refusals import TooMany
from core.uploads.store import store_upload

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from users.models import User

DAY: Final = timedelta(days=1)
FOLDER: Final = "uploads"


class QuotaUsedUp(TooMany):
    """As many files, or bytes, as one person may upload in 24 hours (429)."""

    code = "upload_quota"
    sentence = "You have uploaded as much as one may in a day. Please go on tomorrow."


def store_within_quota(file: UploadedFile[Any], *, owner: User) -> Upload:
    """Store a person's file, within what they may upload in a day, however many come at once.

    Raises what ``check_quota`` and ``store_upload`` raise. Asked before the work, and again under the
    person's row when it is done, which is held for that moment alone.
    """
    check_quota(owner, file)
    return store_upload(file, prefix=FOLDER, owner=owner, admit=lambda: hold_quota(owner, file))


def hold_quota(owner: User, file: UploadedFile[Any]) -> None:
    """Let one file after the other pass. Holds the person's row."""
    type(owner).objects.select_for_update(no_key=True).filter(pk=owner.pk).first()
    check_quota(owner, file)


def check_quota(owner: User, file: UploadedFile[Any]) -> None:
    """Let a file pass, or raise QuotaUsedUp (429). Of several at once, all may pass: see ``hold_quota``."""
    since = timezone.now() - DAY
    rows = Upload.objects.filter(owner=owner, created_at__gt=since, key__startswith=f"{FOLDER}/")
    used = rows.aggregate(files=Count("pk"), bytes=Sum("size", default=0), oldest=Min("created_at"))
    is_full = used["files"] >= settings.FILE_UPLOADS_PER_DAY
    if is_full or used["bytes"] + (file.size or 0) > settings.FILE_UPLOAD_BYTES_PER_DAY:
        oldest = used["oldest"] or since
        raise QuotaUsedUp(max(1, round((oldest - since).total_seconds())))
