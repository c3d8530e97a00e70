#!/bin/sh
# Creates the role and the database that .env names, or brings them up to it; drops nothing and shows no password.
# On another host, or as a superuser of another name: PGUSER=... PGPASSWORD=... scripts/setup_database.sh
set -eu
cd "$(dirname "$0")/.."

fail() { echo "setup_database.sh: $*" >&2; exit 1; }

# Prints DB_*=value lines for the shell, read as settings.py reads them: quotes and comments mean the same.
read_environment() {
    .venv/bin/python - <<-'PYTHON'
	import shlex, sys
	from pathlib import Path
	from django.core.exceptions import ImproperlyConfigured
	from btf_backend.env import env, load_env_file

	try:
	    load_env_file(Path(env("ENV_FILE", ".env")))
	except ImproperlyConfigured as error:
	    sys.exit(f"setup_database.sh: {error}")
	defaults = {"NAME": "btf_db", "USER": "btf_user", "PASSWORD": "", "HOST": "localhost", "PORT": "5432"}
	for name, default in defaults.items():
	    print(f"DB_{name}={shlex.quote(env('DB_' + name, default))}")
	PYTHON
}

as_superuser() {
    if [ -n "${PGUSER:-}" ]; then
        psql -h "$DB_HOST" -p "$DB_PORT" "$@"
    elif [ "$(id -u)" -eq 0 ]; then
        (cd / && runuser -u postgres -- psql -p "$DB_PORT" "$@")
    elif psql -p "$DB_PORT" -d postgres -c '' </dev/null >/dev/null 2>&1; then
        psql -p "$DB_PORT" "$@"
    else
        (cd / && sudo -u postgres psql -p "$DB_PORT" "$@")
    fi
}

# A psql variable, by standard input: on a command line every user of the machine would see it.
variable() { printf "\\\\set %s '%s'\n" "$1" "$(printf %s "$2" | sed "s/[\\\\']/\\\\&/g")"; }

statements() {
    variable name "$DB_NAME"
    variable user "$DB_USER"
    variable password "$DB_PASSWORD"
    cat <<-'SQL'
	\encoding UTF8
	-- The server's log must not keep the password; only a superuser can see to that.
	SELECT set_config('log_statement', 'none', false), set_config('log_min_error_statement', 'panic', false)
	  FROM pg_roles WHERE rolname = current_user AND rolsuper \g /dev/null
	SELECT format('CREATE ROLE %I', :'user')
	 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'user') \gexec
	SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', :'user', :'password') \gexec
	SELECT format('GRANT %I TO CURRENT_USER', :'user') WHERE NOT pg_has_role(:'user', 'MEMBER') \gexec
	SELECT format('ALTER ROLE %I SET %s', :'user', setting)
	  FROM unnest(ARRAY['timezone = ''UTC''', 'client_encoding = ''UTF8''',
	                    'default_transaction_isolation = ''read committed''']) AS setting \gexec
	-- As whom old audit rows are forgotten: core/audit_keeper.py.
	SELECT format('CREATE ROLE %I NOLOGIN', keeper) FROM (SELECT left(:'user', 50) || '_audit_keeper' AS keeper) AS name
	 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = keeper) \gexec
	SELECT format('GRANT %I TO %I', left(:'user', 50) || '_audit_keeper', :'user') \gexec
	SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' TEMPLATE template0', :'name', :'user')
	 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
	SELECT format('ALTER DATABASE %I OWNER TO %I', :'name', :'user')
	  FROM pg_database WHERE datname = :'name' AND pg_get_userbyid(datdba) <> :'user' \gexec
	SELECT 'superuser' FROM pg_roles WHERE rolname = :'user' AND rolsuper;
	\connect :"name"
	SELECT 'CREATE EXTENSION pg_trgm' FROM pg_available_extensions
	 WHERE name = 'pg_trgm' AND installed_version IS NULL \gexec
	SQL
}

scripts/bootstrap.sh run
values=$(read_environment)
eval "$values"
[ -n "$DB_PASSWORD" ] || fail "DB_PASSWORD is not set: put one into .env"
case ${PGUSER:-}:$DB_HOST in
    :localhost | :127.0.0.1 | :::1 | :/* | ?*:*) ;;
    *) fail "which superuser of $DB_HOST? PGUSER=... PGPASSWORD=... scripts/setup_database.sh" ;;
esac
command -v psql >/dev/null || fail "psql is not installed: scripts/install_dependencies.sh"
answer=$(statements | as_superuser -X -q -d postgres -v ON_ERROR_STOP=1 -v VERBOSITY=terse 2>&1) ||
    fail "$(echo "$answer" | head -n 1)"
case $answer in
    *superuser*) echo "setup_database.sh: $DB_USER is a superuser: no trigger and no keeper of the audit log holds for it" >&2 ;;
esac
echo "Database $DB_NAME of $DB_USER is ready on $DB_HOST:$DB_PORT."
