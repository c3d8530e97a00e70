#!/bin/sh
# The design document's name for the tests of events.
cd "$(dirname "$0")/.." && scripts/bootstrap.sh dev && exec .venv/bin/python manage.py test events "$@"
