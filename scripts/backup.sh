#!/bin/sh
# Keeps the database and all files in a new folder below TARGET: backup.sh TARGET [--keep N] [--erased-only].
# Exit status 0: the new folder is whole, and so are the files that rows name. Anything else says what it is: there is
# no new folder, and the old ones are untouched; or it is there, but files are lost, or old ones cannot be deleted.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "backup.sh: $*" >&2; exit 1; }

case ${1:-} in '' | -*) fail "usage: backup.sh TARGET [--keep N] [--erased-only]" ;; esac
for program in .venv/bin/python pg_dump; do
    command -v "$program" >/dev/null || fail "$program is missing"
done
umask 077
exec .venv/bin/python manage.py backup "$@"
