#!/bin/sh
# Puts a backup into the database and the storage that the settings name: restore.sh BACKUP [--yes-replace]
# [--erased FILE] [--verify]. --verify only reads the backup through.
set -eu

fail() { echo "restore.sh: $*" >&2; exit 1; }

usage="usage: restore.sh BACKUP [--yes-replace] [--erased FILE] [--verify]"
case ${1:-} in '' | -*) fail "$usage" ;; esac
backup=$(cd "$1" 2>/dev/null && pwd -P) || fail "$1 is no folder"
shift
replace='' verify='' named='' erased=$(dirname "$backup")/erased-people.txt
while [ $# -gt 0 ]; do
    case $1 in
        --yes-replace) replace=--yes-replace ;;
        --verify) verify=--verify ;;
        --erased)
            [ -f "${2:-}" ] || fail "--erased takes the list of erased people"
            erased=$(cd "$(dirname "$2")" && pwd -P)/$(basename "$2") named=yes
            shift ;;
        *) fail "$usage" ;;
    esac
    shift
done

cd "$(dirname "$0")/.."
for program in .venv/bin/python pg_restore psql; do
    command -v "$program" >/dev/null || fail "$program is missing"
done
manage() { .venv/bin/python manage.py "$@"; }

# Status 3: the database is the backup's by now, and something else went wrong. Whoever was erased is back, too.
loaded=0
# shellcheck disable=SC2086 # one word or none
manage restore "$backup" $replace $verify ${named:+--erased "$erased"} || loaded=$?
case $loaded in
    0 | 3) ;;
    1) exit 1 ;;
    *) fail "ended with status $loaded: the database may be the backup's by now, with whoever was erased since." \
        "Run it again with --yes-replace" ;;
esac
[ -z "$verify" ] || exit 0

# Erasing asks the tables as this code has them: so migrations go first.
if manage migrate --check --skip-checks >/dev/null; then
    echo "migrations: none to run"
else
    echo "migrations: the code is newer than the backup. Running manage.py migrate"
    manage migrate --skip-checks --noinput || fail "the backup is back, but not migrated, and nobody was erased" \
        "again. When that is mended: manage.py migrate, then manage.py erase_again $backup $erased"
fi
if [ -f "$erased" ]; then
    manage erase_again "$backup" "$erased" || fail "the backup is back, but erasing again has not ended well." \
        "When that is mended: manage.py erase_again $backup $erased"
else
    echo "restore.sh: no list of erased people at $erased: whoever was erased since is back. With a list:" \
        "manage.py erase_again $backup LIST" >&2
fi
[ "$loaded" -eq 0 ] || fail "the database is the backup's, but not everything is as it was kept: above it says" \
    "what is wrong. When that is mended: restore.sh $backup --yes-replace${named:+ --erased $erased}"
