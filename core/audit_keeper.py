"""Handing the function that forgets audit rows to a database role of its own, where there may be one.

So that a DELETE by the application's role is refused, where it is a mistake or a stray statement. It holds
nothing against intent: the application's role is a member, so whoever may send any SQL as it can SET ROLE,
claim to forget, and delete rows older than 30 days. A managed service may forbid to create roles. Then the
function stays with the application's role and works as well; what guards old rows is a setting of the session
alone. Rows of the last 30 days are guarded by the trigger until the table's owner drops it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import connections

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# ``<role>_audit_keeper``: scripts/setup_database.sh makes it, too. Ownership passes only to who may create in
# the schema (PostgreSQL, ALTER FUNCTION), which is taken back at once.
HAND_OVER: Final = """
DO $$
DECLARE
  keeper name := left(current_user, 50) || '_audit_keeper';
  place name := current_schema();
  forget regprocedure := to_regprocedure('forget_audit_events(integer, integer)');
  me name := current_user;
BEGIN
  IF forget IS NULL OR (SELECT pg_get_userbyid(proowner) = keeper FROM pg_proc WHERE oid = forget) THEN
    RETURN;
  END IF;
  BEGIN
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', forget);  -- a restored one has lost that
  EXCEPTION WHEN insufficient_privilege THEN
    RETURN;  -- somebody else's
  END;
  BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = keeper) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', keeper);
      EXECUTE format('GRANT %I TO %I', keeper, me);
    END IF;
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', place, keeper);
    EXECUTE format('GRANT SELECT, DELETE ON core_auditevent TO %I', keeper);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', forget, me);
    EXECUTE format('ALTER FUNCTION %s OWNER TO %I', forget, keeper);
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM %I', place, keeper);
  EXCEPTION WHEN insufficient_privilege OR duplicate_object THEN
    NULL;
  END;
END $$
"""


def hand_over(*, using: str = "default", **kwargs: Any) -> None:
    """Give the function to its role; nothing happens where it has it, or where this role may not do that."""
    connection: BaseDatabaseWrapper = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(HAND_OVER)


def keeper() -> str:
    """Return as which role the function runs; empty where there is none."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_userbyid(proowner) FROM pg_proc"
            " WHERE oid = to_regprocedure('forget_audit_events(integer, integer)')"
        )
        row = cursor.fetchone()
    return str(row[0]) if row else ""
