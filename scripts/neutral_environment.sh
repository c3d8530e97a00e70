#!/bin/sh
# Read with `.` before tests and checks: neither a .env nor a variable of somebody's shell decides what they see.
unset DEBUG SECRET_KEY DB_NAME DB_USER DB_PASSWORD DB_HOST DB_PORT DB_POOLED REDIS_URL CHANNEL_REDIS_URL
unset VULTR_ACCESS_KEY VULTR_SECRET_KEY VULTR_BUCKET_NAME VULTR_S3_ENDPOINT
unset CLAMD_SOCKET FILE_UPLOAD_SCAN_COMMAND METRICS_TOKEN SENTRY_DSN PROMETHEUS_MULTIPROC_DIR
unset PYTHONDONTWRITEBYTECODE # each of some forty processes would compile all of it anew
export ENV_FILE=/dev/null PYTHONUNBUFFERED=1
