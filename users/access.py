"""Who may change whom, and what nobody may do to themselves: asked at every door that writes about people."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from core.refusals import Forbidden, Refused
from core.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from users.models import User


class NotYours(Forbidden):
    """A superuser is out of an admin's reach, an admin out of the desk's (403)."""

    sentence = "You may not change this account."


class OwnAccount(Refused):
    """Somebody would shut themselves out (400)."""

    code = "own_account"
    sentence = "You cannot take your own rights or delete your own account. Ask another admin."


class LastAdmin(Refused):
    """Nobody would be left who can administer the programme (400)."""

    code = "last_admin"
    sentence = "This is the last active admin. Make somebody else an active admin first."


class WrongEnd(Refused):
    """A link between people who cannot be linked (400)."""

    code = "validation_error"


def may_manage(who: User, person: User) -> bool:
    """Nobody reaches above themselves: only superusers to superusers, only platform admins to staff."""
    if who == person or who.is_superuser:
        return True
    if person.is_superuser:
        return False
    return who.is_platform_admin or not (person.is_staff or person.is_platform_admin)


def administers(person: User) -> bool:
    """Tell whether somebody is an admin who can sign in: the programme always keeps one."""
    return person.is_platform_admin and person.may_enter


def may_use_site(person: User) -> bool:
    """Tell for whom the admin site opens: superusers, and staff whom an admin has let in.

    A superuser is let in by the flag alone: nobody might be there to approve the first one.
    """
    is_approved = person.is_staff and person.status == person.Status.ACTIVE
    return person.may_enter and (person.is_superuser or is_approved)


def runs_the_desk(person: User) -> bool:
    """Tell who may do at the admin site whatever its pages offer to anybody: admins who are staff."""
    return person.is_active and person.is_staff and administers(person)


def check_change(person: User, changes: Mapping[str, Any], *, by: User, admins: Iterable[User]) -> None:
    """Let a change of an account's columns pass, or raise NotYours (403), OwnAccount or LastAdmin (400).

    ``admins`` are all who administer now, with their rows held.
    """
    check_reach(person, by=by)
    after = copy(person)
    for name, value in changes.items():
        setattr(after, name, value)
    if administers(person) and not administers(after):
        check_loss(person, by=by, admins=admins)
    elif person == by and not after.may_enter:
        raise OwnAccount


def check_removal(person: User, *, by: User, admins: Iterable[User]) -> None:
    """Let an account be deleted, or raise NotYours (403), OwnAccount or LastAdmin (400).

    A superuser is not deleted at all: somebody who may takes the flag first.
    """
    if person == by:
        raise OwnAccount
    if person.is_superuser:
        raise NotYours("A superuser cannot be deleted.")
    check_reach(person, by=by)
    if administers(person):
        check_loss(person, by=by, admins=admins)


def check_ends(student: User, supervisor: User) -> None:
    """Let two people be linked, or raise WrongEnd (400), which names the end that does not fit."""
    if student == supervisor:
        raise WrongEnd("A person cannot look after themselves.", field="supervisorId")
    if student.role != Role.STUDENT:
        raise WrongEnd("This person is not a student.", field="studentId")
    if supervisor.role == Role.STUDENT:
        raise WrongEnd("A student cannot look after another.", field="supervisorId")


def check_reach(person: User, *, by: User) -> None:
    if not may_manage(by, person):
        raise NotYours


def check_loss(person: User, *, by: User, admins: Iterable[User]) -> None:
    """The programme loses an admin: not by their own hand, and never the last.

    For an active one another active one must stay, for a pending one anybody who administers.
    """
    if person == by:
        raise OwnAccount
    others = [admin for admin in admins if admin != person]
    if not any(
        admin.status == admin.Status.ACTIVE or person.status != person.Status.ACTIVE for admin in others
    ):
        raise LastAdmin
