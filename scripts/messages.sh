#!/bin/sh
# Gathers the words of letters from the code into core/locale/*/LC_MESSAGES/django.po and compiles those.
# LOCALE (core/locale) is the folder that is written.
set -eu
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
locale=${LOCALE:-core/locale}
template=$(mktemp)
trap 'rm -f "$template"' EXIT

babel() { "$venv/bin/pybabel" --quiet "$@"; }

babel extract --output-file "$template" --add-location file --sort-by-file --ignore-dirs "tests migrations" \
    --keyword gettext_lazy --keyword ngettext_lazy:1,2 --keyword pgettext_lazy:1c,2 \
    core users authentication resources events announcements groups chat
for po in "$locale"/*/LC_MESSAGES/django.po; do
    language=$(basename "$(dirname "$(dirname "$po")")")
    babel update --input-file "$template" --output-file "$po" --locale "$language" \
        --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
    babel compile --input-file "$po" --output-file "${po%.po}.mo" --locale "$language"
done
