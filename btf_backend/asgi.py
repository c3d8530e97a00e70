"""Entry of ASGI servers: sockets, and HTTP where one server does both."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "btf_backend.settings")

from btf_backend.startup import load_all, refuse_unsafe_start

refuse_unsafe_start()

from btf_backend.routing import application  # noqa: E402 - imported only when it may be served

load_all()

__all__ = ["application"]
