#!/bin/sh
# The design document's name for the tests of resources.
cd "$(dirname "$0")/.." && scripts/bootstrap.sh dev && exec .venv/bin/python manage.py test resources "$@"
