#!/bin/sh
# What can be said of deploy/ where none of it runs: systemd's units, NGINX's configuration, the Dockerfile.
# What cannot be looked at here is named, and is no failure.
set -eu
cd "$(dirname "$0")/.."

PATH=$PWD/.venv/bin:$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/bin
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

has() { command -v "$1" >/dev/null || { echo "lint_deploy.sh: no $1 here: $2 is not looked at." >&2; return 1; }; }

# The units name the folder of an installation; programs are looked for in this one.
units_are_right() {
    cp -R deploy/systemd "$folder/units"
    find "$folder/units" -type f -exec sed -i.original -E "s,/srv/btf/(hub|next),$PWD,g" {} +
    find "$folder/units" -name '*.original' -delete
    for unit in "$folder"/units/*@.service; do # a template is judged by an instance
        cp "$unit" "${unit%.service}8001.service"
    done
    rm -f "$folder"/units/*@.service
    # The folder first, the system's own units behind it. It warns with status 0, so any word is a fault.
    said=$(SYSTEMD_UNIT_PATH="$folder/units:" systemd-analyze verify "$folder"/units/*.service \
        "$folder"/units/*.socket "$folder"/units/*.target "$folder"/units/*.timer 2>&1) || true
    said=$(echo "$said" | grep -F btf || true)
    [ -z "$said" ] || { echo "$said" >&2; return 1; }
}

nginx_takes_it() {
    mkdir -p "$folder/nginx" "$folder/static" "$folder/media" "$folder/acme"
    python deploy/local/certificate.py "$folder"
    cp deploy/nginx/nginx.conf "$folder/nginx/"
    HUB_CERTIFICATE=$folder/certificate.pem HUB_CERTIFICATE_KEY=$folder/key.pem HUB_ACCESS_LOG=$folder/access.log \
        python deploy/nginx/render.py deploy/nginx/hub.conf.template >"$folder/nginx/hub.conf"
    nginx -p "$folder/nginx/" -c nginx.conf -e stderr -q -t
}

! has systemd-analyze "deploy/systemd" || units_are_right
! has nginx "deploy/nginx" || nginx_takes_it
! has hadolint "deploy/Dockerfile" || hadolint --failure-threshold style deploy/Dockerfile
