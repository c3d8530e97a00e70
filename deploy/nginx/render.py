"""Fills the ``${HUB_...}`` of a template, as NGINX's own image does: render.py TEMPLATE >CONFIGURATION.

Values come from the environment, else from nginx.env beside this file.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

VARIABLE = re.compile(r"\$\{(HUB_[A-Z0-9_]+)\}")


def defaults() -> dict[str, str]:
    lines = (Path(__file__).parent / "nginx.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def render(template: str) -> str:
    """Fill it in. Raises SystemExit where a variable has no value."""
    values = {**defaults(), **os.environ}
    missing = sorted(set(VARIABLE.findall(template)) - set(values))
    if missing:
        raise SystemExit(f"render.py: no value for {', '.join(missing)}")
    return VARIABLE.sub(lambda found: values[found[1]], template)


if __name__ == "__main__":
    sys.stdout.write(render(Path(sys.argv[1]).read_text(encoding="utf-8")))
