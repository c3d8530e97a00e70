"""The signing key where the environment names none: a laptop makes its own, a server refuses to start."""

import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def secret_key(folder: Path, *, is_laptop: bool) -> str:
    """Return the key in ``.secret_key``, made (readable by its owner alone) where there is none.

    Raises ImproperlyConfigured elsewhere than on a laptop.
    """
    if not is_laptop:
        raise ImproperlyConfigured("SECRET_KEY must be set: at least 50 random characters.")
    path = folder / ".secret_key"
    try:
        with path.open("x", encoding="ascii") as stream:
            path.chmod(0o600)
            stream.write(secrets.token_urlsafe(64))
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii").strip()
