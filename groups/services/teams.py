"""Groups: made, changed, archived, and gone for good 30 days later."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from core import audit
from core.models import Upload
from core.realtime import UNKNOWN, close_sockets, room_of_group
from core.refusals import Missing, Refused
from core.uploads.erasure import delete_spare
from groups.models import Group
from groups.services.holding import RESTORABLE_DAYS, hold_group, recheck_on_commit, still_acting
from groups.services.members import NotInvited, insert_members, set_mentor
from groups.services.numbering import insert_group
from users.models import User

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from groups.models import NewMember


class MentorChanged(Refused):
    """Somebody else has replaced the mentor at this moment (409)."""

    status = 409
    code = "conflict"
    sentence = "The mentor has just been changed by somebody else. Please look again."


@transaction.atomic
def create_group(
    *,
    by: User | None,
    name: str,
    group_id: str = "",
    track: str = "",
    status: str = "",
    mentor_id: int | None = None,
    members: Sequence[NewMember] = (),
) -> Group:
    """Make a group with its members, or nothing. A blank id is the next number, a blank status ``active``.

    Raises TakenId and NotInvited (400), and what ``acting`` raises. Holds the people named, then the
    counter of ids until the commit.
    """
    people = {*(member.user_id for member in members), *([mentor_id] if mentor_id else [])}
    by = still_acting(by, beside=people)
    group = Group(name=name, track=track, status=status or default_status())
    set_mentor(group, person(mentor_id))
    insert_group(group, group_id=group_id)
    insert_members(group, members)
    audit.record("group_created", actor=by, target=group, changes={"members": len(members)})
    return group


@transaction.atomic
def change_group(group: Group, *, by: User | None, values: dict[str, Any]) -> Group:
    """Change a group's name, track, status or mentor (``mentor_id``; null: none), and record which.

    Raises NotInvited (400), MentorChanged (409) and what ``hold_group`` raises. Holds both mentors, then
    the group. Who was the mentor loses what a mentor may, at once.
    """
    mentor_id, mentors = values.get("mentor_id"), set[int]()
    if "mentor_id" in values:
        # Who mentors it now, too: the record will point at them, and they may be erased at this moment.
        now = Group.objects.filter(pk=group.pk).values_list("mentor_id", flat=True)
        mentors = {pk for pk in (mentor_id, *now) if pk is not None}
    group, by = hold_group(group, by=by, beside=mentors)
    if mentors and group.mentor_id not in {None, *mentors}:
        raise MentorChanged
    before = {name: getattr(group, name) for name in values}
    after = {**values, **({"status": values["status"] or default_status()} if "status" in values else {})}
    if changes := audit.difference(before, after):
        # Free text, which may name somebody: the log is not erased.
        changes |= dict.fromkeys(changes.keys() & {"status"}, True)
        if "mentor_id" in changes:
            set_mentor(group, person(mentor_id))
        for name in changes.keys() - {"mentor_id"}:
            setattr(group, name, after[name])
        group.save()
        if "mentor_id" in changes:
            recheck_on_commit(group)
        audit.record("group_changed", actor=by, target=group, changes=changes)
    return group


def default_status() -> str:
    return str(Group._meta.get_field("status").default)  # noqa: SLF001 - documented API


def person(user_id: int | None) -> User | None:
    """Return the person chosen as mentor. Raises NotInvited (400) where there is none of that id."""
    if user_id is None:
        return None
    found: User | None = User.objects.filter(pk=user_id).first()
    if found is None:
        raise NotInvited("There is no such person.", field="mentorId")
    return found


@transaction.atomic
def archive_group(group: Group, *, by: User | None) -> None:
    """Take a group from everybody's sight, with its plan and conversation; its sockets close (4404).

    An admin can restore it for 30 days. Holds the group.
    """
    group, by = hold_group(group, by=by)
    group.archived_at = timezone.now()
    group.save(update_fields=["archived_at", "updated_at"])
    audit.record("group_archived", actor=by, target=group)
    transaction.on_commit(partial(close_sockets, room=room_of_group(group.room), code=UNKNOWN))


@transaction.atomic
def restore_group(group_id: str, *, by: User | None) -> Group:
    """Bring an archived group back as it was. Raises Missing (404) where there is none of that id.

    Holds the group.
    """
    by = still_acting(by)
    since = timezone.now() - timedelta(days=RESTORABLE_DAYS)
    archived = Group.everything.select_for_update(no_key=True).filter(archived_at__gte=since)
    group = archived.filter(pk=group_id).first()
    if group is None:
        raise Missing
    group.archived_at = None
    group.save(update_fields=["archived_at", "updated_at"])
    audit.record("group_restored", actor=by, target=group)
    return group


def archived_long_ago() -> QuerySet[Group]:
    """Find groups that can be restored no more."""
    return Group.everything.filter(archived_at__lt=timezone.now() - timedelta(days=RESTORABLE_DAYS))


@transaction.atomic
def purge_next() -> bool:
    """Delete for good one group that was archived more than 30 days ago; False where there is none.

    With its conversation, and the files that nobody else needs. Holds the row, and passes over one that
    somebody restores now.
    """
    group = archived_long_ago().select_for_update(skip_locked=True).order_by("archived_at").first()
    if group is None:
        return False
    attached = set(Upload.objects.filter(attachments__message__group=group).values_list("pk", flat=True))
    audit.record("group_purged", target=group)
    group.delete()
    delete_spare(attached)
    return True
