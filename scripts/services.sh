#!/bin/sh
# A private PostgreSQL and Redis on free ports, in a folder outside the clone: start|stop|status|found|run -- COMMAND.
# COMMAND finds that folder in SERVICES_FOLDER, and in DB_SOCKETS what may stand for DB_HOST to go without TCP, if anything;
# crash-database there restarts PostgreSQL as a power cut does.
set -eu

temporary=${TMPDIR:-/tmp}
clone=$(cd "$(dirname "$0")/.." && pwd -P)
folder=$temporary/btf-services-$(id -u)-$(printf %s "$clone" | cksum | cut -d ' ' -f 1)
command=
mask=$(umask)
umask 077 # passwords lie in these folders

fail() { echo "services.sh: $*" >&2; exit 1; }

random() { od -An -N 16 -tx1 /dev/urandom | tr -d ' \n'; }

# PostgreSQL's server programs are on nobody's PATH where Debian, Red Hat or brew installed them.
for bin in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
    [ ! -x "$bin/initdb" ] || PATH=$bin:$PATH
done

found() {
    for program in initdb pg_ctl createdb redis-server redis-cli; do
        command -v "$program" >/dev/null || return 1
    done
}

# PostgreSQL refuses to run as root; the clone may be closed to the user it then runs as.
as_server() {
    if [ "$(id -u)" -eq 0 ]; then (cd / && runuser -u postgres -- "$@"); else (cd / && "$@"); fi
}

# Calls a function with ports below the range of outgoing connections until one turns out to be free.
on_a_free_port() {
    for _ in 1 2 3 4 5 6; do
        port=$((10000 + $(od -An -N 2 -tu2 /dev/urandom) % 20000))
        ! "$1" "$port" || return 0
    done
    fail "$1 could not start: $(tail -n 1 "$folder/log")"
}

postgres_on() {
    as_server pg_ctl start -w -D "$servers/postgres" -l "$servers/postgres.log" -o "-p $1" >>"$folder/log" 2>&1
}

redis_on() {
    as_server redis-server --port "$1" --bind 127.0.0.1 --databases 64 --save '' --appendonly no --daemonize yes \
        --dir "$servers" --logfile "$servers/redis.log" --pidfile "$servers/redis-$1.pid" >>"$folder/log" 2>&1
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        pid=$(cat "$servers/redis-$1.pid" 2>/dev/null || echo none)
        ! redis-cli -p "$1" info server 2>/dev/null | grep -q "^process_id:$pid" || return 0
        sleep 0.1
    done
    rm -f "$servers/redis-$1.pid"
    return 1
}

make_cluster() {
    random | as_server tee "$servers/password" >/dev/null
    case $(uname) in Darwin) locale=en_US.UTF-8 ;; *) locale=C.UTF-8 ;; esac
    as_server initdb -D "$servers/postgres" -U btf_user --pwfile="$servers/password" --auth=scram-sha-256 \
        --encoding=UTF8 --locale="$locale" --no-sync >>"$folder/log" 2>&1 || fail "$(tail -n 1 "$folder/log")"
    as_server tee -a "$servers/postgres/postgresql.conf" >/dev/null <<-CONF
	listen_addresses = '127.0.0.1'
	unix_socket_directories = '$sockets'
	max_connections = 500
	timezone = 'UTC'
	fsync = off
	synchronous_commit = off
	full_page_writes = off
	jit = off
	CONF
    # Benchmarks count statements by it.
    for library in "$(dirname "$(command -v initdb)")"/../lib*/pg_stat_statements.* \
        "$(dirname "$(command -v initdb)")"/../lib*/postgresql/pg_stat_statements.*; do
        [ ! -f "$library" ] || echo "shared_preload_libraries = 'pg_stat_statements'"
    done | head -n 1 | as_server tee -a "$servers/postgres/postgresql.conf" >/dev/null
}

