"""``manage.py add_users_to_group``: people into a group by their addresses; again is harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core.refusals import Refused
from groups.models import Group, MembershipRole, NewMember
from groups.services.members import add_members
from groups.services.teams import change_group, create_group
from users.addresses import normalise
from users.services.accounts import provision_user

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from users.models import User


class Command(BaseCommand):
    help = (
        "Puts people into a group by their addresses. A group that is not there is made, and so are accounts "
        "(pending, without a password). Whoever is in the group already stays as they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--group", required=True, metavar="ID", help="The group's id, such as BTF046.")
        parser.add_argument("--name", help="Its name: needed for a new group, renames one that is there.")
        parser.add_argument("--track", help="Its track, such as AUS-NSW.")
        parser.add_argument("--role", choices=MembershipRole.values, default=MembershipRole.STUDENT.value)
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do nothing.")
        parser.add_argument("addresses", nargs="+", metavar="EMAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        addresses = dict.fromkeys(read(address) for address in options["addresses"])
        about = {name: fit(name, options[name]) for name in ("name", "track") if options[name] is not None}
        try:
            with transaction.atomic():
                group = self.settle(options["group"], about)
                self.add(
                    group, [self.person(address, options["role"]) for address in addresses], options["role"]
                )
                transaction.set_rollback(options["dry_run"])
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was written.")

    def settle(self, group_id: str, about: dict[str, Any]) -> Group:
        """Return the group, made or changed where it is not as was said."""
        group: Group | None = Group.objects.filter(pk=group_id).first()
        if group is not None:
            return change_group(group, by=None, values=about)
        if not about.get("name"):
            raise CommandError(f"There is no group {group_id}. Give --name to make it.")
        made = create_group(by=None, group_id=group_id, **about)
        self.stdout.write(f"New group {made.pk}.")
        return made

    def person(self, address: str, role: str) -> User:
        user, is_new = provision_user(address, role=role)
        if is_new:
            self.stdout.write(f"New account {address} ({role}, pending).")
        return user

    def add(self, group: Group, people: list[User], role: str) -> None:
        present = set(group.members.values_list("user_id", flat=True))
        missing = [user for user in people if user.pk not in present]
        if missing:
            add_members(group, by=None, members=[NewMember(user.pk, role) for user in missing])
        self.stdout.write(f"{len(missing)} added to {group.pk}, {len(people) - len(missing)} there already.")


def fit(name: str, text: str) -> str:
    """Return what was said of the group, as its column takes it."""
    try:
        return str(Group._meta.get_field(name).clean(text.strip(), None))  # type: ignore[union-attr]  # noqa: SLF001 - documented API
    except ValidationError as error:
        raise CommandError(f"--{name}: {error.messages[0]}") from error


def read(address: str) -> str:
    try:
        return normalise(address)
    except ValidationError as error:
        raise CommandError(f"Not an e-mail address: {address}") from error
