#!/bin/sh
# The production topology on loopback, without containers: NGINX, gunicorn, two uvicorn, workers, clock, PostgreSQL, Redis, a mail server.
# PORT (8443) is NGINX's. Everything lies in PROD_LOCAL_FOLDER (else a temporary folder): `environment` names ports and settings,
# logs/ what everybody says, control.sock is supervisord's. Variables of the product pass through. Within `services.sh run --`
# (SERVICES_FOLDER) its PostgreSQL and Redis are used. Ctrl-C or SIGTERM ends all of it.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "prod_local.sh: $*" >&2; exit 1; }

PORT=${PORT:-8443}
case $PORT in *[!0-9]* | '') fail "PORT must be a number, not '$PORT'." ;; esac
scripts/bootstrap.sh dev
bin=$PWD/.venv/bin
nginx=$(PATH=$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/bin && command -v nginx) || fail "NGINX is missing: scripts/install_dependencies.sh"
command -v curl >/dev/null || fail "curl is missing: scripts/install_dependencies.sh"
if [ -z "${SERVICES_FOLDER:-}" ]; then
    "$bin/python" deploy/local/ports.py "$PORT" # before anything is started
    # In the background, so that a signal to this script is acted on at once.
    PORT=$PORT scripts/services.sh run -- "$PWD/scripts/prod_local.sh" &
    inner=$!
    trap 'kill $inner 2>/dev/null || true' HUP INT TERM
    until wait "$inner"; do # a signal ends wait, not what is waited for
        status=$?
        kill -0 "$inner" 2>/dev/null || exit "$status"
    done
    exit
fi

random() { od -An -N 32 -tx1 /dev/urandom | tr -d ' \n'; }

made=
folder=${PROD_LOCAL_FOLDER:-}
[ -n "$folder" ] || made=$(mktemp -d "${TMPDIR:-/tmp}/btf-prod-XXXXXX")
folder=${folder:-$made}
supervisor=

end() {
    trap '' HUP INT TERM
    if [ -n "$supervisor" ]; then
        kill "$supervisor" 2>/dev/null || true
        wait "$supervisor" || true
    fi
    [ -z "$made" ] || rm -rf "$made"
}

write_environment() {
    ports=$("$bin/python" deploy/local/ports.py "$PORT" \
        HTTP_LISTEN HTTP_UPSTREAM SOCKETS_PORT_1 SOCKETS_PORT_2 MAIL_PORT)
    port() { echo "$ports" | sed -n "s/^$1=//p"; }
    base=https://127.0.0.1:$PORT
    cat >"$folder/environment" <<-ENVIRONMENT
	ENV_FILE=/dev/null
	DB_NAME=$DB_NAME
	DB_USER=$DB_USER
	DB_PASSWORD=$DB_PASSWORD
	DB_HOST=$DB_HOST
	DB_PORT=$DB_PORT
	REDIS_URL=$REDIS_URL
	DEBUG=false
	SECRET_KEY=${SECRET_KEY:-$(random)}
	ALLOWED_HOSTS=${ALLOWED_HOSTS:-127.0.0.1,localhost}
	TRUSTED_PROXY_COUNT=1
	SECURE_SSL_REDIRECT=true
	FRONTEND_BASE_URL=${FRONTEND_BASE_URL:-$base}
	PUBLIC_BASE_URL=${PUBLIC_BASE_URL:-$base}
	CORS_ALLOWED_ORIGINS=${CORS_ALLOWED_ORIGINS:-$base}
	FILE_DELIVERY=${FILE_DELIVERY:-accel}
	METRICS_TOKEN=${METRICS_TOKEN:-$(random)}
	EMAIL_BACKEND=${EMAIL_BACKEND:-django.core.mail.backends.smtp.EmailBackend}
	EMAIL_HOST=${EMAIL_HOST:-127.0.0.1}
	EMAIL_PORT=${EMAIL_PORT:-$(port MAIL_PORT)}
	MEDIA_ROOT=${MEDIA_ROOT:-$folder/media}
	STATIC_ROOT=$folder/static
	PROMETHEUS_MULTIPROC_DIR=$folder/metrics
	HUB_BASE=$base
	HUB_FOLDER=$folder
	HUB_PROJECT=$PWD
	HUB_BIN=$bin
	HUB_NGINX=$nginx
	HUB_USER=$(id -un)
	HUB_HTTPS_LISTEN=127.0.0.1:$PORT
	HUB_HTTPS_SUFFIX=:$PORT
	HUB_HTTP_LISTEN=127.0.0.1:$(port HTTP_LISTEN)
	HUB_HTTP_UPSTREAM=127.0.0.1:$(port HTTP_UPSTREAM)
	HUB_SOCKETS_1=127.0.0.1:$(port SOCKETS_PORT_1)
	HUB_SOCKETS_2=127.0.0.1:$(port SOCKETS_PORT_2)
	HUB_SOCKETS_PORT_1=$(port SOCKETS_PORT_1)
	HUB_SOCKETS_PORT_2=$(port SOCKETS_PORT_2)
	HUB_MAIL_PORT=$(port MAIL_PORT)
	HUB_CERTIFICATE=$folder/certificate.pem
	HUB_CERTIFICATE_KEY=$folder/key.pem
	HUB_ACME_ROOT=$folder/acme
	HUB_STATIC_ROOT=$folder/static
	HUB_MEDIA_ROOT=${MEDIA_ROOT:-$folder/media}
	HUB_ACCESS_LOG=$folder/logs/access.log
	ENVIRONMENT
}