start_servers() {
    servers=$folder/servers
    found || fail "PostgreSQL and Redis are not installed: scripts/install_dependencies.sh"
    mkdir "$servers"
    chmod 711 "$folder"
    [ "$(id -u)" -ne 0 ] || chown postgres "$servers" 2>/dev/null || fail "there is no user postgres to run as"
    as_server test -w "$servers" || fail "$temporary is closed to the user postgres: set TMPDIR to another folder"
    sockets=$servers
    # The path of a socket has room for some hundred bytes, and PostgreSQL's configuration reads some signs in it.
    case $sockets in *[!A-Za-z0-9/._+-]*) sockets= ;; *) [ ${#sockets} -le 80 ] || sockets= ;; esac
    make_cluster
    on_a_free_port postgres_on
    database_port=$port
    on_a_free_port redis_on
    PGPASSWORD=$(cat "$servers/password") createdb -h 127.0.0.1 -p "$database_port" -U btf_user -T template0 btf_db \
        2>>"$folder/log" || fail "$(tail -n 1 "$folder/log")"
    cat >"$folder/environment" <<-ENVIRONMENT
	DB_NAME=btf_db
	DB_USER=btf_user
	DB_PASSWORD=$(cat "$servers/password")
	DB_HOST=127.0.0.1
	DB_PORT=$database_port
	REDIS_URL=redis://127.0.0.1:$port/0
	ENVIRONMENT
}

# Whether process $1 has $2 on its command line: after a reboot the number may be somebody else's.
is_ours() { { cat "/proc/$1/cmdline" || ps -o args= -p "$1"; } 2>/dev/null | tr '\0' ' ' | grep -qF -- "$2"; }

end() {
    signal=$3
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        is_ours "$1" "$2" || return 0
        kill -s "$signal" "$1" 2>/dev/null || true
        sleep 0.1
    done
    kill -s KILL "$1" 2>/dev/null || true
}

stop_servers() {
    servers=$folder/servers
    for pid_file in "$servers"/redis-*.pid "$servers/postgres/postmaster.pid"; do
        [ -s "$pid_file" ] || continue
        pid=$(head -n 1 "$pid_file")
        case $pid_file in
            *redis-*) port=${pid_file##*-} && end "$pid" "127.0.0.1:${port%.pid}" TERM ;;
            *) end "$pid" "$servers/postgres" QUIT ;;
        esac
    done
    rm -rf "$folder"
}

is_running() { [ -f "$folder/environment" ] && is_ours "$(head -n 1 "$folder/servers/postgres/postmaster.pid")" "$folder"; }

start() {
    if ! mkdir "$folder" 2>/dev/null; then
        [ -n "$(find "$folder" -prune -user "$(id -u)")" ] || fail "$folder belongs to somebody else"
        ! is_running || { cat "$folder/environment"; return; }
        stop_servers
        mkdir "$folder"
    fi
    trap stop_servers EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    start_servers
    trap - EXIT
    cat "$folder/environment"
}

end_run() {
    trap '' HUP INT TERM
    if [ -n "$command" ]; then # what it still writes down needs the servers
        kill "$command" 2>/dev/null || true
        wait "$command" || true
    fi
    stop_servers
}

run() {
    folder=$(mktemp -d "$temporary/btf-services-XXXXXX")
    trap end_run EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    start_servers
    set -a
    # shellcheck source=/dev/null
    . "$folder/environment"
    set +a
    export SERVICES_FOLDER="$folder" DB_SOCKETS="$sockets"
    # In the background, so that a signal to this script is acted on at once; with our standard input all the same.
    umask "$mask"
    exec 3<&0
    "$@" <&3 3<&- &
    command=$!
    wait "$command" && status=0 || status=$?
    command=
    return "$status"
}

crash_database() {
    [ -d "${SERVICES_FOLDER:-}/servers/postgres" ] || fail "SERVICES_FOLDER names no folder with a PostgreSQL"
    as_server pg_ctl restart -w -m immediate -D "$SERVICES_FOLDER/servers/postgres" \
        -l "$SERVICES_FOLDER/servers/postgres.log" >>"$SERVICES_FOLDER/log" 2>&1
}

status() {
    is_running || fail "not running"
    grep -E '^(DB_PORT|REDIS_URL)=' "$folder/environment"
}

case ${1:-} in
    start | status | found) "$1" ;;
    stop) stop_servers ;;
    crash-database) crash_database ;;
    run)
        [ $# -gt 2 ] || fail "usage: services.sh run -- COMMAND"
        shift 2
        run "$@"
        ;;
    *) fail "usage: services.sh start|stop|status|found|run -- COMMAND" ;;
esac
