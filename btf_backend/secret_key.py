"""The signing key where the environment names none: a laptop makes its own, a server refuses to start."""

import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.core.exceptions import ImproperlyConfigured


def secret_key(folder: Path, *, is_laptop: bool) -> str:
    """Return the key in ``.secret_key``, made (readable by its owner alone) where there is none.

    Raises ImproperlyConfigured elsewhere than on a laptop.
    """
    if not is_laptop:
        raise ImproperlyConfigured("SECRET_KEY must be set: at least 50 random characters.")
    path = folder / ".secret_key"
    if not path.exists():
        # Two first starts at once agree on one key: a link is made whole or not at all.
        with NamedTemporaryFile("w", dir=folder, prefix=".secret_key.", encoding="ascii") as made:
            made.write(secrets.token_urlsafe(64))
            made.flush()
            with suppress(FileExistsError):
                path.hardlink_to(made.name)
    return path.read_text(encoding="ascii").strip()
