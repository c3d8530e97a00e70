"""What real servers log by themselves, beyond Django: no words of an exception, no token (B40, B67)."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import orjson
from django.test import SimpleTestCase, tag

from btf_backend.tests.front import DEPLOY, HOST, START_SECONDS
from btf_backend.tests.test_startup import PRODUCTION
from core.tests.clamd import free_port

BIN: Final = Path(sys.executable).parent
# Joined where they are raised: a traceback shows the line of code, and may.
SECRETS: Final = ("ada@example.org", "t0k3n", "s1gned")
RAISE: Final = 'raise RuntimeError("@".join(["ada", "example.org"]))'
ASKED: Final = "/media/1-s1gned/uploads/a.pdf?token=t0k3n"
WSGI: Final = f"""\
from btf_backend.wsgi import application as served
def application(environ, start_response):
    if environ["PATH_INFO"] == "/":
        start_response("204 No Content", [])
        return []
    {RAISE}
"""
NOT_LOADED: Final = 'raise RuntimeError("-".join(["no", "settings"]))'
ASGI: Final = f"""\
import asyncio, gc, threading
from btf_backend.asgi import application as served
def fail(*args):
    {RAISE}
async def lose_a_task():
    fail()
class Ends:
    __del__ = fail
async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["path"] == "/":
        await send({{"type": "http.response.start", "status": 204}})
        await send({{"type": "http.response.body"}})
        return
    lost = asyncio.create_task(lose_a_task())
    asyncio.get_running_loop().call_soon(fail, "t0k3n")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del lost
    gc.collect()
    Ends()
    thread = threading.Thread(target=fail, args=["t0k3n"])
    thread.start()
    thread.join()
    fail()
