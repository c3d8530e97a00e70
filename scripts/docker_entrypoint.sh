#!/bin/sh
# In a container: waits for the database, then for Redis (60 tries, a second apart), then becomes the command.
# The word `migrate` is the step of its own before everything else; SEED_DEMO_DATA=true adds demo data, which only DEBUG allows.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "docker_entrypoint.sh: $*" >&2; exit 1; }

# wait_for NAME PYTHON: runs PYTHON until it succeeds; what it says at last is the reason.
wait_for() {
    tries=${WAIT_TRIES:-60}
    while ! reason=$(python -c "$2" 2>&1); do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "no $1: $(echo "$reason" | tail -n 1)"
        sleep 1
    done
}

[ -z "${DB_NAME:-}${DB_HOST:-}" ] || wait_for database '
import os, psycopg2
env = os.environ.get
psycopg2.connect(dbname=env("DB_NAME", "btf_db"), user=env("DB_USER", "btf_user"), password=env("DB_PASSWORD", ""),
                 host=env("DB_HOST", "localhost"), port=env("DB_PORT", "5432"), connect_timeout=2)'
[ -z "${REDIS_URL:-}" ] || wait_for Redis '
import os, redis
redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=2, socket_connect_timeout=2).ping()'

[ $# -gt 0 ] || fail "usage: docker_entrypoint.sh migrate|COMMAND"
if [ "$1" = migrate ]; then
    shift
    python manage.py migrate --noinput "$@"
    [ "${SEED_DEMO_DATA:-}" != true ] || python manage.py seed_demo_data
    exit
fi
exec "$@"
