#!/bin/sh
# From a fresh clone to a running system: HTTP, admin, docs and sockets on PORT (8000) in one process.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "$*" >&2; exit 1; }

HOST=${HOST:-127.0.0.1}
PORT=${PORT:-8000}
base=http://$(echo "$HOST" | sed 's/^0\.0\.0\.0$/127.0.0.1/'):$PORT
python=.venv/bin/python

case $PORT in *[!0-9]* | '') fail "PORT must be a number, not '$PORT'." ;; esac
scripts/bootstrap.sh run

# Before anything is migrated.
$python - "$HOST" "$PORT" <<-'PYTHON'
	import errno, socket, sys

	host, port = sys.argv[1], int(sys.argv[2])
	listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
	listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	try:
	    listener.bind((host, port))
	    listener.listen()
	except (OSError, OverflowError) as error:
	    taken = getattr(error, "errno", None) == errno.EADDRINUSE
	    sys.exit(f"Port {port} is taken: PORT={port + 1} make run." if taken else f"No server at {host}:{port}: {error}.")
PYTHON

# The mailed link must open here, unless .env says where else.
grep -qs '^ *\(export *\)\{0,1\}FRONTEND_BASE_URL *=' .env || export FRONTEND_BASE_URL="${FRONTEND_BASE_URL:-$base}"

# Whoever has checked something before has left a file without tables.
has_tables() { [ -n "$(find db.sqlite3 -size +16 2>/dev/null)" ]; }
first_start=$(has_tables || echo yes)
$python manage.py migrate --verbosity 0
if [ "$first_start" ] && has_tables; then
    $python manage.py seed_demo_data || echo "There is no demo data: python scripts/seed_demo_data.py tries again." >&2
fi

# On PostgreSQL mail waits in a queue, as in production, and the Swagger page has no bar to sign in.
if [ "$($python -c 'from btf_backend.settings import ON_POSTGRESQL; print(ON_POSTGRESQL)')" = True ]; then
    first_call="  Sign in as student@example.org, mentor@example.org, supervisor@example.org or admin@example.org:

    curl $base/api/auth/magic-link/ -H 'Content-Type: application/json' -d '{\"email\": \"student@example.org\"}'

  The mail with the link and the code appears where you start: $python manage.py db_worker --queue-name '*'"
else
    first_call="  Your first call, in a minute:

    1. Open $base/api/docs/
    2. Press \"Send the code\": the mail with its six digits appears here, in this window.
    3. Type them there, press \"Sign in\", then \"Try GET /api/users/me/\"."
fi

cat <<TEXT

  Welcome  $base/
  API      $base/api/
  Swagger  $base/api/docs/
  ReDoc    $base/api/redoc/
  Admin    $base/admin/
  Health   $base/api/health/

$first_call

  Ctrl-C stops the server.

TEXT
exec $python manage.py runserver "$HOST:$PORT"
