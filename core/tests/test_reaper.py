"""The nightly search: what nothing names goes, what anything names stays, on disk and in a bucket."""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock, patch

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import TestCase
from django.utils import timezone

from core import periodic
from core.models import PeriodicRun, Upload
from core.registry import file_rights, files_named, uploads_needed
from core.tests.s3 import S3Server, stored_at
from core.uploads import reaper
from core.uploads.files import save_file
from core.uploads.reaper import reap
from users.models import DataArchive
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

HOUR = timedelta(hours=1)
NOTHING = {
    "files": 0,
    "orphans": 0,
    "orphans_deleted": 0,
    "missing": 0,
    "unneeded": 0,
    "unneeded_deleted": 0,
}


def row_of(key: str, *, age: timedelta) -> Upload:
    return Upload.objects.create(
        key=key, filename="a.txt", size=1, mime_type="text/plain", created_at=timezone.now() - age
    )


class Reaping(TestCase):
    """What holds on every storage; ``put`` stores a file of that age."""

    needed: set[int]

    def setUp(self) -> None:
        self.needed = set()
        rights = dict.fromkeys(("uploads", "resources/files", "events/covers"), Mock())
        for registry, entries in ((file_rights, rights), (uploads_needed, {"test": self.needed_among})):
            only = patch.dict(registry.entries, entries, clear=True)
            only.start()
            self.addCleanup(only.stop)

    def needed_among(self, ids: Collection[int], /) -> set[int]:
        return self.needed & set(ids)

    def put(self, key: str, *, age: timedelta) -> str:
        raise NotImplementedError

    def report(self, *, dry_run: bool = False, **expected: int) -> None:
        self.assertEqual(reap(dry_run=dry_run), {**NOTHING, **expected})


class Cases(Reaping):
    """The cases themselves."""

    def test_an_empty_storage_has_nothing_to_tell(self) -> None:
        self.report()

    def test_files_that_no_row_names_go_after_a_day(self) -> None:
        for folder in ("uploads", "resources/files", "events/covers", "exports"):
            self.put(f"{folder}/old.txt", age=25 * HOUR)
            self.put(f"{folder}/new.txt", age=23 * HOUR)

        self.report(files=8, orphans=4, orphans_deleted=4)

        self.assertFalse(default_storage.exists("exports/old.txt"))
        self.assertTrue(default_storage.exists("exports/new.txt"))
        self.report(files=4)

    def test_what_a_row_names_stays_whatever_its_age(self) -> None:
        upload = row_of(self.put("resources/files/a.pdf", age=900 * HOUR), age=900 * HOUR)
        self.needed = {upload.pk}
        archive = self.put("exports/a.zip", age=900 * HOUR)
        DataArchive.objects.create(user=make_user(), key=archive)

        self.report(files=2)

        self.assertTrue(default_storage.exists(archive))

    def test_folders_that_nobody_answers_for_are_let_alone(self) -> None:
        self.put("backups/db.gz", age=900 * HOUR)
        self.put("uploads/elsewhere/a.txt", age=900 * HOUR)

        self.report()

    def test_uploads_that_nothing_needs_go_after_a_week(self) -> None:
        week, young = 169 * HOUR, 167 * HOUR
        rows = {name: row_of(self.put(f"uploads/{name}.txt", age=week), age=week) for name in "abc"}
        rows["young"] = row_of(self.put("uploads/young.txt", age=young), age=young)
        rows["resource"] = row_of(self.put("resources/files/r.pdf", age=week), age=week)
        self.needed = {rows["b"].pk}

        with self.captureOnCommitCallbacks(execute=True):
            self.report(files=5, unneeded=3, unneeded_deleted=3)

        self.assertCountEqual(Upload.objects.all(), [rows[name] for name in ("b", "young")])
        stored = {name: default_storage.exists(row.key) for name, row in rows.items()}
        self.assertEqual(stored, {"a": False, "b": True, "c": False, "young": True, "resource": False})

    def test_rows_whose_file_is_missing_are_counted_and_kept(self) -> None:
        row_of(self.put("uploads/there.txt", age=30 * HOUR), age=30 * HOUR)
        row_of("uploads/gone.txt", age=30 * HOUR)
        row_of("resources/files/gone.pdf", age=30 * HOUR)
        row_of("uploads/being-stored.txt", age=HOUR)

        self.report(files=1, missing=2)

        self.assertEqual(Upload.objects.count(), 4)

    def test_a_dry_run_only_tells(self) -> None:
        self.put("uploads/orphan.txt", age=25 * HOUR)
        row_of(self.put("uploads/spare.txt", age=169 * HOUR), age=169 * HOUR)
        out = StringIO()

        call_command("reap_files", dry_run=True, stdout=out)

        self.assertEqual(
            out.getvalue().splitlines(),
            [
                "files: 2",
                "orphans: 1",
                "orphans deleted: 0",
                "missing: 0",
                "unneeded: 1",
                "unneeded deleted: 0",
            ],
        )
        self.assertTrue(default_storage.exists("uploads/orphan.txt"))
        self.assertEqual(Upload.objects.count(), 1)

    def test_the_command_deletes(self) -> None:
        self.put("uploads/orphan.txt", age=25 * HOUR)
        out = StringIO()

        call_command("reap_files", stdout=out)

        self.assertIn("orphans deleted: 1\n", out.getvalue())
        self.assertFalse(default_storage.exists("uploads/orphan.txt"))

    def test_one_run_deletes_no_more_than_its_bound(self) -> None:
        """The wrong database beside the right bucket must not empty it in a night."""
        for number in range(3):
            self.put(f"exports/{number}.zip", age=25 * HOUR)
            self.put(f"uploads/{number}.txt", age=25 * HOUR)
            row_of(self.put(f"uploads/row{number}.txt", age=169 * HOUR), age=169 * HOUR)

        with patch.object(reaper, "MOST_A_RUN", 4), patch.object(reaper, "BATCH", 2):
            self.report(files=9, orphans=6, orphans_deleted=4, unneeded=3, unneeded_deleted=3)
        with patch.object(reaper, "MOST_A_RUN", 1):
            self.assertEqual(reap()["orphans_deleted"], 1)


