"""Real servers on the database of a test, and what the tests of a client may ask of those who run them."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.cache import caches
from django.db import connection

from core.tests.clamd import free_ports
from core.tests.smtp import HOST, SmtpServer

BIN: Final = Path(sys.executable).parent
START_SECONDS: Final = 60  # on a machine that runs other tests meanwhile
MAIL_SECONDS: Final = 30
CODE: Final = re.compile(r"One-Time Code: (\d{6})")
FIXED: Final = {
    "ENV_FILE": os.devnull,
    "ALLOWED_HOSTS": HOST,
    "FRONTEND_BASE_URL": "https://hub.example.org",
    "SECURE_SSL_REDIRECT": "false",
    "DJANGO_LOG_LEVEL": "WARNING",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "CHAT_BURST": "1000",
    "CHAT_PER_SECOND": "100",
    "PYTHONDONTWRITEBYTECODE": "1",
}
# SQLite's database of a test lives in the memory of its process: servers get a copy.
COPIED: Final = "from btf_backend.settings import *\n\nDATABASES['default']['NAME'] = {path!r}\n"


class Process:
    """One process, which may be killed and started again."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path, *, port: int = 0) -> None:
        """Take its command, and at which port it listens; 0: at none."""
        self.command, self.environment, self.log, self.port = command, environment, log, port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - ours
                self.command, cwd=settings.BASE_DIR, env=self.environment, stdout=log, stderr=log
            )

    def wait(self) -> None:
        """Return once somebody listens at its port."""
        deadline = time.monotonic() + START_SECONDS
        while self.port:
            try:
                return socket.create_connection((HOST, self.port), timeout=1).close()
            except OSError:
                if time.monotonic() > deadline or (self.process and self.process.poll() is not None):
                    raise RuntimeError(self.log.read_text(errors="replace")[-4_000:]) from None
                time.sleep(0.05)
        return None

    def end(self, *, hard: bool = False) -> None:
        if self.process is not None:
            self.process.kill() if hard else self.process.terminate()
            self.process.wait()


class Served:
    """gunicorn, uvicorn and a worker as in production; daphne alone on the embedded profile."""

    def __init__(self, origin: str = "https://hub.example.org") -> None:
        """Take the origin of pages that may call. What the test has stored until now is served."""
        self.folder = Path(tempfile.mkdtemp(prefix="btf-served-"))
        self.mail = SmtpServer().start()
        self.port, another = free_ports(2)
        self.socket_port = another if settings.ON_POSTGRESQL else self.port
        self.environment = self.told(origin)
        self.processes = self.on_servers() if settings.ON_POSTGRESQL else self.embedded()
        self.sockets = self.processes[0]

    def told(self, origin: str) -> dict[str, str]:
        there = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **there,
            **FIXED,
            "SECRET_KEY": settings.SECRET_KEY,
            "CORS_ALLOWED_ORIGINS": origin,
            "EMAIL_HOST": HOST,
            "EMAIL_PORT": str(self.mail.port),
            "MEDIA_ROOT": str(self.folder / "media"),
            "PYTHONPATH": str(self.folder),
        }

    def on_servers(self) -> list[Process]:
        database = connection.settings_dict
        self.environment |= {
            "DEBUG": "false",
            **{f"DB_{key}": str(database[key]) for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")},
            "REDIS_URL": str(caches.settings["default"]["LOCATION"]),
            # Redis tells what is published to all its databases.
            "CACHE_KEY_PREFIX": f"served-{self.port}",
        }
        uvicorn = [str(BIN / "uvicorn"), "btf_backend.asgi:application", "--host", HOST]
        gunicorn = [str(BIN / "gunicorn"), "--config", "deploy/gunicorn.conf.py", "--workers", "1"]
        queue = [sys.executable, "manage.py", "db_worker", "--queue-name", "*", "--no-reload"]
        return [
            self.process(*uvicorn, "--port", str(self.socket_port), port=self.socket_port),
            self.process(*gunicorn, "--bind", f"{HOST}:{self.port}", port=self.port),
            self.process(*queue, "--interval", "0.2"),
        ]

    def embedded(self) -> list[Process]:
        path = self.folder / "db.sqlite3"
        connection.ensure_connection()
        with closing(sqlite3.connect(path)) as copy:
            connection.connection.backup(copy)
        (self.folder / "served_settings.py").write_text(COPIED.format(path=str(path)), encoding="utf-8")
        self.environment |= {"DEBUG": "true", "DJANGO_SETTINGS_MODULE": "served_settings"}
        daphne = [str(BIN / "daphne"), "--bind", HOST, "--port", str(self.port)]
        return [self.process(*daphne, "btf_backend.asgi:application", port=self.port)]

    def process(self, *command: str, port: int = 0) -> Process:
        log = self.folder / f"{Path(command[0]).name}-{port}.log"
        return Process(list(command), self.environment, log, port=port)

    def start(self) -> Served:
        for process in self.processes:
            process.start()
        for process in self.processes:
            process.wait()
        self.ask_until_alive()
        return self

    def ask_until_alive(self) -> None:
        """Wait until the server answers: gunicorn listens before it has loaded anything."""
        with closing(HTTPConnection(HOST, self.port, timeout=START_SECONDS)) as client:
            client.request("GET", "/api/health/live/")
            status = client.getresponse().status
        if status != 200:
            raise RuntimeError(self.complaints())

    def restart_sockets(self) -> None:
        """Kill the server of the sockets as a power cut does, and start it anew."""
        self.sockets.end(hard=True)
        self.sockets.start()
        self.sockets.wait()

    def code_for(self, address: str) -> str:
        """Return the code of the last mail to an address, and wait for that."""
        deadline = time.monotonic() + MAIL_SECONDS
        while not (mails := self.mail.to(address)):
            if time.monotonic() > deadline:
                message = f"no mail to {address}"
                raise RuntimeError(message)
            time.sleep(0.05)
        text = mails[-1].message.get_body(("plain",))
        found = CODE.search(text.get_content() if text else "")
        return found[1] if found else ""

    def complaints(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-4_000:] for path in self.folder.glob("*.log"))

    def end(self) -> None:
        for process in self.processes:
            process.end()
        self.mail.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Desk(ThreadingHTTPServer):
    """Does for the tests of a client what a person or an operator does: reads a mail, kills a server."""

    daemon_threads = True

    def __init__(self, served: Served) -> None:
        super().__init__((HOST, 0), DeskHandler)
        self.served = served
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}"

    def end(self) -> None:
        self.shutdown()
        self.server_close()


class DeskHandler(BaseHTTPRequestHandler):
    """``/code?to=`` and ``/restart``."""

    server: Desk

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        told: Any = None
        if asked.path == "/code":
            told = self.server.served.code_for(parse_qs(asked.query)["to"][0])
        else:
            self.server.served.restart_sockets()
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - theirs
        """Say nothing."""
