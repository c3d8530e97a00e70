#!/bin/sh
# Keeps the database and all files in a new folder below TARGET: backup.sh TARGET [--keep N], or only notes who was
# erased (--erased-only), or that the files which the last backup lacks are lost for good (--accept-losses).
# Exit status 0: the new folder is whole, and has every file that rows name, but for accepted losses. Anything else
# says what it is: there is no new folder, and the old ones are untouched; or it is there, but rows name files that it
# has not, or old ones cannot be deleted.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "backup.sh: $*" >&2; exit 1; }

case ${1:-} in '' | -*) fail "usage: backup.sh TARGET [--keep N | --erased-only | --accept-losses]" ;; esac
for program in .venv/bin/python pg_dump; do
    command -v "$program" >/dev/null || fail "$program is missing"
done
umask 077
exec .venv/bin/python manage.py backup "$@"
