#!/bin/sh
# The suite on PostgreSQL and Redis; PASSES="servers embedded" runs it on the embedded profile too. The last line is the sum.
# Arguments go to the runner. PASSES and BROWSER_PASSES ("servers") and EXCLUDE_TAGS ("scale drill served walk") choose;
# COVERAGE=yes measures the embedded pass and holds it against the floor of pyproject.toml.
set -eu
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
passes=${PASSES-servers}
excluded=${EXCLUDE_TAGS-scale drill served walk}
passed=0 failed=0 skipped=0
output=$(mktemp)
trap 'rm -f "$output" "$output.status"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

loudly() { printf '\n*** %s ***\n\n' "$*" >&2; }

# Where CI=true, what cannot run here fails; elsewhere it is left out, and said.
leave_out() {
    loudly "$*"
    [ "${CI:-}" != true ] || failed=$((failed + 1))
}

find_out_what_can_run() {
    scripts/install_dependencies.sh || true
    if ! scripts/services.sh found; then
        case $passes in *servers*)
            leave_out "NO POSTGRESQL AND REDIS: the suite runs on the embedded profile ONLY"
            passes=embedded ;;
        esac
    fi
    missing=" $(scripts/install_dependencies.sh --missing) "
    case $missing in *" chromium "*)
        leave_out "NO CHROMIUM: the browser tests are left out"
        excluded="$excluded browser" ;;
    esac
    case $missing in *" clamav "*)
        leave_out "NO CLAMD: the tests of the virus scanner are left out"
        excluded="$excluded clamd" ;;
    esac
    case $missing in *" nginx "*)
        leave_out "NO NGINX: the tests of what stands in front are left out"
        excluded="$excluded nginx" ;;
    esac
    case $missing in *" node "*)
        leave_out "NO NODE: the tests of the TypeScript client are left out"
        excluded="$excluded node" ;;
    esac
}

run_pass() {
    pass=$1
    shift
    case " ${BROWSER_PASSES-$passes} " in *" $pass "*) ;; *) excluded="$excluded browser" ;; esac
    for tag in $excluded; do set -- --exclude-tag "$tag" "$@"; done
    # Two more than there are cores: many tests wait.
    export DJANGO_TEST_PROCESSES="${DJANGO_TEST_PROCESSES:-$(($(getconf _NPROCESSORS_ONLN) + 2))}"
    case $pass in
        servers)
            # The production profile; only the redirect of pages to HTTPS is off, since test clients speak HTTP, and
            # PostgreSQL is asked by its socket: by TCP each of some 300,000 questions costs half as much again.
            # shellcheck disable=SC2016 # the inner shell knows them
            SECRET_KEY=$(od -An -N 32 -tx1 /dev/urandom | tr -d ' \n') SECURE_SSL_REDIRECT=false scripts/services.sh run -- \
                sh -c 'DB_HOST=${DB_SOCKETS:-$DB_HOST} exec "$@"' sh \
                "$venv/bin/python" -W error manage.py test --parallel auto "$@"
            ;;
        embedded)
            # shellcheck disable=SC2086 # three words or none
            "$venv/bin/python" -W error ${COVERAGE:+-m coverage run} manage.py test --parallel auto "$@"
            ;;
    esac
}

# Adds a pass up: $1 is its exit status, $2 its closing line, "N passed, N failed, N skipped".
count() {
    status=$1
    # shellcheck disable=SC2046 # two or three numbers
    set -- $(echo "$2" | tr -cd '0-9 ')
    passed=$((passed + ${1:-0})) failed=$((failed + ${2:-0})) skipped=$((skipped + ${3:-0}))
    if [ $# -lt 2 ] || { [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; }; then
        loudly "The $pass pass did not end well: exit status $status"
        failed=$((failed + 1))
    fi
}

scripts/bootstrap.sh dev
. scripts/neutral_environment.sh
find_out_what_can_run
[ -z "${COVERAGE:-}" ] || "$venv/bin/coverage" erase
for pass in $passes; do
    case $pass in servers) place="PostgreSQL and Redis" ;; *) place="the embedded profile" ;; esac
    printf '\n== The suite on %s ==\n\n' "$place"
    # A pipe hides the status of its first command.
    { run_pass "$pass" "$@" 2>&1 && status=0 || status=$?; echo "$status" >"$output.status"; } | tee "$output"
    count "$(cat "$output.status")" "$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$output" | tail -n 1)"
done
if [ -n "${COVERAGE:-}" ]; then
    "$venv/bin/coverage" combine --quiet && "$venv/bin/coverage" report || failed=$((failed + 1))
fi
[ "$passed" -gt 0 ] || loudly "No test passed"
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
