"""What gunicorn logs before a worker has the settings, and its master always: JSON without words."""

from __future__ import annotations

from logging.config import dictConfig
from typing import TYPE_CHECKING

from gunicorn.glogging import Logger

from btf_backend.logs import gunicorn_settings

if TYPE_CHECKING:
    from gunicorn.config import Config


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Keeps gunicorn's level. Standard error is the one place for it, as for all else."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        dictConfig(gunicorn_settings())
