"""Who may open a stored file: asked at each click, of the app in whose folder it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model

from core.models import Upload
from core.refusals import Missing
from core.registry import file_opened, file_rights
from core.uploads.links import viewer_of
from core.uploads.quotas import FOLDER
from core.uploads.scanning import is_configured

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from users.models import User


def opened_by(token: str, key: str, *, besides: User | None) -> tuple[Upload, User]:
    """Return the upload that a link leads to, and whose link it is.

    Raises Missing (404), whatever is wrong with it: altered, too old, of somebody who may not enter or
    not open this any more, or used by ``besides``, somebody else who is signed in.
    """
    viewer_id = viewer_of(token, key)
    if viewer_id is None or (besides is not None and besides.pk != viewer_id):
        raise Missing
    viewer = get_user_model().objects.filter(pk=viewer_id).first()
    upload = servable().filter(key=key).first()
    if viewer is None or upload is None or not viewer.may_enter or not may_open(viewer, upload):
        raise Missing
    return upload, viewer


def servable() -> QuerySet[Upload]:
    """Return the uploads that may leave: none in quarantine, nor unscanned where files are scanned."""
    stored = Upload.objects.filter(state=Upload.State.STORED)
    return stored.exclude(scanned_at=None) if is_configured() else stored


def may_open(viewer: User, upload: Upload) -> bool:
    """Tell whether somebody may open a file: its app says so, or they uploaded it to attach it.

    What was published has its app's rule alone: whoever published it may be no admin any more.
    """
    folder = folder_of(upload.key)
    if folder == FOLDER and upload.owner_id == viewer.pk:
        return True
    right = file_rights.entries.get(folder)
    return right is not None and right(viewer, upload.key)


def note_opened(viewer: User, upload: Upload) -> None:
    """Tell the app that uses a file that somebody has begun to read it."""
    note = file_opened.entries.get(folder_of(upload.key))
    if note is not None:
        note(viewer, upload.key)


def folder_of(key: str) -> str:
    return key.rpartition("/")[0]
