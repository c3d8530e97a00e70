"""Accounts: made, changed, suspended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from core import audit
from core.registry import access_ended
from users.addresses import USERNAME_LENGTH, shortened
from users.models import SupervisorProfile, User, UserProfile

if TYPE_CHECKING:
    from collections.abc import Mapping

SYNCED = ("first_name", "last_name")


def provision_user(address: str) -> tuple[User, bool]:
    """Return the account of a normalised address, made where there was none, and whether it was made.

    A new one is a pending student with an empty profile and no usable password. Two first
    sign-ins at once get the same account: the loser of the race reads the winner's row.
    """
    existing = User.objects.with_address(address).first()
    if existing is not None:
        return existing, False
    try:
        with transaction.atomic():
            user = User(email=address, username=free_username(address))
            user.set_unusable_password()
            user.save()
            UserProfile.objects.create(user=user)
    except IntegrityError:
        return User.objects.with_address(address).get(), False
    return user, True


def free_username(address: str) -> str:
    """Return the address itself where it fits and is free."""
    if len(address) > USERNAME_LENGTH or User.objects.filter(username=address).exists():
        return shortened(address)
    return address


@transaction.atomic
def update_account(
    user: User,
    *,
    account: Mapping[str, Any] | None = None,
    profile: Mapping[str, Any] | None = None,
    supervisor_profile: Mapping[str, Any] | None = None,
) -> None:
    """Write validated columns of a person's document, each section on its own row. Holds the user's row.

    Names in the profile are copied to the account, which drives ``name``, order and search.
    """
    locked = User.objects.select_for_update().get(pk=user.pk)
    names = {name: (profile or {})[name] for name in SYNCED if name in (profile or {})}
    write(locked, {**(account or {}), **names})
    if profile is not None:
        write(UserProfile.objects.get_or_create(user=locked)[0], profile)
    if supervisor_profile is not None:
        write(SupervisorProfile.objects.get_or_create(user=locked)[0], supervisor_profile)


def write(row: User | UserProfile | SupervisorProfile, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    if values:
        row.save()


@transaction.atomic
def change_status(user: User, *, status: str, by: User | None) -> User:
    """Set an account's status; with suspension, sessions and sockets end. Holds the user's row."""
    locked: User = User.objects.select_for_update().get(pk=user.pk)
    before, locked.status = locked.status, status
    locked.save(update_fields=["status"])
    audit.record("status_changed", actor=by, target=locked, changes={"status": [before, status]})
    if not locked.may_enter:
        end_access(locked)
    return locked


def end_access(user: User) -> None:
    """Ask every app to end what the person still holds: sessions, sockets, seats."""
    for end in access_ended:
        end(user)
