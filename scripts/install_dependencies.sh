#!/bin/sh
# Installs what pip cannot: PostgreSQL, Redis, NGINX, curl, Chromium (browser tests), clamd (scanner tests), Node and npm (clients/typescript), wrk (benchmarks), Python's venv; --missing only names what is not there.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "install_dependencies.sh: $*" >&2; exit 1; }

# The first is Chromium without its windows, as Debian has it: it draws the same pages for two thirds of the work.
has_chromium() {
    for chromium in chromium-headless-shell chromium chromium-browser google-chrome; do
        ! command -v "$chromium" || return 0
    done
    return 1
}

# Where Debian and brew put what is no command for everybody.
has_server() (PATH=$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin:/opt/homebrew/bin && command -v "$1")

# Node 18 is Debian 12's.
has_node() { command -v npm >/dev/null && node -e 'process.exit(+(process.versions.node.split(".")[0] < 18))' 2>/dev/null; }

# With brew Chromium is an application, and python brings venv along.
missing() {
    scripts/services.sh found || echo postgresql redis
    has_chromium >/dev/null || [ -d /Applications/Chromium.app ] || echo chromium
    has_server clamd >/dev/null || echo clamav
    has_server nginx >/dev/null || echo nginx
    command -v curl >/dev/null || echo curl
    has_node || echo node
    command -v wrk >/dev/null || echo wrk
    "${PYTHON:-python3}" -c "import ensurepip, venv" 2>/dev/null || echo venv
}

apt_install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
}

by_apt() {
    [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null ||
        fail "only root may install. Please run: sudo apt-get install $*"
    as_root=$([ "$(id -u)" -eq 0 ] || echo "sudo -n")
    $as_root apt-get update -qq || echo "apt-get update failed; trying with the package lists at hand." >&2
    for package; do
        case $package in chromium) ! apt_install chromium-headless-shell 2>/dev/null || continue ;; esac
        apt_install "$package" || failed="${failed:-} $package"
    done
    # Tests start a clamd of their own: this one would take a gigabyte, and fetch signatures, on somebody's laptop.
    case " $* " in *" clamav-daemon "*)
        $as_root systemctl disable --now clamav-freshclam clamav-daemon.socket clamav-daemon >/dev/null 2>&1 || true ;;
    esac
    # make prod-local and tests start an NGINX of their own: this one would take port 80.
    case " $* " in *" nginx "*) $as_root systemctl disable --now nginx >/dev/null 2>&1 || true ;; esac
    [ -z "${failed:-}" ] || fail "could not install:$failed"
}

packages=$(missing | tr '\n' ' ')
if [ "${1:-}" = --missing ]; then
    echo "$packages"
elif [ -z "$packages" ]; then
    echo "PostgreSQL, Redis, NGINX, curl, Chromium, clamd, Node, wrk and Python's venv are installed."
elif command -v apt-get >/dev/null; then
    # shellcheck disable=SC2046 # one word, one package
    by_apt $(echo "$packages" | sed 's/redis/redis-server/; s/clamav/clamav-daemon/; s/venv/python3-venv/; s/node/nodejs npm/')
elif command -v brew >/dev/null; then
    # shellcheck disable=SC2046
    brew install $(echo "$packages" | sed 's/postgresql/postgresql@16/; s/venv/python@3.12/')
else
    fail "please install with your system's package manager: $packages"
fi
