#!/bin/sh
# Fuzzes the API by docs/openapi.yaml, by nasty values, and the sockets: each on a private PostgreSQL and Redis.
# CASES of schemathesis, CALLS with one nasty part, FRAMES; SECONDS_EACH (make fuzz SECONDS=) bounds
# each of the three (0: nothing does).
# SEED makes the same run again. Everything runs, whatever failed before; the exit status tells.
set -eu
cd "$(dirname "$0")/.."

seconds=${SECONDS_EACH:-0}
status=0

part() {
    name=$1
    shift
    printf '\n== %s\n\n' "$name"
    scripts/services.sh run -- .venv/bin/python "benchmarks/fuzz/$name.py" "$@" || status=1
}

scripts/bootstrap.sh dev
. scripts/neutral_environment.sh
# shellcheck disable=SC2086 # nothing, or a number
part conform "${CASES:-4000}" "$seconds" ${SEED:-}
# shellcheck disable=SC2086
part mutate "${CALLS:-6000}" "$seconds" ${SEED:-}
# shellcheck disable=SC2086
part frames "${FRAMES:-3000}" "$seconds" ${SEED:-}
exit "$status"
