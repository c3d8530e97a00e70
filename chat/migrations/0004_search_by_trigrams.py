"""A trigram index behind the search in conversations. PostgreSQL alone: SQLite reads the table."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# The expression of MessageQuerySet.matching, to the letter: else PostgreSQL would not use it.
CREATE = "CREATE INDEX message_by_text ON chat_message USING gin (LOWER(text) gin_trgm_ops);"
DROP = "DROP INDEX IF EXISTS message_by_text;"


def add(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE)


def remove(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP)


class Migration(migrations.Migration):
    dependencies = [("chat", "0003_add_feed_and_marks"), ("users", "0003_search_by_trigrams")]
    operations = [migrations.RunPython(add, remove)]
