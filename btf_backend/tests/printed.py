"""The tables that tests walk, as ``docs/ARCHITECTURE.md`` prints them. ``make matrix`` rewrites it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from django.conf import settings

from btf_backend.tests import test_permission_matrix as platform
from chat.tests import matrix as chat
from groups.tests import matrix as groups

DOCUMENT: Final = Path(settings.BASE_DIR) / "docs/ARCHITECTURE.md"
TABLES: Final = {
    "platform": (platform.TABLE, platform.ROLES),
    "groups": (groups.TABLE, groups.ROLES),
    "chat": (chat.TABLE, groups.ROLES),
}


def with_tables(text: str) -> str:
    """Return the document with each table between its markers as the code has it."""
    for name, table in TABLES.items():
        begin, end = f"<!-- matrix:{name} -->\n", f"<!-- end of matrix:{name} -->"
        section = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.DOTALL)
        printed = f"\n{groups.as_markdown(*table)}\n"
        text, found = section.subn(lambda _, printed=printed: printed, text)  # type: ignore[misc]
        if found != 1:
            raise ValueError(begin)
    return text


def rewrite() -> None:
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text()))
