#!/bin/sh
# Installs what scripts/node pins of npm: the linter of the API's documents. Does nothing while that is there.
set -eu
cd "$(dirname "$0")/node"

fail() { echo "node_tools.sh: $*" >&2; exit 1; }

command -v npm >/dev/null || fail "npm is needed: scripts/install_dependencies.sh"
wanted=$({ node --version && cat package-lock.json; } | cksum)
[ "$(cat node_modules/.installed 2>/dev/null)" != "$wanted" ] || exit 0
echo "Installing the linter of the API's documents (once; about half a minute) ..." >&2
# No script of a package is run: none is needed, and one would send home that it was installed.
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 || fail "npm could not install what package-lock.json pins"
echo "$wanted" >node_modules/.installed
