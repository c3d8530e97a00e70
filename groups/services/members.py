"""Who belongs to a group, and who mentors it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from core import audit
from core.refusals import Missing, Refused
from core.roles import Role
from groups.access import may_mentor
from groups.models import GroupMember, PastMember, Task
from groups.services.holding import hold_group, recheck_on_commit
from users.models import User

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from groups.models import Group, NewMember


class NotInvited(Refused):
    """Somebody cannot be put into the group in this way (400)."""

    code = "validation_error"


@transaction.atomic
def add_members(
    group: Group, *, by: User | None, members: Sequence[NewMember], named: str = "members"
) -> Group:
    """Put people into a group, all of them or none; ``named`` is where they stood in the request.

    Raises NotInvited (400) and what ``hold_group`` raises. Holds the people, then the group.
    """
    group, by = hold_group(group, by=by, beside=[member.user_id for member in members])
    insert_members(group, members, named=named)
    audit.record("members_added", actor=by, target=group, changes={"users": [m.user_id for m in members]})
    return group


def insert_members(group: Group, members: Sequence[NewMember], *, named: str = "members") -> None:
    """Write memberships; the group must be held. Raises NotInvited (400), which names who does not fit."""
    ids = [member.user_id for member in members]
    present = group.members.filter(user__in=ids).values_list("user_id", flat=True)
    refuse(present, because="Already in this group", field=named)
    known = User.objects.filter(pk__in=ids).values_list("pk", flat=True)
    refuse(set(ids) - set(known), because="There is no such person", field=named)
    # One moment, in the order in which they were named.
    now = timezone.now()
    rows = (GroupMember(group=group, user_id=m.user_id, role=m.role, joined_at=now) for m in members)
    GroupMember.objects.bulk_create(rows)


def refuse(ids: Iterable[int], *, because: str, field: str) -> None:
    if bad := sorted(ids):
        raise NotInvited(f"{because}: {', '.join(map(str, bad))}.", field=field)


@transaction.atomic
def remove_member(group: Group, *, by: User | None, user_id: int) -> None:
    """Take somebody out of a group: the record keeps their name, and their open tasks are nobody's.

    Raises Missing (404) where they are not in it. Holds the person, then the group; its sockets ask
    again whether they may stay.
    """
    group, by = hold_group(group, by=by, beside=[user_id])
    member = group.members.filter(user=user_id).first()
    if member is None:
        raise Missing
    member.delete()
    keep_record(group, user_id, role=member.role, since=member.joined_at)
    let_go_of_tasks(group, user_id)
    audit.record("member_removed", actor=by, target=group, changes={"user": user_id})
    recheck_on_commit(group)


def set_mentor(group: Group, mentor: User | None) -> None:
    """Replace the mentor of a group that is held, without saving it; the record keeps the one before.

    Raises NotInvited (400). The mentor must be held too.
    """
    if mentor is not None and not may_mentor(mentor):
        raise NotInvited("The mentor must be an active mentor, supervisor or admin.", field="mentorId")
    before = group.mentor_id
    if before == (mentor.pk if mentor else None):
        return
    if before is not None:
        keep_record(group, before, role=Role.MENTOR, since=group.mentor_since)
    group.mentor, group.mentor_since = mentor, timezone.now() if mentor else None
    if before is not None and not group.members.filter(user=before).exists():
        let_go_of_tasks(group, before)


def keep_record(group: Group, user_id: int, *, role: str, since: datetime | None) -> None:
    PastMember.objects.create(group=group, user_id=user_id, role=role, joined_at=since)


def let_go_of_tasks(group: Group, user_id: int) -> None:
    """Leave what they have done in their name, and nothing that is still to be done.

    Somebody who is still there in another way, as the mentor, keeps theirs.
    """
    if user_id != group.mentor_id:
        # Removed ones too: they may be brought back.
        of_group = Task.everything.filter(milestone__group=group, completed=False)
        open_tasks = of_group.filter(assigned_to=user_id)
        open_tasks.update(assigned_to=None, updated_at=timezone.now())