class DiskTests(Cases):
    def setUp(self) -> None:
        super().setUp()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.enterContext(self.settings(MEDIA_ROOT=folder))

    def put(self, key: str, *, age: timedelta) -> str:
        save_file(key, ContentFile(b"x"))
        moment = (timezone.now() - age).timestamp()
        os.utime(default_storage.path(key), (moment, moment))
        return key

    def test_links_are_not_followed(self) -> None:
        outside = Path(self.put("backups/db.gz", age=25 * HOUR))
        Path(default_storage.path("uploads")).mkdir()
        Path(default_storage.path("uploads/link.gz")).symlink_to(default_storage.path(str(outside)))

        self.report()

    def test_it_costs_two_queries_a_thousand_files_and_one_a_folder(self) -> None:
        for number in range(30):
            self.put(f"uploads/{number}.txt", age=HOUR)
        for batch, queries in ((30, 1 + 4 + 1), (10, 3 + 4 + 1)):
            with (
                self.subTest(batch),
                patch.object(reaper, "BATCH", batch),
                patch.dict(files_named.entries, {"exports": set}, clear=True),
                self.assertNumQueries(queries),
            ):
                reap()

    def test_it_comes_round_every_night(self) -> None:
        self.put("uploads/orphan.txt", age=25 * HOUR)
        with patch.dict(periodic.jobs, {"reap_files": periodic.jobs["reap_files"]}, clear=True):
            self.assertEqual(periodic.run_due_jobs(), ["reap_files"])
            self.assertEqual(periodic.run_due_jobs(), [])

        self.assertEqual(periodic.jobs["reap_files"][0], timedelta(hours=24))
        self.assertEqual(PeriodicRun.objects.get().last_result["orphans_deleted"], 1)


class BucketTests(Cases):
    """Its clock cannot be set: the listing is made older."""

    server: S3Server

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = S3Server()
        cls.addClassCleanup(cls.server.end)
        cls.enterClassContext(patch.dict(os.environ, {"VULTR_KEY_PREFIX": "staging"}))
        cls.enterClassContext(stored_at(cls.server.base))

    def setUp(self) -> None:
        super().setUp()
        self.server.empty()
        self.ages: dict[str, timedelta] = {}
        self.enterContext(patch.object(reaper, "in_bucket", self.aged(reaper.in_bucket)))

    def aged(self, listing: Any) -> Any:
        def listed(folder: str) -> Iterator[reaper.Stored]:
            for file in listing(folder):
                yield file._replace(modified=file.modified - self.ages[file.key])

        return listed

    def put(self, key: str, *, age: timedelta) -> str:
        self.ages[key] = age
        return save_file(key, ContentFile(b"x"))

    def test_another_installation_in_the_bucket_is_let_alone(self) -> None:
        self.server.client.put_object(Bucket="btf-test", Key="uploads/theirs.txt", Body=b"x")
        self.server.client.put_object(Bucket="btf-test", Key="staging/uploads/", Body=b"")
        self.put("uploads/ours.txt", age=25 * HOUR)

        self.report(files=1, orphans=1, orphans_deleted=1)

        self.assertEqual(self.server.keys(), ["staging/uploads/", "uploads/theirs.txt"])

    def test_a_bucket_of_several_pages_is_read_to_its_end(self) -> None:
        storage: Any = default_storage
        for number in range(5):
            self.put(f"exports/{number}.zip", age=25 * HOUR)
        kind, asked = type(storage.bucket), []
        objects = kind.objects.fget
        in_twos = property(lambda bucket: objects(bucket).page_size(2))
        storage.connection.meta.client.meta.events.register(
            "before-call.s3.ListObjects", lambda **kwargs: asked.append(kwargs)
        )
        with patch.object(kind, "objects", in_twos):
            self.report(files=5, orphans=5, orphans_deleted=5)

        self.assertGreater(len(asked), 4)  # four folders, one of them in three pages


del Reaping, Cases
