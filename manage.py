#!/usr/bin/env python3
"""Django's command line. A configuration that cannot work ends in one line, not in a traceback."""

import atexit
import gc
import os
import sys


def main() -> None:
    """Run the management command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "btf_backend.settings")
    # Else Python searches all that was loaded for garbage before it ends: a quarter of a check's time.
    atexit.register(gc.freeze)
    try:
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError as error:
        sys.exit(f"The dependencies are not installed ({error}): `make run` installs them.")
    try:
        settings.INSTALLED_APPS  # noqa: B018 - reads the settings here, where a refusal can be told in one line
    except ImproperlyConfigured as error:
        sys.exit(f"Configuration error: {error}")
    if settings.PRODUCTION and sys.argv[1:2] != ["test"]:
        from core.watching.uncaught import log_what_nobody_caught

        log_what_nobody_caught()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
