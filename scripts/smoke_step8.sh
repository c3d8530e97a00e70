#!/bin/sh
# The design document's name for the tests of announcements.
cd "$(dirname "$0")/.." && scripts/bootstrap.sh dev && exec .venv/bin/python manage.py test announcements "$@"
