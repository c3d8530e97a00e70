"""The environment that measured processes run in: production, as an operator configures it."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent.parent
BIN: Final = Path(sys.executable).parent
# Above what load can reach: each limit is still asked for, and paid for, at every request.
BEYOND_REACH: Final = {
    "API_WRITES_PER_USER": "99999/1m",
    "EXPORTS_PER_USER": "99999/1h",
    "CHAT_BURST": "1000000",
    "CHAT_PER_SECOND": "1000000",
}


def configure(folder: Path) -> None:
    """Give this process, and all that it starts, the product's settings; ``folder`` takes files and numbers.

    Ends the process where there are no private servers: what is measured is filled, and thrown away.
    """
    if "SERVICES_FOLDER" not in os.environ:
        raise SystemExit("Start this within `scripts/services.sh run --`, or by `make bench`.")
    for name in ("media", "static", "metrics"):
        (folder / name).mkdir()
    os.environ.update(
        BEYOND_REACH,
        ENV_FILE="/dev/null",
        DJANGO_SETTINGS_MODULE="btf_backend.settings",
        DEBUG="false",
        SECRET_KEY=secrets.token_hex(32),
        ALLOWED_HOSTS="127.0.0.1,localhost",
        TRUSTED_PROXY_COUNT="1",
        SECURE_SSL_REDIRECT="true",
        FRONTEND_BASE_URL="https://hub.example.org",
        PUBLIC_BASE_URL="https://127.0.0.1",
        CORS_ALLOWED_ORIGINS="https://hub.example.org",
        FILE_DELIVERY="accel",
        METRICS_TOKEN=secrets.token_hex(32),
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        MEDIA_ROOT=str(folder / "media"),
        STATIC_ROOT=str(folder / "static"),
        PROMETHEUS_MULTIPROC_DIR=str(folder / "metrics"),
    )
    if str(PROJECT) not in sys.path:
        sys.path.insert(0, str(PROJECT))


def migrate() -> None:
    """Load the product, and make its tables."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def fill(people: int, messages: int) -> None:
    """Migrate and fill the private PostgreSQL."""
    migrate()
    from .seed import seed

    seed(people, messages)
