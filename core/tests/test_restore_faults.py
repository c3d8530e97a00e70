"""Restoring where something is rotten, or breaks off: whoever was erased stays erased (SAFETY R19)."""

from __future__ import annotations

import http.client
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import skipUnless
from unittest.mock import patch

from django.core.management import CommandError
from django.db import InterfaceError, connection

from core.management.commands.restore import LOADED_BUT, NOTHING_TOUCHED
from core.recovery.ledger import write_ledger
from core.tests.erased_since import ErasedSinceCase
from core.tests.recovering import store
from core.tests.s3 import BUCKET, S3Server

on_postgresql = skipUnless(connection.vendor == "postgresql", "Backups are of PostgreSQL.")
HOP_BY_HOP = {"content-length", "transfer-encoding", "connection", "server", "date"}


class CuttingProxy(BaseHTTPRequestHandler):
    """Passes everything on to a bucket, and cuts each file short on its way back."""

    protocol_version = "HTTP/1.1"
    bucket_port: int

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        bucket = http.client.HTTPConnection("127.0.0.1", self.bucket_port)
        bucket.request(self.command, self.path, body, dict(self.headers))
        answer = bucket.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", answer.getheader("Content-Length") or str(len(data)))
        self.end_headers()
        if self.command == "GET" and "/uploads/" in self.path and answer.status < http.client.BAD_REQUEST:
            data = data[:5]
            self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(data)
        bucket.close()

    do_PUT = do_HEAD = do_DELETE = do_POST = do_GET  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@on_postgresql
class UnfinishedTests(ErasedSinceCase):
    """The database is loaded, and then it ends otherwise than by a word of the command."""

    def setUp(self) -> None:
        super().setUp()
        self.erase()
        write_ledger(self.target)

    def change_manifest(self, **changes: object) -> None:
        path = self.backup / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    def test_they_are_erased_after_a_fault_that_nobody_has_caught(self) -> None:
        said = json.loads((self.backup / "manifest.json").read_text())["structure"]
        self.change_manifest(structure={**said, "extensions": [["of one word"]]})

        done = self.script("restore.sh", str(self.backup))

        self.assertEqual(done.returncode, 1)
        self.assertIn("ValueError", done.stderr)
        self.assertIn("ended with status 1: the database may be the backup's", done.stderr)
        self.assertIn(f"restore.sh {self.backup} --yes-replace", done.stderr)
        self.assertIn("erased again: 1\n", done.stdout)
        self.assertFalse(self.is_back())

    def test_they_are_erased_where_the_bucket_breaks_off_each_answer(self) -> None:
        bucket = S3Server()
        self.addCleanup(bucket.end)
        handler = type("Proxy", (CuttingProxy,), {"bucket_port": bucket.port})
        proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.addCleanup(proxy.server_close)
        self.addCleanup(proxy.shutdown)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        vultr = {
            "VULTR_ACCESS_KEY": "key",
            "VULTR_SECRET_KEY": "secret",
            "VULTR_BUCKET_NAME": BUCKET,
            "VULTR_S3_ENDPOINT": f"http://127.0.0.1:{proxy.server_port}",
        }

        with patch.dict(os.environ, vultr):
            done = self.restore(status=1)

        self.assertIn("The database is loaded, but: Max Retries Exceeded", done.stderr)
        self.assertIn("erased again: 1\n", done.stdout)
        self.assertFalse(self.is_back())

    def test_a_session_that_was_lost_after_the_load_is_told(self) -> None:
        lost = patch(
            "core.recovery.restore.hand_over", side_effect=InterfaceError("connection already closed")
        )
        with lost, self.assertRaises(CommandError) as refusal:
            self.restore_there(self.backup)

        self.assertEqual(refusal.exception.returncode, LOADED_BUT)

    def test_what_touched_nothing_loads_nothing_and_runs_no_migration(self) -> None:
        path = self.backup / "manifest.json"
        said = json.loads(path.read_text())
        del said["structure"]
        path.write_text(json.dumps(said))

        with self.assertRaisesMessage(CommandError, "does not tell structure") as refusal:
            self.restore_there(self.backup)
        done = self.restore(status=1)

        self.assertEqual(refusal.exception.returncode, NOTHING_TOUCHED)
        self.assertNotIn("migrations", done.stdout)
        self.assertTrue(self.ask_there("SELECT to_regclass('users') IS NULL"))

    def test_settings_that_cannot_be_read_are_no_restore_that_broke_off(self) -> None:
        with patch.dict(os.environ, SECURE_SSL_REDIRECT="perhaps"):
            done = self.script("restore.sh", str(self.backup))

        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"\AConfiguration error: .*\n\Z")


@on_postgresql
class DamagedTests(ErasedSinceCase):
    """Backups share files: a rotten block is rotten in all of them."""

    def setUp(self) -> None:
        super().setUp()
        for n in range(3):
            store(f"uploads/{n}.txt", b"%d" % n)
        self.backup = self.back_up().path
        self.erase()
        write_ledger(self.target)
        (self.backup / "files/uploads/a.txt").write_bytes(b"A photo of agar plates")
        (self.backup / "files/uploads/1.txt").unlink()
        self.told = (
            f"2 files of {self.backup} are missing, or are not what was kept: uploads/1.txt, uploads/a.txt."
        )

    def test_all_of_them_are_named_and_nothing_is_touched(self) -> None:
        done = self.restore(status=1)

        self.assertIn(f"Nothing was touched: {self.told} With --without-damaged", done.stderr)
        self.assertTrue(self.ask_there("SELECT to_regclass('users') IS NULL"))

    def test_reading_through_names_each(self) -> None:
        done = self.restore("--verify", status=1)

        self.assertEqual(done.stdout, "damaged: uploads/1.txt\ndamaged: uploads/a.txt\n")

    def test_the_others_are_restored_where_that_is_wanted_and_the_end_is_not_0(self) -> None:
        done = self.restore("--without-damaged", status=1)

        self.assertIn(f"Not restored: {self.told}", done.stderr)
        self.assertIn(
            "2 things are not as they were kept: file uploads/1.txt, file uploads/a.txt", done.stderr
        )
        self.assertIn("erased again: 1\n", done.stdout)
        there = sorted(path.name for path in Path(self.media, "uploads").iterdir())
        self.assertEqual(there, ["0.txt", "2.txt"])
        self.assertFalse(self.is_back())

    def test_what_the_storage_has_whole_itself_is_not_lost(self) -> None:
        uploads = Path(self.media, "uploads")
        uploads.mkdir()
        (uploads / "a.txt").write_bytes(b"a photo of agar plates")
        (uploads / "1.txt").write_bytes(b"1")

        done = self.restore("--without-damaged", "--yes-replace")

        self.assertIn("equal to what was kept: ", done.stdout)
