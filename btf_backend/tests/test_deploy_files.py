"""One topology, written down three times: for systemd, for containers, for one's own machine."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path
from typing import Any, Final

import yaml
from django.conf import settings
from django.test import SimpleTestCase
from gunicorn.config import KNOWN_SETTINGS, Config

PROJECT: Final = Path(settings.BASE_DIR)
DEPLOY: Final = PROJECT / "deploy"
NAMES: Final = ("http", "sockets-1", "sockets-2", "worker-sign-in", "worker", "clock")
UNITS: Final = {
    "http": "btf-http",
    "sockets-1": "btf-sockets@",
    "sockets-2": "btf-sockets@",
    "worker-sign-in": "btf-sign-in@",
    "worker": "btf-worker@",
    "clock": "btf-clock",
}
# Where it listens is each place's own business.
PLACES: Final = {"--bind", "--host", "--port", "--pid"}
VARIABLE: Final = re.compile(r"\$\{(HUB_\w+)\}")


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def command_of(words: list[str]) -> list[str]:
    """Return a command without where its program lies and where it listens."""
    kept = [Path(words[0]).name]
    rest = iter(words[1:])
    for word in rest:
        if word in PLACES:
            next(rest)
        else:
            kept.append(word)
    return kept


def unit(name: str) -> dict[str, list[str]]:
    """Return the settings of a unit; those that stand there twice, twice."""
    found: dict[str, list[str]] = {}
    for line in text_of(f"systemd/{name}").splitlines():
        key, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(text_of("compose.yaml"))["services"]
    return services


def of_supervisor(name: str) -> list[str]:
    parser = RawConfigParser(interpolation=None)
    parser.read_string(text_of("local/supervisord.conf.template"))
    words = shlex.split(parser[f"program:{name}"]["command"])
    if words[0] == "/bin/sh":
        words = shlex.split(words[2].removeprefix("sleep 1; exec "))
    return command_of(words)


class TopologyTests(SimpleTestCase):
    def test_every_process_runs_by_the_same_command_everywhere(self) -> None:
        for name in NAMES:
            with self.subTest(name):
                ours = command_of(shlex.split(unit(f"{UNITS[name]}.service")["ExecStart"][0]))

                self.assertEqual(command_of(compose()[name]["command"]), ours)
                self.assertEqual(of_supervisor(name), ours)

    def test_no_process_is_ever_given_up(self) -> None:
        for name in NAMES:
            with self.subTest(name):
                said = unit(f"{UNITS[name]}.service")

                self.assertEqual((said["Restart"], said["StartLimitIntervalSec"]), (["always"], ["0"]))
                self.assertEqual(compose()[name]["restart"], "always")

    def test_the_target_wants_each_of_them(self) -> None:
        wanted = " ".join(unit("btf.target")["Wants"])

        for name in set(UNITS.values()):
            self.assertIn(name, wanted)

    def test_what_stops_gets_the_time_that_it_needs(self) -> None:
        graceful = runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))["graceful_timeout"]
        seconds = int(unit("btf-http.service")["TimeoutStopSec"][0])

        self.assertGreater(seconds, graceful)
        self.assertEqual(compose()["http"]["stop_grace_period"], f"{seconds}s")
        self.assertGreater(graceful, 30, "statement_timeout of btf_backend/stores.py")


class MigrationTests(SimpleTestCase):
    def test_migrations_are_a_step_that_everything_waits_for(self) -> None:
        for name in NAMES:
            with self.subTest(name):
                self.assertEqual(
                    compose()[name]["depends_on"],
                    {"migrate": {"condition": "service_completed_successfully"}},
                )
                self.assertIn("btf-migrate.service", unit(f"{UNITS[name]}.service")["After"][0])
        self.assertEqual(compose()["migrate"]["restart"], "no")
        self.assertEqual(unit("btf-migrate.service")["Type"], ["oneshot"])
        self.assertNotIn("btf-migrate", text_of("systemd/btf.target"))


class ComposeTests(SimpleTestCase):
    def test_every_service_says_how_it_is(self) -> None:
        """Ours by the image's own check; what listens nowhere says that it has none."""
        image_checks = "HEALTHCHECK" in text_of("Dockerfile")
        for name, service in compose().items():
            with self.subTest(name):
                has_own = service["image"] == "btf-hub" and image_checks
                self.assertTrue(has_own or "healthcheck" in service or name == "clamav")

    def test_no_secret_stands_in_it(self) -> None:
        for name, service in compose().items():
            for key, value in service.get("environment", {}).items():
                with self.subTest(f"{name} {key}"):
                    if re.search("PASSWORD|SECRET|TOKEN|KEY$", key) and key != "HUB_CERTIFICATE_KEY":
                        self.assertRegex(value, r"^$|^\$\{\w+:\?")

    def test_the_database_s_superuser_is_known_to_what_makes_roles_alone(self) -> None:
        """For a superuser no trigger, grant or keeper of the audit log holds."""
        services = compose()
        for name, service in services.items():
            if service["image"] == "btf-hub":
                with self.subTest(name):
                    there = service["environment"]
                    self.assertEqual(there["POSTGRES_PASSWORD"], "", "env_file holds it")
                    self.assertEqual("PGPASSWORD" in there, name == "database")
        self.assertEqual(
            set(services["postgres"]["environment"]), {"POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS"}
        )
        self.assertEqual(services["database"]["entrypoint"], ["scripts/setup_database.sh"])
        self.assertEqual(services["database"]["environment"]["PGUSER"], "postgres")
        for name in ("migrate", "restore"):
            self.assertEqual(
                services[name]["depends_on"]["database"], {"condition": "service_completed_successfully"}
            )

    def test_pg_dump_is_as_new_as_the_server(self) -> None:
        server = re.search(r"^postgres:(\d+)-", compose()["postgres"]["image"])
        client = re.search(r"postgresql-client-(\d+)=\1\.", text_of("Dockerfile"))

        self.assertTrue(server and client)
        self.assertEqual(server and server[1], client and client[1])

    def test_backups_are_made_and_put_back_outside_of_any_container(self) -> None:
        for name in ("backup", "restore"):
            with self.subTest(name):
                service = compose()[name]
                self.assertTrue((PROJECT / service["entrypoint"][0]).is_file())
                self.assertEqual(service["profiles"], ["by-hand"])
                self.assertIn("media:/var/lib/btf/media", service["volumes"])
                self.assertIn("${HUB_BACKUPS_FOLDER:-backups}:/var/lib/btf/backups", service["volumes"])
        self.assertIn("--mode 0700 /var/lib/btf/backups", text_of("Dockerfile"))

    def test_certificates_are_those_that_certbot_renews(self) -> None:
        """Links in live/ point to ../../archive, so the whole folder is there; all else as on a machine."""
        nginx = compose()["nginx"]
        defaults = dict(
            line.split("=", 1) for line in text_of("nginx/nginx.env").splitlines() if line.startswith("HUB_")
        )
        for name in ("HUB_CERTIFICATE", "HUB_CERTIFICATE_KEY"):
            self.assertEqual(nginx["environment"][name], defaults[name])
        self.assertIn("${HUB_TLS_FOLDER:-/etc/letsencrypt}:/etc/letsencrypt:ro", nginx["volumes"])
        self.assertIn("${HUB_ACME_FOLDER:-/var/www/acme}:/var/www/acme:ro", nginx["volumes"])
        self.assertEqual(nginx["environment"]["HUB_ACME_ROOT"], "/var/www/acme")

    def test_the_database_and_redis_are_nobody_elses(self) -> None:
        self.assertEqual([name for name, service in compose().items() if "ports" in service], ["nginx"])

    def test_an_image_holds_no_secret_of_this_folder(self) -> None:
        left_out = (PROJECT / ".dockerignore").read_text(encoding="utf-8").split()

        for name in (".env", ".env.*", ".secret_key", "db.sqlite3*", "media", ".git"):
            self.assertIn(name, left_out)

    def test_nobody_in_a_container_of_ours_is_root(self) -> None:
        self.assertIn("\nUSER 10001:10001\n", text_of("Dockerfile"))
        for name in NAMES:
            service = compose()[name]
            self.assertEqual((service["read_only"], service["cap_drop"]), (True, ["ALL"]))


