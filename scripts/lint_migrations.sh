#!/bin/sh
# Holds new migrations to what the release before survives. Django tells their SQL to a private PostgreSQL only.
set -eu
cd "$(dirname "$0")/.."

. scripts/neutral_environment.sh
SECRET_KEY=$(od -An -N 48 -tx1 /dev/urandom | tr -d ' \n')
export SECRET_KEY DJANGO_LOG_LEVEL=WARNING
python=.venv/bin/python

new=$($python scripts/lint_migrations.py --list) # apart: a test would pass over its failure
if [ -z "$new" ]; then
    echo "new migrations: 0"
elif scripts/services.sh found; then
    scripts/services.sh run -- $python scripts/lint_migrations.py
else
    echo "*** NO POSTGRESQL: new migrations are not judged (scripts/install_dependencies.sh) ***" >&2
    [ "${CI:-}" != true ]
fi
