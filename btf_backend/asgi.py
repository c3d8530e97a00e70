"""Entry of ASGI servers: sockets, and HTTP where one server does both."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "btf_backend.settings")

from btf_backend.startup import load_all, refuse_unsafe_start

refuse_unsafe_start()

from btf_backend.routing import application  # noqa: E402 - imported only when it may be served

load_all()
# A message to a thousand sockets makes thousands of objects, and nearly all are gone a moment later. At the
# usual 700 each such message starts several looks for garbage, some of them through all that sockets hold.
gc.set_threshold(10_000)

__all__ = ["application"]
