"""Accounts: made, changed, suspended."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F

from core import audit
from core.preconditions import confirm
from core.refusals import Refused
from core.registry import access_ended, address_left, held_for_access_end
from core.roles import Role
from users.access import check_change
from users.addresses import USERNAME_LENGTH, shortened
from users.models import SupervisorProfile, User, UserProfile
from users.services.holding import acting, hold
from users.services.standing import tell_of_change

if TYPE_CHECKING:
    from collections.abc import Collection

Values = dict[str, Any]  # validated columns of one row

SYNCED: Final = ("first_name", "last_name")
# Who somebody is to the platform. A change ends what they hold: they sign in again as what they are now.
RIGHTS: Final = frozenset({"email", "role", "status", "is_active", "is_staff", "is_superuser"})
# Of these a change ends access only where it takes away: a pending person who becomes active stays.
GATES: Final = frozenset({"status", "is_active"})


class AddressTaken(Refused):
    """Another account has this address (400)."""

    code = "validation_error"
    sentence = "A person with this address exists already."


def provision_user(address: str, *, role: str = Role.STUDENT) -> tuple[User, bool]:
    """Return the account of a normalised address, made where there was none, and whether it was made.

    A new one is pending, with an empty profile and no usable password. Two first
    sign-ins at once get the same account: the loser of the race reads the winner's row.
    """
    existing = User.objects.with_address(address).first()
    if existing is not None:
        return existing, False
    try:
        with transaction.atomic():
            return insert(User(email=address, role=role)), True
    except IntegrityError:
        return User.objects.with_address(address).get(), False


def insert(user: User) -> User:
    user.username = free_username(user, user.email)
    user.set_unusable_password()
    user.save()
    UserProfile.objects.create(user=user)
    return user


def free_username(user: User, address: str) -> str:
    """Return the address itself where it fits, and is nobody else's username."""
    taken = User.objects.filter(username=address).exclude(pk=user.pk).exists()
    return shortened(address) if taken or len(address) > USERNAME_LENGTH else address


@transaction.atomic
def create_account(
    *,
    by: User,
    account: Values,
    profile: Values | None = None,
    supervisor_profile: Values | None = None,
) -> User:
    """Make an account for a normalised address, without a usable password. Raises AddressTaken (400).

    Holds the row of who acts, and raises what ``acting`` raises.
    """
    by = acting(by)
    try:
        with transaction.atomic():
            user = insert(User(**account))
    except IntegrityError as error:
        raise AddressTaken(field="email") from error
    write_sections(user, profile=profile, supervisor_profile=supervisor_profile)
    audit.record("user_created", actor=by, target=user, changes=audit.difference({}, account))
    return user


@transaction.atomic
def update_account(
    user: User,
    *,
    account: Values | None = None,
    profile: Values | None = None,
    supervisor_profile: Values | None = None,
) -> None:
    """Write what a person changed of their own document, each section on its own row. Holds the user's row.

    Names in the profile are copied to the account, which drives ``name``, order and search. Raises
    SignedOut (401) where the person has been suspended or erased since they were let in.
    """
    locked = acting(user)
    confirm()
    write(locked, account or {})
    write_sections(locked, profile=profile, supervisor_profile=supervisor_profile)


@transaction.atomic
def change_account(
    person: User,
    *,
    by: User,
    account: Values | None = None,
    profile: Values | None = None,
    supervisor_profile: Values | None = None,
) -> User:
    """Write what an admin changed of somebody's document, and record the names of the changed fields.

    Raises NotYours (403), OwnAccount, LastAdmin and AddressTaken (400), and what ``hold`` raises,
    which says whose rows are held. Changed rights or a new address end sessions and sockets; a new
    address voids what was mailed to either. Who is let in, approved or suspended by it is told, here and
    nowhere else.
    """
    locked, by, admins = hold(person, by=by)
    check_change(locked, account or {}, by=by, admins=admins)
    before = write_account(locked, account or {})
    before |= write_sections(locked, profile=profile, supervisor_profile=supervisor_profile)
    changes = audit.difference(before, {**(account or {}), **(profile or {}), **(supervisor_profile or {})})
    if changes:
        audit.record("user_changed", actor=by, target=locked, changes=changes)
        settle(locked, changed=set(changes), old_address=before.get("email", locked.email))
        tell_of_change(locked, before=before)
    return locked


def change_status(person: User, *, status: str, by: User) -> User:
    """Set an account's status; with suspension, sessions and sockets end. Raises like ``change_account``."""
    return change_account(person, by=by, account={"status": status})


def write_account(user: User, values: Values) -> Values:
    """Write the account's columns; a new address is a new username too. Raises AddressTaken (400)."""
    address = values.get("email", user.email)
    username = {"username": free_username(user, address)} if address.lower() != user.email.lower() else {}
    try:
        with transaction.atomic():
            return write(user, {**values, **username})
    except IntegrityError as error:
        raise AddressTaken(field="email") from error


def write_sections(user: User, *, profile: Values | None, supervisor_profile: Values | None) -> Values:
    """Write the rows beside the account, made on first use; names are copied to the account."""
    before: Values = {}
    if profile is not None:
        before |= write(UserProfile.objects.get_or_create(user=user)[0], profile)
        before |= write(user, {name: profile[name] for name in SYNCED if name in profile})
    if supervisor_profile is not None:
        before |= write(SupervisorProfile.objects.get_or_create(user=user)[0], supervisor_profile)
    return before


def write(row: User | UserProfile | SupervisorProfile, values: Values) -> Values:
    """Set columns, and save the row where one of them changed; returns what stood there before."""
    before = {name: getattr(row, name) for name in values}
    if before != values:
        for name, value in values.items():
            setattr(row, name, value)
        row.save()
    return before


def settle(user: User, *, changed: set[str], old_address: str) -> None:
    """Let a change take effect: what its rights no longer cover ends, what was mailed is void.

    The same mailbox in another spelling is the same address.
    """
    if old_address.lower() == user.email.lower():
        changed = changed - {"email"}
    rights = changed & RIGHTS
    if rights - GATES or (rights and not user.may_enter):
        end_access(user)
    if "email" in changed:
        forget_address(old_address)
        forget_address(user.email)


def end_access(user: User) -> None:
    """Ask every app to end what the person still holds: sessions, sockets, seats."""
    for end in access_ended:
        end(user)


def hold_for_access_end(people: Collection[int]) -> None:
    """Have every app lock what the end of these people's access changes, before the first of them loses it.

    For whoever suspends several people in one transaction, and holds them.
    """
    for hold_too in held_for_access_end:
        hold_too(people)


def end_site_sessions(user: User) -> None:
    """End what a person holds at the admin site: its sessions name the state that this changes."""
    User.objects.filter(pk=user.pk).update(sign_outs=F("sign_outs") + 1)


def forget_address(address: str) -> None:
    """Ask every app, after the commit, to void what waits for an address."""
    for forget in address_left:
        transaction.on_commit(partial(forget, address))
