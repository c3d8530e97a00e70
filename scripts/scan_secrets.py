"""Looks for secrets in what may be committed. What .secrets.baseline names was looked at, and is made up.

One more of that kind, for a test or an example: call it with ``--accept``, and look at what that adds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from detect_secrets.core import baseline
from detect_secrets.core.secrets_collection import SecretsCollection

BASELINE: Final = ".secrets.baseline"
LIST: Final = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")


def main() -> None:
    os.chdir(Path(__file__).resolve().parent.parent)
    names = subprocess.run(  # noqa: S603 - git
        LIST, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    known = baseline.load(baseline.load_from_file(BASELINE), BASELINE)
    found = SecretsCollection()
    found.scan_files(
        *(name for name in names if name and Path(name).is_file()), num_processors=os.cpu_count()
    )
    new = found - known
    if sys.argv[1:] == ["--accept"]:
        found.merge(known)
        for _, secret in new:
            secret.is_secret = False
        baseline.save_to_file(found, BASELINE)
    for name, secret in new:
        print(f"{name}:{secret.line_number}: {secret.type}")
    print(f"{len(names)} files, {len(known.json())} with known ones, {sum(1 for _ in new)} new")
    raise SystemExit(bool(new) and sys.argv[1:] != ["--accept"])


if __name__ == "__main__":
    main()
