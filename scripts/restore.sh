#!/bin/sh
# Puts a backup into the database and the storage that the settings name: restore.sh BACKUP [--yes-replace]
# [--without-damaged] [--erased FILE] [--rehearsal] [--verify]. --verify only reads the backup through.
set -eu

fail() { echo "restore.sh: $*" >&2; exit 1; }

usage="usage: restore.sh BACKUP [--yes-replace] [--without-damaged] [--erased FILE] [--rehearsal] [--verify]"
case ${1:-} in '' | -*) fail "$usage" ;; esac
backup=$(cd "$1" 2>/dev/null && pwd -P) || fail "$1 is no folder"
shift
replace='' without='' rehearsal='' verify='' named='' erased=$(dirname "$backup")/erased-people.txt
while [ $# -gt 0 ]; do
    case $1 in
        --yes-replace) replace=--yes-replace ;;
        --without-damaged) without=--without-damaged ;;
        --rehearsal) rehearsal=--rehearsal ;;
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

# Settings that cannot be read, or packages that miss: before anything could be loaded.
manage restore --help >/dev/null || exit 1

# Status 4: nothing was touched, as with unknown words (2). 3: the database is the backup's by now, and something
# else went wrong. After any other, such as a fault that nobody has caught (1) or a kill, nobody knows: it may be.
# Whoever was erased may be back then, so they are erased again.
loaded=0 state="the backup is back"
# shellcheck disable=SC2086 # one word or none, each
manage restore "$backup" $replace $without $rehearsal $verify ${named:+--erased "$erased"} || loaded=$?
if [ -n "$verify" ]; then
    [ "$loaded" -eq 0 ] || exit 1
    exit 0
fi
case $loaded in
    0 | 3) ;;
    2 | 4) exit 1 ;;
    *)
        state="the backup may be back"
        echo "restore.sh: ended with status $loaded: the database may be the backup's by now, with whoever was" \
            "erased since. They are erased again:" >&2 ;;
esac
again="manage.py erase_again $backup $erased${rehearsal:+ $rehearsal}"

# Erasing asks the tables as this code has them: so migrations go first.
if manage migrate --check --skip-checks >/dev/null; then
    echo "migrations: none to run"
else
    echo "migrations: the code is newer than the backup. Running manage.py migrate"
    manage migrate --skip-checks --noinput || fail "$state, but not migrated, and nobody was erased again." \
        "When that is mended: manage.py migrate, then $again"
fi
if [ -f "$erased" ]; then
    # shellcheck disable=SC2086 # one word or none
    manage erase_again "$backup" "$erased" $rehearsal || fail "$state, but erasing again has not ended well." \
        "When that is mended: $again"
else
    echo "restore.sh: no list of erased people at $erased: whoever was erased since is back. With a list:" \
        "manage.py erase_again $backup LIST" >&2
fi
[ "$loaded" -eq 0 ] || fail "$state, but not everything is as it was kept, or nobody has compared: above it says" \
    "what is wrong. When that is mended: restore.sh $backup --yes-replace${named:+ --erased $erased}${rehearsal:+ $rehearsal}"
