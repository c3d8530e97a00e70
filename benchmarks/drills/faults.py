"""Servers that a drill starts, kills and starts again."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.request import urlopen

if TYPE_CHECKING:
    from core.tests.smtp import SmtpServer

PROJECT: Final = Path(__file__).resolve().parent.parent.parent
BIN: Final = Path(sys.executable).parent
HOST: Final = "127.0.0.1"
ENVIRONMENT: Final = {
    "DJANGO_SETTINGS_MODULE": "btf_backend.settings",
    "ENV_FILE": os.devnull,
    "SECRET_KEY": secrets.token_hex(32),
    "DEBUG": "false",
    "SECURE_SSL_REDIRECT": "false",
    "ALLOWED_HOSTS": HOST,
    "FRONTEND_BASE_URL": "https://hub.example.org",
    "CORS_ALLOWED_ORIGINS": "https://hub.example.org",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "EMAIL_HOST": "smtp.example.org",
}


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


class Server:
    """One process on a port of its own, which it keeps over its deaths."""

    def __init__(self, *command: str) -> None:
        """Take a command whose ``{port}`` is filled in."""
        self.port = free_port()
        self.command = [part.format(port=self.port) for part in command]
        self.folder = PROJECT  # of the code
        self.environment: dict[str, str] = {}  # besides this process's own
        self.process: subprocess.Popen[bytes] | None = None
        self.log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the server

    def start(self) -> None:
        """Start, and return when it listens."""
        there = {**os.environ, **self.environment}
        self.process = subprocess.Popen(  # noqa: S603 - the drill's own commands
            self.command, cwd=self.folder, env=there, stdout=self.log, stderr=self.log
        )
        for _ in range(300):
            if self.process.poll() is not None:
                break
            with suppress(OSError), socket.create_connection((HOST, self.port), timeout=1):
                return
            time.sleep(0.1)
        raise SystemExit(f"{self.command[0]} does not start:\n{self.told()[-2_000:]}")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        """Let it neither answer nor refuse, as a stuck host does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it as an operator would."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()

    def told(self) -> str:
        """Return what it has written so far."""
        return os.pread(self.log.fileno(), 50_000_000, 0).decode(errors="replace")


class Worker(Server):
    """A process that listens nowhere: a worker of the queue, or the clock of the periodic jobs."""

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - the drill's own commands
            self.command, cwd=self.folder, stdout=self.log, stderr=self.log
        )


def worker(queues: str = "*") -> Worker:
    """Return a worker of the queue as in production."""
    return Worker(*manage("db_worker", "--queue-name", queues, "--no-reload", "--interval", "0.2"))


def clock() -> Worker:
    """Return what starts the periodic jobs."""
    return Worker(*manage("run_due_jobs", "--forever"))


def manage(*words: str) -> list[str]:
    return [sys.executable, "manage.py", *words]


def redis() -> Server:
    program = shutil.which("redis-server") or "redis-server"
    return Server(
        *(program, "--port", "{port}", "--bind", HOST, "--save", "", "--appendonly", "no"),
        *("--dir", tempfile.gettempdir()),
    )


def http_server(*, workers: int = 1, threads: int = 8) -> Server:
    """Return gunicorn as in production: the code, too, knows the number of threads by WEB_THREADS alone."""
    server = Server(
        *(str(BIN / "gunicorn"), "--config", "deploy/gunicorn.conf.py", "--bind", f"{HOST}:{{port}}"),
        *("--workers", str(workers), "--log-level", "warning"),
    )
    server.environment["WEB_THREADS"] = str(threads)
    return server


def socket_server(*, log_level: str = "warning") -> Server:
    """Return uvicorn as in production, which logs at ``info``."""
    return Server(
        *(str(BIN / "uvicorn"), "btf_backend.asgi:application", "--host", HOST, "--port", "{port}"),
        *("--ws-max-size", "1048576", "--ws-per-message-deflate", "false"),
        *("--timeout-graceful-shutdown", "10", "--no-proxy-headers", "--no-server-header"),
        *("--loop", "asyncio", "--http", "h11", "--log-level", log_level),
    )


def crash_database() -> None:
    """Restart PostgreSQL as a power cut does (``-m immediate``); return when it takes clients."""
    subprocess.run([PROJECT / "scripts" / "services.sh", "crash-database"], check=True)  # noqa: S603 - ours


def make_durable() -> None:
    """Have PostgreSQL keep over a crash what it has committed, as in production; those of tests do not."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET synchronous_commit = on")
        cursor.execute("SELECT pg_reload_conf()")


def wait_until_ready(server: Server) -> None:
    """Wait until an HTTP server answers, and not only listens."""
    for _ in range(100):
        try:
            urlopen(f"http://{HOST}:{server.port}/api/health/live/", timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"{server.command[0]} does not answer:\n{server.told()[-2_000:]}")


def complaints(servers: list[Server]) -> None:
    """Print what the servers logged, each kind of line once."""
    kinds: Counter[str] = Counter()
    for server in servers:
        for line in server.told().splitlines():
            try:
                said = json.loads(line)
                kinds[f"{said.get('message')} {said.get('store_error', '')}"[:150]] += 1
            except (ValueError, AttributeError):
                kinds[line[:150]] += 1
    print("\nMost frequent lines in the servers' logs:")
    for line, count in kinds.most_common(15):
        print(f"{count:>8}  {line}")


def spread(name: str, seconds: list[float]) -> float:
    """Print median, p99 and the largest of some times; return the p99."""
    if not seconds:
        print(f"{name:34}    none")
        return 0.0
    ordered = sorted(seconds)
    p99 = ordered[len(ordered) * 99 // 100]
    for what, value in (("p50", statistics.median(ordered)), ("p99", p99), ("slowest", ordered[-1])):
        print(f"{f'{name}, {what}':34}{value:>8.3f} s")
    return p99


def stop(*servers: Server | SmtpServer) -> None:
    for server in servers:
        server.stop()


def verdict(*, is_right: bool) -> int:
    """Print a drill's last line; return the status that it ends with."""
    print("passed" if is_right else "FAILED")
    return 0 if is_right else 1


def end_on_signal() -> None:
    """Let SIGTERM end this process by way of its ``finally``: what it started must not outlive it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def prepare(redis_port: int, **more: str) -> Any:
    """Point this process and those that it starts at the drill's stores; return Django, set up."""
    if "DB_PORT" not in os.environ:
        raise SystemExit("By hand: scripts/services.sh run -- .venv/bin/python benchmarks/drills/<drill>.py")
    end_on_signal()
    os.environ.update(ENVIRONMENT, REDIS_URL=f"redis://{HOST}:{redis_port}/0", **more)
    sys.path.insert(0, str(PROJECT))
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    return django


def prepare_with_mail(**more: str) -> tuple[Server, SmtpServer]:
    """Do the same with a Redis of its own, which runs, and a mail server that is yet to be started."""
    store = redis()
    store.start()
    sys.path.insert(0, str(PROJECT))
    from core.tests.smtp import SmtpServer

    server = SmtpServer()
    try:
        prepare(store.port, EMAIL_HOST=HOST, EMAIL_PORT=str(server.port), **more)
    except BaseException:
        store.stop()
        raise
    return store, server
