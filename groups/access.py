"""Who may do what with a group: the one policy, asked by REST, sockets, files, search and the admin site.

| May | Who |
|---|---|
| see it, and keep its milestones and tasks | whom ``GroupQuerySet.visible_to`` names |
| moderate its conversation | admins, its mentor (unless a student by now), and supervisors who see it |
| make, change, archive and restore it, choose members and mentor | platform admins |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.refusals import Missing
from core.roles import Role
from groups.asking import GROUP, ByKind
from groups.models import Group
from groups.models.members import MENTORING

if TYPE_CHECKING:
    from users.models import User

SEEN: Final = ByKind(lambda viewer: Group.objects.visible_to(viewer).filter(pk=GROUP).order_by())
SEEN_IDS: Final = ByKind(
    lambda viewer: Group.objects.visible_to(viewer).filter(pk=GROUP).order_by().values_list("pk")
)


def access_group(user: User, group_id: str) -> Group:
    """Return a group that the person may see. Raises Missing (404), whether or not there is one."""
    group: Group | None = SEEN.of(user).object(viewer=user.pk, group=group_id)
    if group is None:
        raise Missing
    return group


def can_see(user: User, group: Group) -> bool:
    """Ask again about a group that was seen a moment ago: it may have been archived, or left, since."""
    return bool(SEEN_IDS.of(user).rows(viewer=user.pk, group=group.pk))


def can_manage(user: User, group: Group) -> bool:
    """May keep its milestones and tasks: whoever sees it, students included."""
    return can_see(user, group)


def can_moderate(user: User, group: Group) -> bool:
    """May judge its conversation. ``group`` came from ``access_group``: asks no database."""
    if user.is_platform_admin or user.role == Role.SUPERVISOR:
        return True
    return user.pk == group.mentor_id and user.role != Role.STUDENT


def may_mentor(user: User) -> bool:
    """May be chosen as a mentor: an active mentor, supervisor or admin."""
    is_active = user.may_enter and user.status == user.Status.ACTIVE
    return is_active and (user.is_platform_admin or user.role in MENTORING)


def takes_part(group: Group, user_id: int | None) -> bool:
    """May be given a task: a member or the mentor, or nobody."""
    return user_id in {None, group.mentor_id} or group.members.filter(user=user_id).exists()
