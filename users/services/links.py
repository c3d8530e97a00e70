"""Who looks after whom: links, and the permission on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from core import audit
from core.refusals import Forbidden
from users.models import JoinPermissionChange, StudentSupervisor

if TYPE_CHECKING:
    from users.models import User


@transaction.atomic
def decide_join_permission(link: StudentSupervisor, *, by: User, granted: bool) -> StudentSupervisor:
    """Set or withdraw a link's permission, and record who decided in which capacity. Holds the link's row.

    The same answer again writes nothing, save that an adult's or admin's word makes a
    student's own grant effective. Raises Forbidden (403) for anyone else.
    """
    link = StudentSupervisor.objects.with_people().select_for_update(of=("self",)).get(pk=link.pk)
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
