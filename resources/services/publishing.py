"""Resources: published with their file, changed, and deleted with it."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from django.db import transaction

from core import audit
from core.preconditions import confirm
from core.refusals import Missing
from core.uploads.files import remove_files
from core.uploads.removal import drop_files
from core.uploads.store import STORAGE_ERRORS, store_upload
from resources.models import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.files.uploadedfile import UploadedFile

    from users.models import User


@contextmanager
def stored(file: UploadedFile[Any], *, owner: User) -> Iterator[str]:
    """Store a file, and give its key; where the block fails, the file goes again.

    Around the block is a transaction: what fails takes the upload's row back.
    """
    key = store_upload(file, prefix=Resource.FILE_FOLDER, owner=owner).key
    try:
        yield key
    except BaseException:
        with suppress(*STORAGE_ERRORS):
            remove_files([key])
        raise


@transaction.atomic
def publish_resource(*, by: User, file: UploadedFile[Any], values: dict[str, Any]) -> Resource:
    """Store a file and what is told of it (title, description, type, role), or nothing.

    Raises UploadRefused (400), and Unavailable (503) when the storage or a scanner does not answer.
    """
    with stored(file, owner=by) as key:
        resource = Resource.objects.create(file_url=key, **values)
        audit.record("resource_created", actor=by, target=resource)
    return resource


@transaction.atomic
def publish_link(*, by: User, url: str, values: dict[str, Any]) -> Resource:
    """Publish what lies elsewhere, at an http or https address, and what is told of it."""
    resource = Resource.objects.create(file_url=url, **values)
    audit.record("resource_created", actor=by, target=resource)
    return resource


@transaction.atomic
def change_resource(
    resource: Resource, *, by: User, values: dict[str, Any], file: UploadedFile[Any] | None = None
) -> None:
    """Change title, description, type or role, and put another file in the place of the one before.

    Links to a file that was replaced, and those of whoever does not see the resource any more, end with
    the commit. Holds the resource. Raises Missing (404) where it has gone meanwhile, and what
    ``publish_resource`` raises.
    """
    with stored(file, owner=by) if file else nullcontext() as key:
        held = hold(resource)
        after = {**values, **({"file_url": key} if key else {})}
        changes = audit.difference({name: getattr(held, name) for name in after}, after)
        if not changes:
            return
        if key:
            drop_files(held.file_url)
        for name in changes:
            setattr(held, name, after[name])
        held.save(update_fields=[*changes, "updated_at"])
        audit.record("resource_changed", actor=by, target=held, changes=changes)


@transaction.atomic
def delete_resource(resource: Resource, *, by: User) -> None:
    """Delete a resource, and its file and cover once that is committed. Holds it.

    Raises Missing (404) where it has gone meanwhile.
    """
    held = hold(resource)
    drop_files(held.file_url, held.cover_image)
    audit.record("resource_deleted", actor=by, target=held)
    held.delete()


def hold(resource: Resource) -> Resource:
    """Return a resource as it is now, its row locked until the commit.

    Raises Missing (404), and what ``confirm`` raises.
    """
    held = Resource.objects.select_for_update().filter(pk=resource.pk).first()
    if held is None:
        raise Missing
    confirm()
    return held
