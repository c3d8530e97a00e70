#!/bin/sh
# Asks a running server what a first visitor would: smoke.sh BASE_URL. Needs curl alone, changes nothing but one mail.
# Over HTTPS it asks the proxy too; HTTP_URL is where that listens without TLS, CURL_CA_BUNDLE names a certificate of one's own.
set -eu

fail() { echo "smoke.sh: $*" >&2; exit 1; }

[ $# -eq 1 ] || fail "usage: smoke.sh BASE_URL (such as http://127.0.0.1:8000)"
base=${1%/}
body=$(mktemp)
trap 'rm -f "$body"' EXIT
passed=0 failed=0 skipped=0

# Prints the status; the body goes to a file. A redirect is not followed: none is expected.
ask() {
    path=$1
    shift
    curl -sS --max-time 15 -o "$body" -w '%{http_code}' "$@" "$base$path" || true
}

# check NAME STATUS WORDS PATH [CURL OPTIONS]: the status must be STATUS and every one of WORDS in the body.
check() {
    name=$1 wanted=$2 words=$3
    shift 3
    status=$(ask "$@")
    verdict=passed
    [ "$status" = "$wanted" ] || verdict="failed: answered $status, not $wanted"
    for word in $words; do
        grep -q -- "$word" "$body" || verdict="failed: no $word in the answer ($status)"
    done
    report "$name" "$verdict"
}

# check_public: as above, for what a server may keep to itself.
check_public() {
    case $(ask "$4") in
        401 | 403 | 404) report "$1" "skipped: not public here" ;;
        *) check "$@" ;;
    esac
}

# check_header NAME STATUS PATTERN URL [CURL OPTIONS]: the status must be STATUS, and a header must match PATTERN.
check_header() {
    name=$1 wanted=$2 pattern=$3 url=$4
    shift 4
    verdict=passed
    status=$(curl -sS --max-time 15 -D "$body" -o /dev/null -w '%{http_code}' "$@" "$url") || true
    [ "$status" = "$wanted" ] || verdict="failed: answered $status, not $wanted"
    grep -qiE -- "$pattern" "$body" || verdict="failed: no header like $pattern ($status)"
    report "$name" "$verdict"
}

# A socket stays open: curl asks for one, and leaves. Told by HTTP/1.1 alone (RFC 6455, 4.1).
check_proxy() {
    check_header "HTTPS is remembered (HSTS)" 200 '^strict-transport-security: max-age=[1-9]' "$base/api/health/live/"
    check_header "static files" 200 '^cache-control: public' "$base/static/admin/css/base.css"
    check "no numbers for strangers" 404 '' /metrics
    check "no way into the files" 404 '' /_files/smoke
    check_header "a socket opens" 101 '^upgrade: websocket' "$base/ws/" --http1.1 --max-time 3 \
        -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
        -H 'Sec-WebSocket-Key: c21va2Utc21va2Utc21vaw==' 2>/dev/null
    if [ -n "${HTTP_URL:-}" ]; then
        check_header "HTTP leads to HTTPS" 301 "^location: $base/api/health/" "${HTTP_URL%/}/api/health/"
    else
        report "HTTP leads to HTTPS" "skipped: no HTTP_URL"
    fi
}

report() {
    case $2 in
        passed) passed=$((passed + 1)) ;;
        failed*) failed=$((failed + 1)) ;;
        skipped*) skipped=$((skipped + 1)) ;;
    esac
    printf '%-34s %s\n' "$1" "$2"
}

curl -s --max-time 15 -o /dev/null "$base/api/health/live/" || fail "no server answers at $base"

address=smoke-$(od -An -N 8 -tx1 /dev/urandom | tr -d ' \n')@example.org
envelope='"error" "detail" "code"'

check "health" 200 '"status" "services" "database" "redis"' /api/health/
check "live" 200 '' /api/health/live/
check "health without the slash" 200 '"status"' /api/health
check_public "schema" 200 'openapi: /api/auth/magic-link/' /api/schema/
check_public "swagger" 200 'swagger' /api/docs/
check_public "redoc" 200 'redoc' /api/redoc/
check "users/me is closed" 401 "$envelope" /api/users/me/
check "users/me without the slash" 401 "$envelope" /api/users/me
check "unknown path answers in JSON" 404 "$envelope" /api/no-such-path/
check "no address, no link" 400 "$envelope" /api/auth/magic-link/ -H 'Content-Type: application/json' -d '{}'
check "magic link" 200 '"success" "message"' /api/auth/magic-link/ \
    -H 'Content-Type: application/json' -d "{\"email\": \"$address\"}"
check "wrong code" 400 "$envelope" /api/auth/verify-otp/ \
    -H 'Content-Type: application/json' -d "{\"email\": \"no-$address\", \"code\": \"000000\"}"
check_public "admin sign-in" 200 'csrfmiddlewaretoken' /admin/login/
case $base in https://*) check_proxy ;; esac

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
