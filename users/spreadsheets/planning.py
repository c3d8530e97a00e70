"""What a row would change of whom. Nothing here writes or asks the database."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from core.refusals import Refused
from core.roles import Role
from core.serializers import snake_case
from users.access import check_change
from users.models import ImportRow, SupervisorProfile, User, UserProfile
from users.spreadsheets.columns import Note, mailbox

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from users.models import PeopleImport
    from users.spreadsheets.columns import Wanted

Sections = dict[str, dict[str, Any]]
Outcome = ImportRow.Outcome

MAKES_ADMIN: Final = "This makes a platform admin."
NOBODY: Final = "Nobody has this address, so there is none to change."
TAKEN: Final = "A person with this address exists already."
ERASED: Final = "This address belongs to somebody who was erased."
# Columns of the profile in which an address of somebody else stands, and their names on the wire.
NAMING: Final = {"guardian_email": "guardianEmail", "supervisor_email": "supervisorEmail"}
# What changes of people who exist only on request: the field on the wire, the flag on the wire.
ON_REQUEST: Final = {
    "role": ("role", "changeRole"),
    "status": ("status", "changeStatus"),
    "email": ("newEmail", "changeAddress"),
}


@dataclass
class Plan:
    """What one row does: to whom, from what to what."""

    outcome: Outcome
    person: User | None = None
    old: Sections = field(default_factory=dict)
    new: Sections = field(default_factory=dict)
    faults: list[Note] = field(default_factory=list)
    remarks: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class Situation:
    """What a row meets: who is stored under the addresses of the file, who imports, who administers.

    ``erased`` are addresses of people who were erased since the check: they must not come back.
    """

    batch: PeopleImport
    by: User
    people: Mapping[str, User]
    admins: list[User]
    erased: Collection[str] = ()

    def plan(self, wanted: Wanted) -> Plan:
        """Say what a row would do now."""
        if wanted.faults:
            # Whose address the row holds takes the row along when they are erased.
            holder = self.people.get(wanted.address) or self.people.get(wanted.new_address)
            return Plan(Outcome.REJECTED, holder, faults=wanted.faults)
        wanted, remarks = self.without_erased(wanted)
        plan = self.plan_right(wanted)
        return replace(plan, remarks=remarks + plan.remarks)

    def plan_right(self, wanted: Wanted) -> Plan:
        person = self.people.get(wanted.address)
        if person is not None:
            return self.plan_change(wanted, person)
        if wanted.new_address:
            return self.plan_moved(wanted, self.people.get(wanted.new_address))
        remarks = [Note("role", MAKES_ADMIN)] if wanted.values["account"].get("role") == Role.ADMIN else []
        new = {name: values for name, values in wanted.values.items() if values}
        return Plan(Outcome.CREATE, new=new, remarks=remarks)

    def plan_moved(self, wanted: Wanted, holder: User | None) -> Plan:
        """Nobody has the old address: nobody ever had, or the row was written before, to the letter."""
        if holder is not None and self.batch.change_address:
            plan = self.plan_change(wanted, holder)
            if plan.outcome == Outcome.UNCHANGED:
                return plan
        return Plan(Outcome.REJECTED, holder, faults=[Note("email", NOBODY)])

    def without_erased(self, wanted: Wanted) -> tuple[Wanted, list[Note]]:
        """Leave out guardians and supervisors who were erased, with a remark each."""
        if not self.erased:
            return wanted, []
        profile = wanted.values["profile"]
        gone = [name for name in NAMING if mailbox(profile.get(name, "")) in self.erased]
        kept = {name: value for name, value in profile.items() if name not in gone}
        remarks = [Note(NAMING[name], ERASED) for name in gone]
        return replace(wanted, values={**wanted.values, "profile": kept}), remarks

    def plan_change(self, wanted: Wanted, person: User) -> Plan:
        plan = Plan(Outcome.UNCHANGED, person)
        stored = stored_of(person)
        for section, values in asked_of(wanted).items():
            new = differing(values, stored[section], wanted.cells)
            if section == "account":
                new = self.allowed(new, person, plan.remarks)
            if new:
                plan.outcome, plan.new[section] = Outcome.UPDATE, new
                plan.old[section] = {name: getattr(stored[section], name) for name in new}
        return self.checked(plan, person) if plan.new else plan

    def allowed(self, changes: dict[str, Any], person: User, remarks: list[Note]) -> dict[str, Any]:
        """Take out what changes only on request and was not asked for, with a remark each."""
        flags = {
            "role": self.batch.change_role,
            "status": self.batch.change_status,
            "email": self.batch.change_address,
        }
        for name in [name for name in changes if not flags.get(name, True)]:
            shown, flag = ON_REQUEST[name]
            kept = (
                "The address stays" if name == "email" else f"{shown.title()} stays {getattr(person, name)}"
            )
            remarks.append(Note(shown, f"{kept}: send {flag} to change it."))
        if changes.get("role") == Role.ADMIN and self.batch.change_role:
            remarks.append(Note("role", MAKES_ADMIN))
        return {name: value for name, value in changes.items() if flags.get(name, True)}

    def checked(self, plan: Plan, person: User) -> Plan:
        """Ask the rules of ``users.access`` before, as the service will again."""
        account = plan.new.get("account", {})
        if self.people.get(account.get("email", ""), person) != person:
            return Plan(Outcome.REJECTED, person, faults=[Note("newEmail", TAKEN)])
        try:
            check_change(person, account, by=self.by, admins=self.admins)
        except Refused as refusal:
            return Plan(Outcome.REJECTED, person, faults=[Note(refusal.field or "", refusal.message)])
        return plan


def stored_of(person: User) -> dict[str, User | UserProfile | SupervisorProfile]:
    """Return a person's rows by section; where one is missing, as it would be made."""
    names = {"first_name": person.first_name, "last_name": person.last_name}
    return {
        "account": person,
        "profile": getattr(person, "profile", None) or UserProfile(**names),
        "supervisor_profile": getattr(person, "supervisor_profile", None) or SupervisorProfile(),
    }


def asked_of(wanted: Wanted) -> Sections:
    """Return what a row asks of a person who exists: ``email`` only found them, ``newEmail`` is the wish."""
    account = {name: value for name, value in wanted.values["account"].items() if name != "email"}
    if "new_email" in account:
        account["email"] = account.pop("new_email")
    return {**wanted.values, "account": account}


def differing(values: dict[str, Any], row: Any, cells: Mapping[str, str]) -> dict[str, Any]:
    """Return the values that are not stored. A list is also the same where our export would show it so."""
    shown = {snake_case(name): cell for name, cell in cells.items()}
    return {
        name: value
        for name, value in values.items()
        if (stored := getattr(row, name)) != value
        and not (isinstance(value, list) and ",".join(map(str, stored)).strip() == shown.get(name))
    }
