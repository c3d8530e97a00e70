"""The database and the Redis of a test process: one of its own for each, and empty after whoever commits."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.cache import caches
from django.db import connection, connections, transaction
from django.db.backends.base.creation import TEST_DATABASE_PREFIX
from django.test import TransactionTestCase

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

REDIS_DATABASES: Final = 64
# Filled by migrating, and the same in every database.
KEPT: Final = {"django_content_type", "auth_permission"}
# Refuses DELETE.
AUDIT: Final = "core_auditevent"


def use_redis_database(number: int) -> None:
    """Point cache and channel layer at a logical database of their own: ``cache.clear()`` empties one."""
    if not settings.ON_REDIS:
        return
    base, _, _ = settings.CACHES["default"]["LOCATION"].rpartition("/")
    settings.CACHES["default"]["LOCATION"] = f"{base}/{number}"
    settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] = f"test{number}"
    caches.settings["default"]["LOCATION"] = f"{base}/{number}"
    with suppress(AttributeError):
        del caches["default"]


def let_tests_empty_tables() -> None:
    """Let a test that commits empty the audit log: its database is cleared by TRUNCATE.

    Tests that need no database get none: then this one is somebody's own.
    """
    is_tests_own = str(connection.settings_dict["NAME"]).startswith(TEST_DATABASE_PREFIX)
    if connection.vendor == "postgresql" and is_tests_own:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {AUDIT} DISABLE TRIGGER audit_is_not_emptied")


def empty_tables(connection: BaseDatabaseWrapper) -> None:
    """Empty the tables that hold rows, but for content types and permissions.

    Django truncates all tables and fills those two anew: 0.3 seconds after each test that commits. A test
    that changes those two puts them back itself.
    """
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    holding = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")"  # noqa: S608 - our own tables
        for name in names
        if name not in KEPT
    )
    # Foreign keys are looked at when it commits.
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(holding)
        emptied = [name for (name,) in cursor.fetchall()]
        for name in emptied:
            is_truncated = name == AUDIT and connection.vendor == "postgresql"
            cursor.execute(f'TRUNCATE "{name}"' if is_truncated else f'DELETE FROM "{name}"')  # noqa: S608
    if emptied and connection.vendor == "postgresql":
        # Else the next test plans by what was here, or finds its rows behind those that are gone.
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM {', '.join(map(connection.ops.quote_name, emptied))}")


def empty_tables_quickly() -> None:
    """Have every test that commits empty its database so, from now on."""

    def empty(test: TransactionTestCase) -> None:
        for alias in test._databases_names(include_mirrors=False):  # type: ignore[attr-defined]  # noqa: SLF001
            empty_tables(connections[alias])

    TransactionTestCase._fixture_teardown = empty  # type: ignore[attr-defined]  # noqa: SLF001
