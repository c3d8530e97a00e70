"""Who looks after whom: links, and the permission on them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from core import audit
from core.preconditions import confirm
from core.realtime import recheck_sockets, room_of_user
from core.refusals import Forbidden, Missing, Refused
from users.access import check_ends
from users.models import JoinPermissionChange, StudentSupervisor
from users.services.holding import acting

if TYPE_CHECKING:
    from users.models import User


class LinkedAlready(Refused):
    """The two are linked in this way already (400)."""

    code = "validation_error"
    sentence = "These two people are linked in this way already."


@transaction.atomic
def link_people(*, by: User, granted: bool, **values: Any) -> StudentSupervisor:
    """Link a student to an adult. Raises WrongEnd and LinkedAlready (400).

    Permission that an admin gives with it counts, and is recorded as an admin's.
    """
    by = acting(by, beside=[values["student"].pk, values["supervisor"].pk])
    check_ends(values["student"], values["supervisor"])
    link = saved(StudentSupervisor(**values))
    audit.record("link_created", actor=by, target=link)
    return decide_join_permission(link, by=by, granted=granted)


@transaction.atomic
def change_link(
    link: StudentSupervisor, *, by: User, values: dict[str, Any], granted: bool | None
) -> StudentSupervisor:
    """Change a link; ``granted`` None leaves its permission. Raises WrongEnd and LinkedAlready (400).

    Somebody else at one end: what was permitted was permitted for other people, and is withdrawn
    unless the admin grants it anew. Holds the link's row.
    """
    by, link = held(link, by=by)
    supervisor = link.supervisor
    before = {name: getattr(link, name) for name in values}
    for name, value in values.items():
        setattr(link, name, value)
    changes = audit.difference(before, values)
    is_other = bool({"student", "supervisor"} & set(changes))
    if is_other:
        check_ends(link.student, link.supervisor)
    if changes:
        saved(link)
        audit.record("link_changed", actor=by, target=link, changes=changes)
    if is_other:
        recheck_on_commit(supervisor)
        link = decide_join_permission(link, by=by, granted=False)
    return link if granted is None else decide_join_permission(link, by=by, granted=granted)


@transaction.atomic
def unlink(link: StudentSupervisor, *, by: User) -> None:
    """Take a link away, with its permission and the record of who gave it."""
    by, link = held(link, by=by)
    audit.record("link_deleted", actor=by, target=link)
    recheck_on_commit(link.supervisor)
    link.delete()


def recheck_on_commit(supervisor: User) -> None:
    """Have the sockets of somebody who lost a student ask again whether they may stay."""
    transaction.on_commit(partial(recheck_sockets, room=room_of_user(supervisor.pk)))


def held(link: StudentSupervisor, *, by: User) -> tuple[User, StudentSupervisor]:
    """Return who acts and the link as they are now. Locks who acts and both ends, then the link.

    Raises Missing (404) where the link has gone, and what ``acting`` and ``confirm`` raise.
    """
    by = acting(by, beside=[link.student_id, link.supervisor_id])
    rows = StudentSupervisor.objects.with_people().select_for_update(of=("self",))
    found = rows.filter(pk=link.pk).first()
    if found is None:
        raise Missing
    confirm()
    return by, found


def saved(link: StudentSupervisor) -> StudentSupervisor:
    try:
        with transaction.atomic():
            link.save()
    except IntegrityError as error:
        raise LinkedAlready(field="supervisorId") from error
    return link


@transaction.atomic
def decide_join_permission(link: StudentSupervisor, *, by: User, granted: bool) -> StudentSupervisor:
    """Set or withdraw a link's permission, and record who decided in which capacity. Holds the link's row.

    The same answer again writes nothing, save that an adult's or admin's word makes a
    student's own grant effective. Raises Forbidden (403) for anyone else, and what ``acting`` raises.
    """
    by, link = held(link, by=by)
    capacity = link.capacity_of(by)
    if capacity is None:
        raise Forbidden
    confirms = granted and not link.permission_is_effective and capacity in link.EFFECTIVE_CAPACITIES
    if granted == link.join_permission_granted and not confirms:
        return link
    if granted != link.join_permission_granted:
        link.join_permission_granted_at = timezone.now() if granted else None
    link.join_permission_granted, link.granted_by, link.granted_capacity = granted, by, capacity
    link.save()
    JoinPermissionChange.objects.create(link=link, granted=granted, decided_by=by, capacity=capacity)
    audit.record(
        "join_permission_decided", actor=by, target=link, changes={"granted": granted, "as": capacity}
    )
    return link