prepare() {
    umask 077 # keys and passwords lie here
    mkdir -p "$folder/logs" "$folder/nginx" "$folder/acme" "$folder/media"
    rm -rf "$folder/metrics"
    mkdir "$folder/metrics"
    write_environment
    set -a
    # shellcheck source=/dev/null
    . "$folder/environment"
    set +a
    "$bin/python" deploy/local/certificate.py "$folder"
    cp deploy/nginx/nginx.conf "$folder/nginx/"
    if [ "$(id -u)" -eq 0 ]; then echo "user root;" >>"$folder/nginx/nginx.conf"; fi # it reads what only we may
    "$bin/python" deploy/nginx/render.py deploy/nginx/hub.conf.template >"$folder/nginx/hub.conf"
    "$bin/python" deploy/nginx/render.py deploy/local/supervisord.conf.template >"$folder/supervisord.conf"
    "$bin/python" manage.py migrate --verbosity 0
    "$bin/python" manage.py collectstatic --noinput --verbosity 0
    # Django's own variables: DJANGO_SUPERUSER_EMAIL, DJANGO_SUPERUSER_PASSWORD; where there is no _USERNAME, the address is it.
    if [ -n "${DJANGO_SUPERUSER_EMAIL:-}" ]; then
        "$bin/python" manage.py createsuperuser --noinput \
            --username "${DJANGO_SUPERUSER_USERNAME:-$DJANGO_SUPERUSER_EMAIL}"
    fi
}

wait_until_healthy() {
    for _ in $(seq 1 120); do
        kill -0 "$supervisor" 2>/dev/null || fail "supervisord ended: $(tail -n 3 "$folder/logs/supervisord.log")"
        ! curl -sf --cacert "$folder/certificate.pem" --max-time 10 -o /dev/null "$base/api/health/" || return 0
        sleep 0.5
    done
    tail -n 5 "$folder"/logs/*.log >&2
    fail "no health at $base after 120 tries"
}

trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$folder"
prepare
"$bin/supervisord" --configuration "$folder/supervisord.conf" >"$folder/logs/supervisord.out" 2>&1 &
supervisor=$!
wait_until_healthy
cat <<TEXT

  API      $base/api/
  Admin    $base/admin/
  Health   $base/api/health/
  Sockets  wss://127.0.0.1:$PORT/ws/
  HTTP     http://$HUB_HTTP_LISTEN/ leads to HTTPS

  Mails    $folder/logs/mail.log
  Logs     $folder/logs/
  Smoke    CURL_CA_BUNDLE=$folder/certificate.pem HTTP_URL=http://$HUB_HTTP_LISTEN scripts/smoke.sh $base
  Control  .venv/bin/supervisorctl -c $folder/supervisord.conf status
  Reload   (set -a; . $folder/environment; .venv/bin/python deploy/reload.py \$(cat $folder/http.pid))
  Manage   (set -a; . $folder/environment; .venv/bin/python manage.py createsuperuser)

  Ready. Ctrl-C ends everything.

TEXT
wait "$supervisor"
