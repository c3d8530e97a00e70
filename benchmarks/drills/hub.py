"""The topology of production on loopback (``scripts/prod_local.sh``), started and ended by a drill."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import faults

# All the people of a drill come from one address: no limit of NGINX's is meant for them.
ONE_SOURCE: Final = {
    "HUB_REQUESTS_PER_SECOND": "100000",
    "HUB_BURST": "100000",
    "HUB_CONNECTIONS_PER_SOURCE": "60000",
    "HUB_SOCKETS_PER_SOURCE": "60000",
    "HUB_UPLOADS_PER_SOURCE": "60000",
    "HUB_SIGN_INS_PER_SECOND": "100000",
    "HUB_SIGN_IN_BURST": "100000",
}
READY_SECONDS: Final = 600


class Hub:
    """NGINX, gunicorn, two uvicorn, workers and clock under supervisord; PostgreSQL and Redis of the drill.

    ``settings`` are variables of the product beside those that the script chooses. ``folder`` has what
    everybody says (``logs/``), and goes with ``stop``.
    """

    def __init__(self, **settings: str) -> None:
        faults.end_on_signal()
        self.room = tempfile.TemporaryDirectory(prefix="btf-drill-")
        self.folder = Path(self.room.name)
        self.port = faults.free_port()
        self.settings = settings
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Hub:
        """Start everything; return when NGINX answers that all is healthy."""
        there = {
            **os.environ,
            **ONE_SOURCE,
            **self.settings,
            "PORT": str(self.port),
            "PROD_LOCAL_FOLDER": str(self.folder),
        }
        with (self.folder / "prod_local.log").open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - the project's own script
                [str(faults.PROJECT / "scripts/prod_local.sh")],
                cwd=faults.PROJECT,
                env=there,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + READY_SECONDS
        while "Ready." not in self.told("prod_local.log"):
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"The hub does not start:\n{self.told('prod_local.log')[-2_000:]}")
            time.sleep(0.2)
        return self

    @property
    def base(self) -> str:
        return f"https://{faults.HOST}:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext:
        """Return what believes its certificate."""
        return ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))

    @property
    def environment(self) -> dict[str, str]:
        """Return what its processes are told, by which a drill may set Django up."""
        lines = (self.folder / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def told(self, name: str) -> str:
        """Return what one of its logs says so far; "" before there is one."""
        path = self.folder / name
        return path.read_text(errors="replace") if path.is_file() else ""

    def logs(self) -> dict[str, str]:
        return {path.name: path.read_text(errors="replace") for path in (self.folder / "logs").iterdir()}

    def control(self, *words: str) -> str:
        """Ask supervisord, as ``supervisorctl`` does: ``restart``, ``signal HUP``, ``status``."""
        command = [str(faults.BIN / "supervisorctl"), "-c", str(self.folder / "supervisord.conf"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603

    def pid_of(self, program: str) -> int:
        return int(self.control("pid", program).strip() or 0)

    def children_of(self, program: str) -> list[int]:
        """Return the processes that a master has forked: gunicorn's workers."""
        pid = self.pid_of(program)
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(word) for word in text.split()]

    def stop(self) -> None:
        """End everything, as Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.room.cleanup()

    def set_up_django(self) -> Any:
        """Let this process use the same stores; return Django, set up."""
        os.environ.update(self.environment, DJANGO_SETTINGS_MODULE="btf_backend.settings")
        sys.path.insert(0, str(faults.PROJECT))
        import django

        django.setup()
        return django
