"""What systemd is told: releases behind a link, migrations before the switch, backups by the clock."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

from django.conf import settings
from django.test import SimpleTestCase

from btf_backend.tests.test_deploy_files import UNITS, text_of, unit

SYSTEMD: Final = Path(settings.BASE_DIR) / "deploy" / "systemd"
SERVES: Final = "/srv/btf/hub"
NEXT: Final = "/srv/btf/next"
BACKUPS: Final = "/srv/backups/hub"
KEPT: Final = ("btf-backup", "btf-erased")


def working_directory(service: str) -> str:
    """Return what systemd makes of it: drop-ins win, the last by name most of all (systemd.unit(5))."""
    folders = ("btf-.service.d", f"{service}.service.d")
    drop_ins = sorted(
        (path for name in folders for path in (SYSTEMD / name).glob("*.conf")), key=lambda path: path.name
    )
    said = [unit(f"{service}.service"), *(unit(str(path.relative_to(SYSTEMD))) for path in drop_ins)]
    return [words["WorkingDirectory"][0] for words in said if "WorkingDirectory" in words][-1]


def documented() -> str:
    return (Path(settings.BASE_DIR) / "docs" / "OPERATIONS.md").read_text(encoding="utf-8")


class ReleaseTests(SimpleTestCase):
    def test_everything_serves_from_the_link(self) -> None:
        for service in (*UNITS.values(), *KEPT):
            with self.subTest(service):
                command = unit(f"{service}.service")["ExecStart"][0]

                self.assertEqual(working_directory(service), SERVES)
                self.assertTrue(command.startswith(f"{SERVES}/"))
        self.assertIn(f"RELEASE_LINK={SERVES}", unit("btf-.service.d/hub.conf")["Environment"])
        self.assertIn(f"HUB_STATIC_ROOT={SERVES}/staticfiles", text_of("nginx/nginx.env").splitlines())

    def test_migrations_run_in_the_release_that_comes_next(self) -> None:
        self.assertEqual(working_directory("btf-migrate"), NEXT)
        self.assertTrue(unit("btf-migrate.service")["ExecStart"][0].startswith(f"{NEXT}/.venv/bin/python "))

    def test_the_link_is_switched_after_migrations_and_before_anything_starts_anew(self) -> None:
        deploying = documented().partition("\n### Deploying\n")[2].partition("\n### ")[0]
        steps = (
            "collectstatic",
            "systemctl start btf-migrate",
            "mv -T /srv/btf/next",
            "systemctl restart 'btf-",
        )

        places = [deploying.index(step) for step in (*steps, "systemctl reload btf-http")]

        self.assertEqual(places, sorted(places))


class BackupTests(SimpleTestCase):
    def test_backups_may_write_into_their_folder_and_nowhere_else(self) -> None:
        for name in KEPT:
            with self.subTest(name):
                said = unit(f"{name}.service")

                self.assertEqual(shlex.split(said["ExecStart"][0])[1], BACKUPS)
                self.assertEqual(said["ReadWritePaths"], [BACKUPS])
                self.assertEqual(said["RequiresMountsFor"], [BACKUPS])
                self.assertEqual(said["Type"], ["oneshot"])
        self.assertIn(f"d {BACKUPS} 0700 btf btf", text_of("systemd/btf.tmpfiles.conf").splitlines())

    def test_backups_end_by_themselves_and_are_no_part_of_what_serves(self) -> None:
        for name in KEPT:
            self.assertNotIn("PartOf", unit(f"{name}.service"))
            self.assertNotIn(name, text_of("systemd/btf.target"))

    def test_one_keeps_what_the_other_only_notes(self) -> None:
        words = {name: shlex.split(unit(f"{name}.service")["ExecStart"][0])[2:] for name in KEPT}

        self.assertEqual(words, {"btf-backup": ["--keep", "14"], "btf-erased": ["--erased-only"]})

    def test_every_timer_has_a_service_and_is_enabled_by_who_installs(self) -> None:
        enabling = next(line for line in documented().splitlines() if line.startswith("systemctl enable"))
        timers = sorted(path.stem for path in SYSTEMD.glob("*.timer"))

        self.assertEqual(timers, sorted(KEPT))
        for name in timers:
            self.assertTrue((SYSTEMD / f"{name}.service").exists())
            self.assertEqual(unit(f"{name}.timer")["WantedBy"], ["timers.target"])
            self.assertIn(f"{name}.timer", enabling.split())
