"""How gunicorn serves HTTP: the same in systemd, in a container and in `make prod-local`.

Every setting can be overridden on the command line (``--bind``, ``--workers``), but for threads: the product
reads ``WEB_THREADS``, too. Started by systemd, the socket of btf-http.socket takes the place of ``bind``.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from prometheus_client import multiprocess

COMM: Final = Path("/proc/self/comm")
ENDING: Final = "hub-ending"
STARTED_IN: Final = str(Path.cwd())  # links resolved
# What the master is made of, and hands down: a new version of it takes a restart.
OF_THE_MASTER: Final = ("gunicorn", "prometheus_client", "__config__", "__main__")

wsgi_app = "btf_backend.wsgi"
bind = ["127.0.0.1:8000"]
worker_class = "gthread"  # REST framework is synchronous
# Workers x threads is the number of database connections, kept for ten minutes each.
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
# Not loaded before the fork: new workers load new code (deploy/reload.py).
preload_app = False

# A kept connection that a worker closes just as a request comes down it loses that request; NGINX keeps none.
keepalive = 0
# Seconds for what is in hand at a restart: above the 30 of the longest statement.
graceful_timeout = 40
# Seconds without a sign of life of a worker's own loop. Requests are bounded by the limits of the stores.
timeout = 30
# Nothing restarts by count: that halves what is there for some seconds, and hides what grows.
max_requests = 0

# NGINX has judged, in our envelope. Its 8 KiB are of HTTP/2's compressed lines: here they may be longer.
limit_request_line = 0
limit_request_field_size = 65_536
# What the proxy says is judged by Django alone (TRUSTED_PROXY_COUNT).
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
forwarder_headers = ""

# It would lie in somebody's home folder.
control_socket_disable = True
# NGINX writes the access log, without tokens.
accesslog = None
errorlog = "-"
# Its own would write the words of exceptions, and the address that was asked for with its tokens.
logger_class = "btf_backend.gunicorn_log.JsonLogger"
pythonpath = str(Path(__file__).resolve().parent.parent)
loglevel = os.environ.get("GUNICORN_LOG_LEVEL", "info")
# Heartbeats in memory: on a busy disk they would be late, and the worker killed for it.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 - gunicorn wants a str


def post_fork(server: Any, worker: Any) -> None:
    """Have a new worker load the whole product anew, from the folder that RELEASE_LINK names now.

    It stays there, wherever the link leads later; the master stays in the folder that it was started in.
    """
    now = os.path.realpath(os.environ.get("RELEASE_LINK", STARTED_IN))
    os.chdir(now)
    sys.path[:] = [now + path.removeprefix(STARTED_IN) if _is_below(path) else path for path in sys.path]
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in OF_THE_MASTER and _is_below(vars(module).get("__file__") or ""):
            del sys.modules[name]


def _is_below(path: str) -> bool:
    """Say whether it lies in the folder that the master was started in."""
    return f"{path}/".startswith(f"{STARTED_IN}/")


def when_ready(server: Any) -> None:
    """Say how many workers are wanted, by a name that deploy/reload.py reads."""
    if COMM.exists():
        COMM.write_text(f"hub-wants-{server.cfg.workers}")


def post_worker_init(worker: Any) -> None:
    """Give a worker that has loaded the code a name, by which it is known, and another where it is to end."""
    if COMM.exists():
        COMM.write_text("hub-serving")
        end = signal.getsignal(signal.SIGTERM)

        def tell_and_end(number: int, frame: Any) -> None:
            COMM.write_text(ENDING)
            if callable(end):
                end(number, frame)

        signal.signal(signal.SIGTERM, tell_and_end)


def child_exit(server: Any, worker: Any) -> None:
    """Replace no worker while enough are there without it: at a reload, more come, and the old ones go.

    And take its gauges out of what ``/metrics`` adds up.
    """
    staying = [process for process in server.WORKERS if _name(process) != ENDING]
    if server.num_workers > server.cfg.workers <= len(staying):
        server.num_workers -= 1
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        # Whoever reads them takes them away, too; an error here would end the master.
        with suppress(FileNotFoundError):
            multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _name(process: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/comm").read_text().strip()
    return ""
