"""Virus scanners: a real clamd that knows the EICAR string, and commands of all kinds."""

from __future__ import annotations

import io
import logging
import os
import signal
import socket
import tempfile
import threading
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.test import SimpleTestCase, TestCase, override_settings, tag

from core.models import Upload
from core.refusals import Unavailable
from core.tests.clamd import EICAR, STREAM_BYTES, Clamd
from core.uploads.policy import UploadRefused
from core.uploads.scanning import clamd_address, scan
from core.uploads.store import store_upload

if TYPE_CHECKING:
    from collections.abc import Iterator

NOWHERE = "/nowhere/clamd.sock"
PATIENCE_SECONDS = 0.3
# On a busy machine; without patience it would be much longer, or for ever.
SLACK_SECONDS = 3
HURRIED = {"FILE_UPLOAD_SCAN_SECONDS": PATIENCE_SECONDS}


def upload_of(content: bytes, name: str = "Ada Lovelace.txt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "text/plain")


def zip_of(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(name, content)
    return file.getvalue()


@contextmanager
def seconds(case: SimpleTestCase, most: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    case.assertLess(time.monotonic() - started, most)


@contextmanager
def server_that_says(*words: bytes, every: float = 0.0) -> Iterator[str]:
    """Yield the address of something that takes one byte to be scanned, and says this whatever it is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as sent:
                sent.read(len(b"zINSTREAM\0") + 4 + 1 + 4)
                for word in words:
                    time.sleep(every)
                    try:
                        connection.sendall(word)
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        host, port = listener.getsockname()
        yield f"{host}:{port}"
        thread.join()


@tag("clamd")
class ClamdTests(TestCase):
    clamd: Clamd

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.clamd = Clamd()
        cls.addClassCleanup(cls.clamd.end)
        cls.enterClassContext(override_settings(CLAMD_SOCKET=str(cls.clamd.socket)))

    def test_a_virus_is_refused_wherever_it_hides(self) -> None:
        """SAFETY B36."""
        hidden = {
            "plain": EICAR,
            "behind junk": b"minutes of the meeting\n" * 9_000 + EICAR,
            "in a zip": zip_of("notes.txt", EICAR),
            "in a docx": zip_of("word/media/image1.bin", EICAR),
        }
        for where, content in hidden.items():
            with self.subTest(where), self.assertRaises(UploadRefused) as refusal:
                scan(upload_of(content))
            self.assertEqual(refusal.exception.message, "This file cannot be accepted.")

    def test_clean_files_pass_and_are_left_at_their_beginning(self) -> None:
        on_disk = TemporaryUploadedFile("a.txt", "text/plain", 5, None)
        on_disk.write(b"12345")
        self.addCleanup(on_disk.close)
        for file in (upload_of(b"12345"), on_disk):
            with self.subTest(type(file).__name__):
                file.read(3)
                scan(file)
                self.assertEqual(file.read(), b"12345")
        scan(upload_of(b""))

    def test_it_is_asked_over_the_network_too(self) -> None:
        with override_settings(CLAMD_SOCKET=f"127.0.0.1:{self.clamd.port}"):
            scan(upload_of(b"clean"))
            with self.assertRaises(UploadRefused):
                scan(upload_of(EICAR))

    def test_what_it_cannot_take_whole_has_not_been_scanned(self) -> None:
        scan(upload_of(b"x" * STREAM_BYTES))
        with self.assertRaises(Unavailable):
            scan(upload_of(b"x" * (STREAM_BYTES + 1)))

    def test_a_refused_file_leaves_neither_row_nor_file(self) -> None:
        with tempfile.TemporaryDirectory() as folder, override_settings(MEDIA_ROOT=folder):
            with self.assertRaises(UploadRefused):
                store_upload(upload_of(EICAR), prefix="uploads", owner=None)
            self.assertFalse(default_storage.exists("uploads"))
        self.assertFalse(Upload.objects.exists())

    def test_the_log_says_neither_name_nor_verdict(self) -> None:
        """B89."""
        with (
            self.assertLogs("core.uploads.scanning", logging.WARNING) as log,
            self.assertRaises(UploadRefused),
        ):
            scan(upload_of(EICAR))
        (record,) = log.records
        self.assertEqual((record.getMessage(), vars(record)["scanner"]), ("scanner_refused_file", "clamd"))
        self.assertNotRegex(str(vars(record)), "Lovelace|Eicar-Test")


@tag("clamd")
class BrokenClamdTests(TestCase):
    """SAFETY R8: 503 within 5 s, nothing stored."""

    def setUp(self) -> None:
        self.clamd = Clamd()
        self.addCleanup(self.clamd.end)
        socket_set = override_settings(CLAMD_SOCKET=str(self.clamd.socket))
        socket_set.enable()
        self.addCleanup(socket_set.disable)

    def assert_nothing_is_stored(self, content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder, override_settings(MEDIA_ROOT=folder):
            with seconds(self, 5), self.assertRaises(Unavailable):
                store_upload(upload_of(content, "a.txt"), prefix="uploads", owner=None)
            self.assertFalse(default_storage.exists("uploads"))
        self.assertFalse(Upload.objects.exists())

    def test_a_killed_one_is_503(self) -> None:
        self.clamd.process.kill()
        self.clamd.process.wait()
        self.assertTrue(self.clamd.socket.exists())
        self.assert_nothing_is_stored(b"clean")

    def test_a_frozen_one_is_503_in_its_time(self) -> None:
        self.clamd.process.send_signal(signal.SIGSTOP)
        with override_settings(**HURRIED):
            for size in (5, STREAM_BYTES):
                with self.subTest(size), seconds(self, PATIENCE_SECONDS + SLACK_SECONDS):
                    self.assert_nothing_is_stored(b"x" * size)


class ScannerThatSpeaksOddlyTests(SimpleTestCase):
    def test_none_configured_means_that_nothing_happens(self) -> None:
        file = upload_of(EICAR)
        file.read(3)
        scan(file)
        self.assertEqual(file.tell(), 3)

    def test_its_time_is_under_the_five_seconds_of_the_contract(self) -> None:
        from django.conf import settings  # noqa: PLC0415 - the default, whatever this file overrides

        self.assertLess(settings.FILE_UPLOAD_SCAN_SECONDS, 5)

    def test_one_that_is_not_there_is_503(self) -> None:
        for address in (NOWHERE, "127.0.0.1:1"):
            with self.subTest(address), override_settings(CLAMD_SOCKET=address):
                with self.assertRaises(Unavailable), self.assertLogs("core.uploads.scanning") as log:
                    scan(upload_of(b"x"))
                self.assertEqual(vars(log.records[0])["scanner"], "clamd")

    def test_any_other_answer_than_yes_and_no_is_503(self) -> None:
        for words in (b"stream: OK?\0", b"INSTREAM size limit exceeded. ERROR\0", b"220 mail\r\n" * 999, b""):
            with (
                self.subTest(words[:20]),
                server_that_says(words) as address,
                override_settings(CLAMD_SOCKET=address),
                self.assertRaises(Unavailable),
            ):
                scan(upload_of(b"x"))

    def test_one_that_drips_is_cut_off_in_its_time(self) -> None:
        with (
            server_that_says(*[b"s"] * 60, every=0.1) as address,
            override_settings(CLAMD_SOCKET=address, **HURRIED),
            seconds(self, PATIENCE_SECONDS + SLACK_SECONDS),
            self.assertRaises(Unavailable),
        ):
            scan(upload_of(b"x"))

    def test_the_address_is_a_path_or_host_and_port(self) -> None:
        self.assertEqual(clamd_address("/run/clamav/clamd.ctl"), "/run/clamav/clamd.ctl")
        self.assertEqual(clamd_address("scanner:3310"), ("scanner", 3310))
        self.assertEqual(clamd_address("[::1]:3310"), ("::1", 3310))
        for wrong in ("scanner", ":3310", "scanner:", "scanner:http", "clamd.ctl"):
            with self.subTest(wrong), self.assertRaises(ValueError):
                clamd_address(wrong)


class CommandTests(SimpleTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def scan(self, command: str, **settings: object) -> None:
        with override_settings(FILE_UPLOAD_SCAN_COMMAND=command, **settings):
            scan(upload_of(b"12345"))

    def test_it_gets_a_copy_which_is_gone_afterwards(self) -> None:
        copy, path = self.folder / "copy", self.folder / "path"
        self.scan(f'sh -c \'cp "$1" {copy} && echo "$1" >{path}\' sh {{file}}')

        self.assertEqual(copy.read_bytes(), b"12345")
        self.assertFalse(Path(path.read_text(encoding="utf-8").strip()).exists())

    def test_the_placeholder_may_stand_inside_a_word(self) -> None:
        self.scan("sh -c 'test -s ${0#--scan=}' --scan={file}")

    def test_another_exit_status_than_0_refuses_and_its_words_stay_here(self) -> None:
        """B89."""
        for status in (1, 2, 127):
            with (
                self.subTest(status),
                self.assertLogs("core.uploads.scanning") as log,
                self.assertRaises(UploadRefused) as refusal,
            ):
                self.scan(f"sh -c 'echo FOUND Evil; echo FOUND Evil >&2; exit {status}' {{file}}")
            self.assertEqual(refusal.exception.message, "This file cannot be accepted.")
            self.assertNotRegex(str(vars(log.records[0])), "Evil|Lovelace|scan-")

    def test_one_that_cannot_be_run_is_503(self) -> None:
        not_executable = self.folder / "scanner"
        not_executable.touch()
        for command in ("/nowhere/scanner {file}", f"{not_executable} {{file}}", "sh -c 'kill -9 $$' {file}"):
            with self.subTest(command), self.assertRaises(Unavailable):
                self.scan(command)

    def test_one_that_hangs_is_killed_with_all_that_it_started(self) -> None:
        """B89."""
        child = self.folder / "child"
        with seconds(self, PATIENCE_SECONDS + SLACK_SECONDS), self.assertRaises(Unavailable):
            self.scan(
                f"sh -c 'sleep 60 & echo $! >{child}; wait' {{file}}",
                **HURRIED,
            )

        self.assertFalse(is_alive(int(child.read_text(encoding="utf-8"))))

    def test_no_shell_reads_the_template(self) -> None:
        made = self.folder / "made"
        self.scan(f"true {{file}} ; touch {made}")
        self.assertFalse(made.exists())

    def test_it_is_given_none_of_our_secrets(self) -> None:
        with patch.dict(os.environ, {"SECRET_KEY": "k", "DB_PASSWORD": "p"}):
            self.scan("sh -c 'test -z \"$SECRET_KEY$DB_PASSWORD\"' {file}")

    def test_a_full_disk_is_503(self) -> None:
        with (
            patch("core.uploads.scanning.tempfile.NamedTemporaryFile", side_effect=OSError),
            self.assertRaises(Unavailable),
        ):
            self.scan("true {file}")

    def test_where_two_are_configured_both_are_asked_in_one_time(self) -> None:
        asked = self.folder / "asked"
        command = f"sh -c 'touch {asked}; exit 1' {{file}}"
        with server_that_says(b"stream: OK\0") as clean, self.assertRaises(UploadRefused):
            self.scan(command, CLAMD_SOCKET=clean)
        asked.unlink()
        with server_that_says(b"stream: Evil FOUND\0") as infected, self.assertRaises(UploadRefused):
            self.scan(command, CLAMD_SOCKET=infected)
        self.assertFalse(asked.exists())
        with server_that_says(b"stream: OK\0", every=0.2) as slow, self.assertRaises(Unavailable):
            self.scan("sh -c 'sleep 0.2' {file}", CLAMD_SOCKET=slow, **HURRIED)


def is_alive(process: int) -> bool:
    """Tell whether a process runs; one that is dead, and that nobody has asked about, does not."""
    for _ in range(20):
        try:
            state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(") ")[2][0]
        except FileNotFoundError:
            return False
        if state == "Z":
            return False
        time.sleep(0.01)
    return True
