#!/bin/sh
# Django's and our own start-up checks on the production profile: no warning passes.
set -eu
cd "$(dirname "$0")/.."

. scripts/neutral_environment.sh
SECRET_KEY=$(od -An -N 48 -tx1 /dev/urandom | tr -d ' \n')
export SECRET_KEY DEBUG=false ALLOWED_HOSTS=hub.example.org DB_NAME=btf_db DB_PASSWORD=unused
export REDIS_URL=redis://127.0.0.1:6379/1 FRONTEND_BASE_URL=https://hub.example.org CORS_ALLOWED_ORIGINS=https://hub.example.org
export EMAIL_BACKEND=django.core.mail.backends.smtp.EmailBackend EMAIL_HOST=smtp.example.org
exec .venv/bin/python manage.py check --deploy --fail-level WARNING