class NginxTests(SimpleTestCase):
    def test_every_variable_of_the_template_has_a_value_everywhere(self) -> None:
        wanted = set(VARIABLE.findall(text_of("nginx/hub.conf.template")))
        defaults = {line.partition("=")[0] for line in text_of("nginx/nginx.env").splitlines()}

        self.assertLessEqual(wanted, defaults)
        self.assertLessEqual(wanted, set(compose()["nginx"]["environment"]))

    def test_a_variable_without_a_value_is_one_line(self) -> None:
        said = subprocess.run(  # noqa: S603 - ours
            [sys.executable, str(DEPLOY / "nginx" / "render.py"), "/dev/stdin"],
            input="${HUB_NO_SUCH_THING}",
            capture_output=True,
            text=True,
            check=False,
        )

        self.assertEqual((said.returncode, said.stderr), (1, "render.py: no value for HUB_NO_SUCH_THING\n"))


class GunicornTests(SimpleTestCase):
    def test_gunicorn_knows_every_setting_and_takes_its_value(self) -> None:
        """An unknown name would be passed over without a word."""
        known = {setting.name for setting in KNOWN_SETTINGS}
        config = Config()
        for name, value in runpy.run_path(str(DEPLOY / "gunicorn.conf.py")).items():
            is_a_setting = (
                name.islower()
                and not name.startswith("_")
                and name not in {"os", "signal", "suppress", "sys", "annotations", "multiprocess"}
            )
            if is_a_setting:
                with self.subTest(name):
                    self.assertIn(name, known)
                    config.set(name, value)
        self.assertEqual((config.worker_class_str, config.keepalive), ("gthread", 0))
        self.assertEqual(config.address, [("127.0.0.1", 8000)])

    def test_the_number_of_workers_and_threads_is_the_machine_s(self) -> None:
        there = {**os.environ, "WEB_CONCURRENCY": "3", "WEB_THREADS": "5"}
        code = (
            "import runpy; c = runpy.run_path('deploy/gunicorn.conf.py'); print(c['workers'], c['threads'])"
        )
        said = subprocess.run(  # noqa: S603 - ours
            [sys.executable, "-c", code], env=there, cwd=PROJECT, capture_output=True, text=True, check=True
        )

        self.assertEqual(said.stdout, "3 5\n")
