"""The containers' entry point, and the topology of production on loopback (`make prod-local`)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from django.conf import settings
from django.test import SimpleTestCase, tag

from btf_backend.tests.front import HOST
from core.tests.clamd import free_port

SCRIPTS: Final = Path(settings.BASE_DIR) / "scripts"
STORES: Final = ("DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST", "DB_PORT", "REDIS_URL")
READY_SECONDS: Final = 300


def run(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    there = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ENV_FILE": "/dev/null",
        **environment,
    }
    return subprocess.run(  # noqa: S603 - our own scripts
        [SCRIPTS / name, *arguments], env=there, capture_output=True, text=True, check=False, timeout=120
    )


class EntrypointTests(SimpleTestCase):
    def test_it_becomes_the_command_once_the_stores_answer(self) -> None:
        stores = {name: os.environ[name] for name in STORES if name in os.environ}

        said = run("docker_entrypoint.sh", "echo", "it's", "served", **stores)

        self.assertEqual((said.returncode, said.stdout, said.stderr), (0, "it's served\n", ""))

    def test_a_store_that_stays_away_is_one_line(self) -> None:
        nowhere = f"{HOST}:{free_port()}"
        host, _, port = nowhere.partition(":")
        cases: tuple[tuple[str, dict[str, str]], ...] = (
            ("database", {"DB_HOST": host, "DB_PORT": port}),
            ("Redis", {"REDIS_URL": f"redis://{nowhere}/0"}),
        )
        for name, store in cases:
            with self.subTest(name):
                said = run("docker_entrypoint.sh", "echo", "never", WAIT_TRIES="1", **store)

                self.assertEqual((said.returncode, said.stdout, said.stderr.count("\n")), (1, "", 1))
                self.assertIn(f"no {name}: ", said.stderr)

    def test_it_wants_a_command(self) -> None:
        said = run("docker_entrypoint.sh")

        self.assertEqual((said.returncode, said.stderr.count("\n")), (1, 1))


@tag("nginx")
class RefusalTests(SimpleTestCase):
    def test_a_taken_port_is_one_line_with_the_way_out(self) -> None:
        with closing(socket.create_server((HOST, 0))) as taken:
            port = taken.getsockname()[1]
            said = run("prod_local.sh", PORT=str(port))

        self.assertEqual(said.returncode, 1)
        self.assertEqual(
            said.stderr.splitlines()[-1], f"Port {port} is taken: PORT={port + 1} make prod-local."
        )

    def test_a_port_that_is_no_number_is_one_line(self) -> None:
        said = run("prod_local.sh", PORT="eight")

        self.assertEqual((said.returncode, said.stderr.count("\n")), (1, 1))


@tag("drill", "nginx")
class ProdLocalTests(SimpleTestCase):
    """From nothing to a smoke test through NGINX, and back to nothing."""

    def setUp(self) -> None:
        room = tempfile.TemporaryDirectory()
        self.addCleanup(room.cleanup)
        self.folder = Path(room.name)
        self.port = free_port()
        there = {**os.environ, "PORT": str(self.port), "PROD_LOCAL_FOLDER": room.name, "SERVICES_FOLDER": ""}
        self.log = (self.folder / "prod_local.log").open("wb")
        self.addCleanup(self.log.close)
        self.process = subprocess.Popen(  # noqa: S603 - our own script
            [SCRIPTS / "prod_local.sh"], env=there, stdout=self.log, stderr=self.log
        )
        self.addCleanup(self.end)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=120)

    def wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while "Ready." not in (self.folder / "prod_local.log").read_text(encoding="utf-8"):
            self.assertIsNone(
                self.process.poll(), (self.folder / "prod_local.log").read_text(encoding="utf-8")
            )
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)

    def ports(self) -> list[int]:
        """Return where everything listens."""
        lines = (self.folder / "environment").read_text(encoding="utf-8").splitlines()
        said = dict(line.split("=", 1) for line in lines)
        names = ("HUB_HTTPS_LISTEN", "HUB_HTTP_LISTEN", "HUB_HTTP_UPSTREAM", "HUB_SOCKETS_1", "HUB_SOCKETS_2")
        places = [said[name] for name in names] + [
            f"{HOST}:{said[name]}" for name in ("HUB_MAIL_PORT", "DB_PORT")
        ]
        self.plain = said["HUB_HTTP_LISTEN"]
        return [int(place.rpartition(":")[2]) for place in places]

    def test_it_passes_the_smoke_test_and_leaves_nothing_behind(self) -> None:
        self.wait()
        ports = self.ports()

        said = run(
            "smoke.sh",
            f"https://{HOST}:{self.port}",
            CURL_CA_BUNDLE=f"{self.folder}/certificate.pem",
            HTTP_URL=f"http://{self.plain}",
        )

        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)
        self.assertRegex(said.stdout.splitlines()[-1], r"^16 passed, 0 failed")
        mailed = self.folder / "logs" / "mail.log"
        deadline = time.monotonic() + READY_SECONDS
        while "One-Time Code" not in mailed.read_text(encoding="utf-8"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        self.end()
        for port in ports:
            with self.subTest(port), self.assertRaises(ConnectionRefusedError):
                socket.create_connection((HOST, port), timeout=1).close()
