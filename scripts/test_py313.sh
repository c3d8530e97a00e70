#!/bin/sh
# The embedded suite on Python 3.13, in .venv-3.13, where that interpreter is present.
set -eu
cd "$(dirname "$0")/.."

find_python() {
    for python in python3.13 "$HOME"/.pyenv/versions/3.13*/bin/python3.13; do
        ! "$python" -c '' 2>/dev/null || return 0
    done
    return 1
}

if find_python; then
    EXCLUDE_TAGS=${EXCLUDE_TAGS-scale drill} PYTHON=$python VENV=.venv-3.13 PASSES=embedded scripts/test.sh "$@"
else
    echo "There is no Python 3.13 here: that run of the suite is skipped."
fi
