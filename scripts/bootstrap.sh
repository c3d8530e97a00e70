#!/bin/sh
# Makes .venv and installs what is pinned: bootstrap.sh run|dev. Does nothing while neither the pins nor Python changed.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "bootstrap.sh: $*" >&2; exit 1; }

kind=${1:-run}
venv=${VENV:-.venv}
case $kind in
    run) files="requirements.txt" ;;
    dev) files="requirements.txt requirements-dev.txt" ;;
    *) fail "usage: bootstrap.sh run|dev" ;;
esac
requirements=${files##* }

# Prints the version of a Python that runs and is new enough.
version_of() { "$1" -c 'import sys; assert sys.version_info >= (3, 11); print(sys.version)' 2>/dev/null; }

has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# The system's first: production runs it (docs/OPERATIONS.md), and those that people build are a tenth slower.
find_python() {
    for is_fit in has_venv :; do
        for python in ${PYTHON:-/usr/bin/python3 python3.11 python3.12 python3.13 python3}; do
            if version=$(version_of "$python") && $is_fit "$python"; then return 0; fi
        done
    done
    fail "Python 3.11 or newer is needed${PYTHON:+, and $PYTHON is not}: PYTHON=/path/to/python make run"
}

# What is installed, for which Python, where: a virtual environment cannot be moved.
stamp() { { echo "$version" "$PWD/$venv" && cat "$@"; } | cksum; }

is_usable() { [ "$(version_of "$venv/bin/python")" = "$version" ] && "$venv/bin/pip" --version >/dev/null 2>&1; }

install() {
    "$venv/bin/pip" install --quiet --no-input --disable-pip-version-check -r "$requirements" >"$venv/pip.log" 2>&1
}

# Unless one was asked for, the Python that .venv was made with stays.
if [ -z "${PYTHON:-}" ] && version_of "$venv/bin/python" >/dev/null; then PYTHON=$venv/bin/python; fi
find_python
# shellcheck disable=SC2086 # one or two file names
wanted=$(stamp $files)
[ "$(cat "$venv/.installed-$kind" 2>/dev/null)" != "$wanted" ] || exit 0

if ! is_usable; then
    has_venv "$python" ||
        fail "$python lacks its venv module: scripts/install_dependencies.sh (Debian's package is python3-venv)"
    "$python" -m venv --clear "$venv" >/dev/null || fail "$python could not make $venv"
fi
echo "Installing $requirements into $venv (once; about half a minute) ..." >&2
install || { sleep 2 && install; } ||
    fail "pip could not install $requirements: $(grep -m 1 ERROR "$venv/pip.log" || tail -n 1 "$venv/pip.log") ($venv/pip.log)"
stamp requirements.txt >"$venv/.installed-run"
echo "$wanted" >"$venv/.installed-$kind"
