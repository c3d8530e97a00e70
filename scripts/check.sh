#!/bin/sh
# What a reviewer need not look for: lint, format, types, layers, migrations, deployment, schema, client, scripts, secrets, known holes.
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
    python manage.py shell --no-imports -c 'from btf_backend.asyncapi import written; print(written().decode(), end="")' >"$schema" || return
    diff -u docs/asyncapi.yaml "$schema" || { echo "docs/asyncapi.yaml is not what the code says: make schema" >&2 && return 1; }
}

# Whatever it says fails, down to a hint.
documents_are_clean() {
    scripts/node_tools.sh && scripts/node/node_modules/.bin/spectral lint --fail-severity hint docs/openapi.yaml docs/asyncapi.yaml
}

step "Lint" ruff check --quiet .
step "Format" ruff format --quiet --check .
step "Types" mypy .
step "Layers" lint-imports
step "Migrations" python manage.py makemigrations --check --dry-run
step "New migrations" scripts/lint_migrations.sh
step "Deployment" scripts/check_deploy.sh
step "Schema" schema_is_current
step "API documents" documents_are_clean
step "Client" scripts/client.sh check
step "Serving" scripts/lint_deploy.sh
step "Scripts" shellcheck -x scripts/*.sh .ci/run
step "Secrets" python scripts/scan_secrets.py
step "Dependencies" scripts/audit_dependencies.sh
