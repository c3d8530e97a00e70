#!/bin/sh
# The TypeScript client, clients/typescript: client.sh install|build|check|generate. Does nothing that is done already.
# check is what `make check` asks: src/schema.ts is what docs/openapi.yaml says, and all is well formed and typed.
set -eu
cd "$(dirname "$0")/../clients/typescript"

fail() { echo "client.sh: $*" >&2; exit 1; }

stamp() { cat "$@" | cksum; }

install() {
    command -v npm >/dev/null || fail "npm is needed: scripts/install_dependencies.sh"
    wanted=$(stamp package.json package-lock.json)
    [ "$(cat node_modules/.installed 2>/dev/null)" != "$wanted" ] || return 0
    echo "Installing the packages of clients/typescript (once; some seconds) ..." >&2
    # No script of a package is run: none is needed.
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 || fail "npm could not install what package-lock.json pins"
    echo "$wanted" >node_modules/.installed
}

build() {
    install
    made=$(stamp package.json package-lock.json tsconfig.json tsconfig.build.json src/*.ts)
    ! { [ -f dist/index.js ] && [ "$(cat node_modules/.built 2>/dev/null)" = "$made" ]; } || return 0
    rm -rf dist
    npm run --silent build || fail "the client does not build"
    echo "$made" >node_modules/.built
}

generate() {
    install
    npm run --silent generate >/dev/null || fail "docs/openapi.yaml cannot be read"
}

check() {
    install
    said=$(mktemp)
    trap 'rm -f "$said"' EXIT
    npx --no-install openapi-typescript ../../docs/openapi.yaml --output "$said" >/dev/null || fail "docs/openapi.yaml cannot be read"
    cmp -s src/schema.ts "$said" || fail "src/schema.ts is not what docs/openapi.yaml says: make client"
    npm run --silent check || fail "the client is not as it should be"
    build
}

case ${1:-} in
    install | build | check | generate) "$1" ;;
    *) fail "usage: client.sh install|build|check|generate" ;;
esac
