#!/bin/sh
# What a reviewer need not look for: lint, format, types, layers, migrations, deployment, schema, scripts, secrets, known holes.
set -eu
cd "$(dirname "$0")/.."

scripts/bootstrap.sh dev
. scripts/neutral_environment.sh
PATH=$PWD/.venv/bin:$PATH
schema=$(mktemp)
trap 'rm -f "$schema"' EXIT

step() {
    printf '== %s\n' "$1"
    shift
    "$@" || { echo "check.sh: stopped at: $*" >&2; exit 1; }
}

schema_is_current() {
    python manage.py spectacular --validate --fail-on-warn --file "$schema" || return
    diff -u docs/openapi.yaml "$schema" || { echo "docs/openapi.yaml is not what the code says: make schema" >&2 && return 1; }
}

step "Lint" ruff check --quiet .
step "Format" ruff format --quiet --check .
step "Types" mypy .
step "Layers" lint-imports
step "Migrations" python manage.py makemigrations --check --dry-run
step "New migrations" scripts/lint_migrations.sh
step "Deployment" scripts/check_deploy.sh
step "Schema" schema_is_current
step "Serving" scripts/lint_deploy.sh
step "Scripts" shellcheck -x scripts/*.sh .ci/run
step "Secrets" python scripts/scan_secrets.py
step "Dependencies" scripts/audit_dependencies.sh
