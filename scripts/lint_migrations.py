"""Holds each migration after the baseline to what the release before survives (CONTRIBUTING.md, Migrations).

Baseline and what a person has accepted stand in pyproject.toml. Needs a PostgreSQL, for the SQL that Django
would send: scripts/lint_migrations.sh brings one. SQL that a RunPython sends is looked for in its function
and in the migration's module. What these call in other modules is not read: a reviewer must.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

PROJECT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "btf_backend.settings")

import django  # noqa: E402

django.setup()

from django.apps import apps  # noqa: E402
from django.db import migrations  # noqa: E402
from django.db.migrations import operations as plain  # noqa: E402
from django.db.migrations.loader import MigrationLoader  # noqa: E402
from django_migration_linter import MigrationLinter  # noqa: E402

from core import operations as careful  # noqa: E402
from core import tallies  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

DATA: Final = (migrations.RunPython, migrations.RunSQL, tallies.Keep)
ON_A_TABLE: Final = (plain.AddIndex, plain.RemoveIndex, plain.AddConstraint, plain.AddField)
ALONE: Final = (careful.AddIndexConcurrently, careful.RemoveIndexConcurrently)
EXECUTES: Final = re.compile(r"\.execute(many)?\b")
# How variables in a data migration are named is ruff's to say.
NOT_ABOUT_SAFETY: Final = ["RUNPYTHON_ARGS_NAMING_CONVENTION", "RUNPYTHON_MODEL_VARIABLE_NAME"]


def unjudged(loader: MigrationLoader, rules: dict[str, Any]) -> list[migrations.Migration]:
    """Return our migrations that neither the baseline leads to nor somebody has accepted."""
    ours = {app.label for app in apps.get_app_configs() if Path(app.path).is_relative_to(PROJECT / app.label)}
    known = {key for last in rules["baseline"].items() for key in loader.graph.forwards_plan(last)}
    found = [migration for key, migration in sorted(loader.disk_migrations.items()) if key not in known]
    return [one for one in found if one.app_label in ours and str(one) not in rules["accepted"]]


def flat(operations: Any) -> Iterator[Any]:
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from flat(operation.database_operations)
        else:
            yield operation


def complaints(migration: migrations.Migration) -> Iterator[str]:
    """Say what the linter of SQL does not see."""
    steps = list(flat(migration.operations))
    made = {step.name_lower for step in steps if isinstance(step, plain.CreateModel)}
    if any(isinstance(step, DATA) for step in steps) and not all(isinstance(step, DATA) for step in steps):
        yield "Data and schema in one migration: rows stay locked while tables change. Two migrations."
    if any(isinstance(step, ALONE) for step in steps) and len(steps) > 1:
        yield "What is done CONCURRENTLY cannot be rolled back: a migration of its own."
    if not migration.atomic and not all(isinstance(step, ALONE) for step in steps):
        yield "Without a transaction, a migration that gives up half-way is not rolled back: atomic = True."
    kinds = {type(step) for step in steps}
    if {careful.AddConstraintNotValid, careful.ValidateConstraint} <= kinds:
        yield "ValidateConstraint in the transaction that holds the lock: a migration of its own."
    if any(sends_sql(step, sys.modules[type(migration).__module__]) for step in steps):
        yield "SQL inside of RunPython is judged by nobody: RunSQL, or accept it by name."
    for step in steps:
        if not isinstance(step, ON_A_TABLE) or step.model_name.lower() not in made:
            yield from complaints_of(step)


def sends_sql(step: Any, module: ModuleType) -> bool:
    """Tell whether a RunPython may send SQL of its own: it, or what stands beside it."""
    if not isinstance(step, migrations.RunPython):
        return False
    return any(EXECUTES.search(inspect.getsource(place)) for place in (step.code, module))


def makes_index(field: Any) -> bool:
    return bool(field.unique or field.db_index)


def complaints_of(step: Any) -> Iterator[str]:
    """Say what is wrong with one operation on a table that is in use."""
    match step:
        case plain.AddIndex() if not isinstance(step, careful.AddIndexConcurrently):
            yield f"AddIndex {step.index.name} holds up writes: core.operations.AddIndexConcurrently."
        case plain.RemoveIndex() if not isinstance(step, careful.RemoveIndexConcurrently):
            yield f"RemoveIndex {step.name} holds up everything: core.operations.RemoveIndexConcurrently."
        case plain.AddConstraint() if not isinstance(step, careful.AddConstraintNotValid):
            yield f"Constraint {step.constraint.name} reads under a lock: AddConstraintNotValid first."
        case plain.AddField(field=field) if makes_index(field):
            yield f"AddField {step.name} makes its index under a lock: db_index=False, and the index later."
        case plain.AddField(field=field) if (
            not field.null and not field.has_db_default() and not field.many_to_many
        ):
            yield f"AddField {step.name}: the release before inserts without it: db_default, or null=True."


def main() -> None:
    with (PROJECT / "pyproject.toml").open("rb") as file:
        rules = tomllib.load(file)["tool"]["hub"]["migrations"]
    new = unjudged(MigrationLoader(None), rules)
    if sys.argv[1:] == ["--list"]:
        print(*new, sep="\n")
        return
    refused = [f"{migration}: {words}" for migration in new for words in complaints(migration)]
    if new:
        linter = MigrationLinter(
            no_cache=True, all_warnings_as_errors=True, exclude_migration_tests=NOT_ABOUT_SAFETY, quiet=["ok"]
        )
        for migration in new:
            linter.lint_migration(migration)
        refused += [f"{linter.nb_erroneous} refused for their SQL, above"] * linter.has_errors
        refused += [f"{linter.nb_ignored} may not excuse themselves"] * bool(linter.nb_ignored)
    print(*refused, f"new migrations: {len(new)}", sep="\n")
    raise SystemExit(bool(refused))


if __name__ == "__main__":
    main()