"""


@tag("served")
class ServerLogTests(SimpleTestCase):
    """Run a real server as in production, with an application that breaks where Django catches nothing."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="btf-server-logs-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.port = free_port()
        self.environment = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **PRODUCTION}
        self.environment |= {"PYTHONPATH": f"{self.folder}:{DEPLOY.parent}", "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, code: str, *command: object) -> None:
        (self.folder / "broken.py").write_text(code, encoding="utf-8")
        with (self.folder / "log").open("wb") as log:
            self.server = subprocess.Popen(  # noqa: S603 - ours
                [str(word) for word in command], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        self.addCleanup(self.end)

    def start_gunicorn(self, code: str) -> None:
        config = DEPLOY / "gunicorn.conf.py"
        where = f"{HOST}:{self.port}"
        self.start(code, BIN / "gunicorn", "--config", config, "--bind", where, "--workers", "1", "broken")

    def start_uvicorn(self, code: str) -> None:
        # The loop of production: uvicorn takes another where the benchmarks' is installed.
        where = ("--host", HOST, "--port", self.port, "--loop", "asyncio")
        self.start(code, BIN / "uvicorn", "broken:application", *where)

    def end(self) -> None:
        self.server.terminate()
        self.server.wait()

    def wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.assertEqual(self.status("/"), 204)
            except OSError:
                self.assertLess(time.monotonic(), deadline, self.log())
                time.sleep(0.05)
            else:
                return

    def status(self, path: str) -> int:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=START_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def say(self, text: bytes) -> bytes:
        with socket.create_connection((HOST, self.port), timeout=START_SECONDS) as client:
            client.sendall(text)
            return client.recv(100)

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def told(self) -> dict[str, dict[str, Any]]:
        """End the server and return what it logged, by message. Every line must be JSON, without a secret."""
        self.end()
        log = self.log()
        for secret in SECRETS:
            self.assertNotIn(secret, log)
        lines = [line for line in log.splitlines() if not line.startswith("Warning: ")]
        return {line["message"]: line for line in map(orjson.loads, lines)}

    def test_a_request_that_breaks_gunicorns_worker_leaves_neither_words_nor_tokens(self) -> None:
        self.start_gunicorn(WSGI)
        self.wait()

        self.assertEqual(self.status(ASKED), 500)

        record = self.told()["Error handling request GET /media/***/uploads/a.pdf?***"]
        self.assertEqual((record["levelname"], record["name"]), ("ERROR", "gunicorn.error"))
        self.assertTrue(record["exc_info"].startswith("builtins.RuntimeError\n"), record)
        self.assertIn("in application\n", record["exc_info"])

    def test_gunicorn_repeats_nothing_of_what_it_cannot_read(self) -> None:
        self.start_gunicorn(WSGI)
        self.wait()

        self.assertIn(b" 400 ", self.say(b"GET /api/users/?search=ada@example.org HTTP/9.9\r\n\r\n"))
        self.assertIn(b" 400 ", self.say(b"GET / HTTP/1.1\r\nAuthorization : Bearer t0k3n\r\n\r\n"))

        told = [message for message in self.told() if message.startswith("Invalid request")]
        kinds = ["InvalidHTTPVersion", "InvalidHeaderName"]
        prefix = f"Invalid request from ip={HOST}: gunicorn.http.errors."
        self.assertEqual(sorted(told), [f"{prefix}{kind}" for kind in kinds])

    def test_gunicorn_says_without_words_that_the_code_does_not_load(self) -> None:
        self.start_gunicorn(NOT_LOADED)
        self.assertEqual(self.server.wait(timeout=START_SECONDS), 3)

        lines = self.log().splitlines()
        # gunicorn prints the words as well, on a line of their own: nobody has asked for anything yet.
        self.assertEqual([line for line in lines if not line.startswith("{")], ["no-settings"])
        told = {line["message"]: line for line in map(orjson.loads, set(lines) - {"no-settings"})}
        self.assertIn("builtins.RuntimeError", told["Exception in worker process"]["exc_info"])
        self.assertNotIn("no-settings", str(told))
        self.assertIn("Shutting down: Master", told)

    def test_what_breaks_in_uvicorn_leaves_no_words(self) -> None:
        """The application, a task that nobody waits for, a callback, a thread, a finalizer."""
        self.start_uvicorn(ASGI)
        self.wait()

        self.assertEqual(self.status(ASKED), 500)

        told = self.told()
        broken = {
            "Exception in ASGI application\n": "uvicorn.error",
            "Task exception was never retrieved lose_a_task": "asyncio",
            "Exception in callback fail": "asyncio",
            "thread_broke": "core.watching.uncaught",
            "finalizer_broke": "core.watching.uncaught",
        }
        for message, logger in broken.items():
            with self.subTest(message):
                record = told[message]
                self.assertEqual(record["name"], logger)
                self.assertTrue(record["exc_info"].startswith("builtins.RuntimeError\n"), record)
                self.assertIn("in fail\n", record["exc_info"])


@tag("served")
class EndTests(SimpleTestCase):
    """What ends a process by an exception, as a worker that has lost its database does."""

    def ended(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **PRODUCTION, **variables}
        return subprocess.run(  # noqa: S603 - our own interpreter and words
            [sys.executable, *command],
            cwd=DEPLOY.parent,
            env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_a_process_ends_without_words(self) -> None:
        for entry in ("wsgi", "asgi"):
            with self.subTest(entry):
                run = self.ended("-c", f"import btf_backend.{entry}\n{RAISE}")

                record = orjson.loads(run.stderr.splitlines()[-1])
                self.assertEqual(run.returncode, 1)
                self.assertEqual((record["levelname"], record["message"]), ("CRITICAL", "process_broke"))
                self.assertTrue(record["exc_info"].startswith("builtins.RuntimeError\n"), record)
                self.assertNotIn("ada@example.org", run.stderr)

    def test_a_command_whose_database_is_away_is_no_defect(self) -> None:
        run = self.ended("manage.py", "db_worker", "--no-reload", DB_HOST="127.0.0.1", DB_PORT="1")

        record = orjson.loads(run.stderr.splitlines()[-1])
        self.assertEqual(run.returncode, 1)
        self.assertEqual((record["levelname"], record["message"]), ("WARNING", "process_broke"))
        self.assertTrue(record["exc_info"].startswith("django.db.utils.OperationalError\n"), record)
        self.assertNotIn("Connection refused", run.stderr)

    def test_on_a_laptop_python_tells_it_all(self) -> None:
        laptop = {"DEBUG": "True", "DB_NAME": "", "DB_HOST": "", "REDIS_URL": ""}

        run = self.ended("-c", f"import btf_backend.wsgi\n{RAISE}", **laptop)

        self.assertIn("RuntimeError: ada@example.org", run.stderr)
