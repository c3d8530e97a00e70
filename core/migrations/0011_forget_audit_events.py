"""Let one function delete audit rows that are old, and nobody empty the table.

The trigger lets a DELETE through where the row is older than 30 days (the least that AUDIT_RETENTION_DAYS may be),
where the function runs, and where it runs as its owner. That is a role of its own, if ``core.audit_keeper`` could
hand it over, and the application's own role otherwise.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

CREATE = """
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
CREATE FUNCTION forget_audit_events(keep_days integer, at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  forgotten integer;
BEGIN
  IF keep_days IS NULL OR keep_days < 30 THEN
    RAISE EXCEPTION 'audit events are kept for 30 days at least' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM set_config('audit.forgetting', 'yes', true);
  DELETE FROM core_auditevent WHERE id = ANY (ARRAY(
    SELECT id FROM core_auditevent WHERE at < now() - make_interval(days => keep_days) ORDER BY at, id LIMIT at_most
  ));
  GET DIAGNOSTICS forgotten = ROW_COUNT;
  PERFORM set_config('audit.forgetting', '', true);
  RETURN forgotten;
END $$;
REVOKE ALL ON FUNCTION forget_audit_events(integer, integer) FROM PUBLIC;

CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE'
    AND current_setting('audit.forgetting', true) = 'yes'
    AND current_user = (
      SELECT pg_get_userbyid(proowner) FROM pg_proc
      WHERE oid = to_regprocedure(format('%I.forget_audit_events(integer, integer)', TG_TABLE_SCHEMA)))
    AND OLD.at < now() - interval '30 days'
  THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'core_auditevent is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON core_auditevent
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
"""
DROP = """
DROP TRIGGER IF EXISTS audit_is_not_emptied ON core_auditevent;
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'core_auditevent is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
DROP FUNCTION IF EXISTS forget_audit_events(integer, integer);
"""


def let_old_rows_go(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE, params=None)


def keep_all_rows(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP, params=None)


class Migration(migrations.Migration):
    dependencies = [("core", "0010_show_notices_in_their_time")]
    operations = [migrations.RunPython(let_old_rows_go, keep_all_rows)]
