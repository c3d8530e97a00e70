#!/bin/sh
# Keeps the database and all files in a new folder below TARGET: backup.sh TARGET [--keep N] [--erased-only].
# Exit status 0: the new folder is whole. Anything else: there is no new folder, and the old ones are untouched.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "backup.sh: $*" >&2; exit 1; }

case ${1:-} in '' | -*) fail "usage: backup.sh TARGET [--keep N] [--erased-only]" ;; esac
for program in .venv/bin/python pg_dump; do
    command -v "$program" >/dev/null || fail "$program is missing"
done
umask 077
exec .venv/bin/python manage.py backup "$@"
