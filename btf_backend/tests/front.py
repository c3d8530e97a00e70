"""A real NGINX with the configuration of deploy/, and small servers behind it that recall all."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from core.tests.clamd import FOLDERS, free_ports

if TYPE_CHECKING:
    from email.message import Message

HOST: Final = "127.0.0.1"
DEPLOY: Final = Path(settings.BASE_DIR) / "deploy"
START_SECONDS: Final = 20


@dataclass(frozen=True)
class Asked:
    """One request that a server got."""

    method: str
    path: str
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What a server says: by default a plain yes; hanging up says nothing."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    hang_up: bool = False


class Handler(BaseHTTPRequestHandler):
    """Writes down what it is asked, and says what its server was told to."""

    server: Upstream

    def handle_one_request(self) -> None:
        super().handle_one_request()
        self.close_connection = True

    def answer(self) -> None:
        self.server.begun.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(Asked(self.command, self.path, self.headers, body))
        said = self.server.answers.pop(0) if self.server.answers else Answer()
        if said.hang_up:
            return
        self.send_response(said.status)
        for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815 - theirs

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - theirs
        """Say nothing."""


class Upstream(ThreadingHTTPServer):
    """A server that gives the ``answers`` in turn, and yes after the last."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__((HOST, 0), Handler)
        self.begun: list[str] = []  # whose body may not be there yet
        self.asked: list[Asked] = []
        self.answers: list[Answer] = []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"{HOST}:{self.server_port}"

    def end(self) -> None:
        self.shutdown()
        self.server_close()


@dataclass
class Told:
    """What a client of NGINX gets; ``id`` is the name of its request in the log."""

    id: str
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Front:
    """NGINX on ports of its own, with a certificate of its own."""

    def __init__(self, *, http_config: str = "", **variables: str) -> None:
        """Take what stands in ``http {}`` beside the configuration, and values of its variables."""
        self.folder = Path(tempfile.mkdtemp(prefix="btf-front-"))
        self.port, self.plain_port = free_ports(2)
        # Held and not listened at: it refuses, and no other test gets it.
        self.nowhere = socket.socket()
        self.nowhere.bind((HOST, 0))
        for name in ("static", "media", "acme"):
            (self.folder / name).mkdir()
        self.run("local/certificate.py", str(self.folder))
        self.trust = ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))
        self.write(http_config, self.variables | variables)
        self.log = (self.folder / "error.log").open("wb")
        command = ["-p", f"{self.folder}/", "-c", "nginx.conf", "-e", "stderr"]
        program = shutil.which("nginx", path=f"{FOLDERS}:/opt/homebrew/bin") or "nginx"
        self.process = subprocess.Popen([program, *command], stderr=self.log)  # noqa: S603 - ours
        self.wait()

    @property
    def variables(self) -> dict[str, str]:
        nowhere = f"{HOST}:{self.nowhere.getsockname()[1]}"
        return {
            "HUB_HTTPS_LISTEN": f"{HOST}:{self.port}",
            "HUB_HTTP_LISTEN": f"{HOST}:{self.plain_port}",
            "HUB_HTTPS_SUFFIX": f":{self.port}",
            "HUB_CERTIFICATE": f"{self.folder}/certificate.pem",
            "HUB_CERTIFICATE_KEY": f"{self.folder}/key.pem",
            "HUB_ACME_ROOT": f"{self.folder}/acme",
            "HUB_STATIC_ROOT": f"{self.folder}/static",
            "HUB_MEDIA_ROOT": f"{self.folder}/media",
            "HUB_BUCKET_SCHEME": "http",
            "HUB_CA_BUNDLE": f"{self.folder}/certificate.pem",
            "HUB_ACCESS_LOG": f"{self.folder}/access.log",
            **dict.fromkeys(("HUB_HTTP_UPSTREAM", "HUB_SOCKETS_1", "HUB_SOCKETS_2"), nowhere),
        }

    def write(self, http_config: str, variables: dict[str, str]) -> None:
        template = DEPLOY / "nginx" / "hub.conf.template"
        rendered = self.run("nginx/render.py", str(template), **variables)
        # A test does not wait for a minute.
        hurried = rendered.replace("proxy_read_timeout 60s;", "proxy_read_timeout 5s;")
        hurried = hurried.replace("proxy_next_upstream_timeout 40s;", "proxy_next_upstream_timeout 4s;")
        (self.folder / "hub.conf").write_text(http_config + hurried, encoding="utf-8")
        root = "user root;\n" if os.geteuid() == 0 else ""  # it reads what only we may
        around = (DEPLOY / "nginx" / "nginx.conf").read_text(encoding="utf-8")
        (self.folder / "nginx.conf").write_text(root + around, encoding="utf-8")

    def run(self, script: str, *arguments: str, **environment: str) -> str:
        command = [sys.executable, str(DEPLOY / script), *arguments]
        there = {**os.environ, **environment}
        return subprocess.run(command, env=there, check=True, capture_output=True, text=True).stdout  # noqa: S603

    def wait(self) -> None:
        """Return once it answers."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.ask("/")
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(self.complaints) from error
                time.sleep(0.02)
            else:
                return

    def connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(HOST, self.port, context=self.trust, timeout=30)

    def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Told:
        connection = self.connection()
        name = uuid.uuid4().hex
        try:
            connection.request(method, path, body=body, headers={"X-Request-ID": name, **(headers or {})})
            response = connection.getresponse()
            return Told(name, response.status, response.headers, response.read())
        finally:
            connection.close()

    @property
    def complaints(self) -> str:
        return (self.folder / "error.log").read_text(encoding="utf-8")

    @property
    def lines(self) -> list[dict[str, str]]:
        """Return the access log."""
        text = (self.folder / "access.log").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def line(self, **said: str) -> dict[str, str]:
        """Return the line that says this. NGINX writes it when the client has long been answered."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for line in self.lines:
                if said.items() <= line.items():
                    return line
            time.sleep(0.01)
        message = f"no line with {said} in {self.lines}"
        raise AssertionError(message)

    def end(self) -> None:
        """Stop it and remove its folder."""
        self.process.terminate()
        self.process.wait()
        self.nowhere.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
