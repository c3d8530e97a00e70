"""A trigram index behind the search for people. PostgreSQL alone: SQLite has none, and a laptop needs none."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# The expression of UserQuerySet.matching, to the letter: else PostgreSQL would not use it.
CREATE = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX user_by_search ON users USING gin (
    LOWER(first_name || ' ' || last_name || E'\\n' || email) gin_trgm_ops
);
"""
DROP = "DROP INDEX IF EXISTS user_by_search;"


def add(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE)


def remove(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP)


class Migration(migrations.Migration):
    dependencies = [("users", "0002_add_imports_archives_and_indexes")]
    operations = [migrations.RunPython(add, remove)]
