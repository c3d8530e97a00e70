"""`manage.py add_users_to_group`, from any directory and with the project's own Python."""

import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
VENV_PYTHON = PROJECT / ".venv/bin/python"

in_a_venv = sys.prefix != sys.base_prefix
python = str(VENV_PYTHON) if VENV_PYTHON.exists() and not in_a_venv else sys.executable
os.execv(python, [python, str(PROJECT / "manage.py"), "add_users_to_group", *sys.argv[1:]])  # noqa: S606 - no shell wanted
