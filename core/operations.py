"""Operations of migrations that let requests go on: PostgreSQL's careful ways, and the plain ones on SQLite.

``CREATE INDEX CONCURRENTLY`` and ``VALIDATE CONSTRAINT`` hold up neither reads nor writes (PostgreSQL, VI.I).
A migration that makes or drops an index so says ``atomic = False`` and does nothing else. Import the module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres import operations
from django.db.migrations.operations import AddConstraint, AddIndex, RemoveIndex

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class AddIndexConcurrently(operations.AddIndexConcurrently):
    """Takes two passes over the table; what it leaves where it gave up, ``migrate`` clears away."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *states: Any
    ) -> None:
        kind = operations.AddIndexConcurrently if on_postgresql(schema_editor) else AddIndex
        kind.database_forwards(self, app_label, schema_editor, *states)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *states: Any
    ) -> None:
        kind = operations.AddIndexConcurrently if on_postgresql(schema_editor) else AddIndex
        kind.database_backwards(self, app_label, schema_editor, *states)


class RemoveIndexConcurrently(operations.RemoveIndexConcurrently):
    """Waits for whoever uses the index, and holds up nobody meanwhile."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *states: Any
    ) -> None:
        kind = operations.RemoveIndexConcurrently if on_postgresql(schema_editor) else RemoveIndex
        kind.database_forwards(self, app_label, schema_editor, *states)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *states: Any
    ) -> None:
        kind = operations.RemoveIndexConcurrently if on_postgresql(schema_editor) else RemoveIndex
        kind.database_backwards(self, app_label, schema_editor, *states)


class AddConstraintNotValid(operations.AddConstraintNotValid):
    """A check that binds what is written from now on. ``ValidateConstraint`` is the next migration."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *states: Any
    ) -> None:
        kind = operations.AddConstraintNotValid if on_postgresql(schema_editor) else AddConstraint
        kind.database_forwards(self, app_label, schema_editor, *states)


class ValidateConstraint(operations.ValidateConstraint):
    """SQLite's constraints bind all rows from the beginning."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *states: Any
    ) -> None:
        if on_postgresql(schema_editor):
            super().database_forwards(app_label, schema_editor, *states)


def on_postgresql(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    return schema_editor.connection.vendor == "postgresql"
