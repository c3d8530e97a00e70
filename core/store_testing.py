"""The database and the Redis of a test process: one of its own for each, and empty after whoever commits."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from select import select
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.cache import caches
from django.db import connection, connections, transaction
from django.db.backends.base.creation import TEST_DATABASE_PREFIX
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import TransactionTestCase
from psycopg2 import Error, extensions

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

REDIS_DATABASES: Final = 64
# Filled by migrating, and the same in every database.
KEPT: Final = {"django_content_type", "auth_permission"}
# Refuses DELETE.
AUDIT: Final = "core_auditevent"
# Each row that goes is looked for in every table that may lead to it, which is most of the work where all go.
# Superusers alone may leave it; to others this has no row.
LEAVE_TRIGGERS: Final = """
    SELECT set_config('session_replication_role', 'replica', true) FROM pg_roles
    WHERE rolname = current_user AND rolsuper
"""
# A table whose file has no bytes has no rows; a partitioned one has no file of its own.
FILLED: Final = """
    SELECT relname FROM pg_class
    WHERE relname = ANY(%s) AND pg_table_is_visible(oid)
    AND (relkind = 'p' OR relkind = 'r' AND pg_relation_size(oid) > 0)
"""
# A race that needs more at once opens them.
MOST_KEPT: Final = 30


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
    """Let a test that commits empty the audit log: who is no superuser does that by TRUNCATE.

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
    on_postgresql = connection.vendor == "postgresql"
    touched: set[str] = set()
    # Where triggers fire, those of foreign keys do when it commits.
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if on_postgresql:
            cursor.execute(LEAVE_TRIGGERS)
        triggers_fire = on_postgresql and not cursor.fetchone()
        # Again, since one of them may write where no row is left.
        while found := holding(cursor, names := filled(connection, cursor)):
            for name in found:
                is_truncated = name == AUDIT and triggers_fire
                cursor.execute(f'TRUNCATE "{name}"' if is_truncated else f'DELETE FROM "{name}"')  # noqa: S608
            touched.update(names)
    if touched and on_postgresql:
        # Else the next test plans by what was here, or finds its rows behind those that are gone.
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM {', '.join(map(connection.ops.quote_name, touched))}")


def filled(connection: BaseDatabaseWrapper, cursor: CursorWrapper) -> list[str]:
    """Return the tables that may hold rows: to plan a look into each takes longer than all the rest."""
    on_postgresql = connection.vendor == "postgresql"
    names = connection.introspection.django_table_names(only_existing=not on_postgresql, include_views=False)
    if on_postgresql:
        cursor.execute(FILLED, [names])
        names = [name for (name,) in cursor.fetchall()]
    return [name for name in names if name not in KEPT]


def holding(cursor: CursorWrapper, names: list[str]) -> list[str]:
    """Return those that hold rows."""
    looks = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in names]  # noqa: S608 - ours
    if not looks:
        return []
    cursor.execute(" UNION ALL ".join(looks))
    return [name for (name,) in cursor.fetchall()]


def empty_tables_quickly() -> None:
    """Have every test that commits empty its database so, from now on."""

    def empty(test: TransactionTestCase) -> None:
        for alias in test._databases_names(include_mirrors=False):  # type: ignore[attr-defined]  # noqa: SLF001
            empty_tables(connections[alias])

    TransactionTestCase._fixture_teardown = empty  # type: ignore[attr-defined]  # noqa: SLF001


def keep_sessions() -> None:
    """Keep the sessions that this process closes, and lend them to whoever connects next, from now on.

    Django closes one after each class, after each test that commits, and where a thread ends. A new one is a
    process of PostgreSQL's that reads the catalogue anew: thousands of them took a tenth of the suite's time.
    Where a test is about their end, it patches MOST_KEPT.
    """
    if connection.vendor != "postgresql":
        return
    wrapper: Any = DatabaseWrapper  # the stubs do not tell of all that is replaced
    open_anew, end = wrapper.get_new_connection, wrapper._close  # noqa: SLF001
    kept: defaultdict[str, list[Any]] = defaultdict(list)

    def connect(self: Any, parameters: Any) -> Any:
        with suppress(IndexError):
            while True:
                session = kept[str(parameters)].pop()
                if is_quiet(session):
                    return session
                session.close()
        return open_anew(self, parameters)

    def close(self: Any) -> None:
        sessions = kept[str(self.get_connection_params())]
        is_ours = self.settings_dict["NAME"] == connection.settings_dict["NAME"]
        if is_ours and len(sessions) < MOST_KEPT and is_emptied(self.connection):
            sessions.append(self.connection)
        else:
            end(self)

    wrapper.get_new_connection, wrapper._close = connect, close  # noqa: SLF001


def is_quiet(session: Any) -> bool:
    """Tell whether nothing has come meanwhile: PostgreSQL speaks unasked where it ends a session."""
    return not session.closed and not select([session], [], [], 0)[0]


def is_emptied(session: Any) -> bool:
    """Throw away all that a session holds, as poolers do; tell whether that could be done."""
    if session is None or session.closed or session.status != extensions.STATUS_READY:
        return False
    try:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute("DISCARD ALL")
    except Error:
        return False
    return True
