#!/bin/sh
# The design document's name for smoke.sh, by default against `make run`.
exec "$(dirname "$0")/smoke.sh" "${1:-http://127.0.0.1:8000}"
