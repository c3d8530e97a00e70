"""What stands of a person in rows that are not theirs, and in the storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from core.tasks import enqueue_on_commit
from users.models import DataArchive, User, UserProfile

if TYPE_CHECKING:
    from django.db.models import QuerySet

ADDRESSES: Final = ("guardian_email", "supervisor_email")


def who_names(address: str) -> QuerySet[UserProfile, int]:
    """Return the ids of people in whose profile an address stands."""
    profiles = UserProfile.objects.filter(holds(ADDRESSES[0], address) | holds(ADDRESSES[1], address))
    return profiles.values_list("user_id", flat=True)


def holds(column: str, address: str) -> Q:
    return Q(Exact(Lower(F(column)), address.lower()))


def erase_traces(user: User) -> None:
    """Blank the person's address in others' profiles; delete their ZIP, and the admin site's history."""
    for column in ADDRESSES:
        UserProfile.objects.filter(holds(column, user.email)).exclude(user=user).update(**{column: ""})
    # Django keeps the name of what was changed: here a person's.
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=kind, object_id=str(user.pk)).delete()
    archive = DataArchive.objects.select_for_update().filter(user=user).exclude(key="").first()
    if archive is not None:
        enqueue_on_commit("core.uploads.tasks.delete_files", keys=[archive.key])
