"""Where files are scanned, none is served that was not, whenever it was stored (SAFETY B36)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.test import TestCase, override_settings

from core.models import Upload
from core.refusals import Unavailable
from core.tests.files import sent, use_own_storage
from core.uploads.files import remove_files
from core.uploads.links import Links
from core.uploads.rescan import scan_uploads
from core.uploads.store import store_upload
from users.tests.factories import make_user

if TYPE_CHECKING:
    from users.models import User

# A real scanner of one word, as an operator would configure it.
SCANNER = "sh -c '! grep -q virus \"$0\"' {file}"
scanned = override_settings(FILE_UPLOAD_SCAN_COMMAND=SCANNER)


class RescanTests(TestCase):
    owner: User

    def setUp(self) -> None:
        use_own_storage(self)
        self.owner = make_user()

    def store(self, content: bytes) -> Upload:
        return store_upload(sent("a.txt", content, "text/plain"), prefix="uploads", owner=self.owner)

    def status(self, upload: Upload) -> int:
        response: Any = self.client.get(Links(self.owner.pk, "").to(upload.key))
        b"".join(response)
        return int(response.status_code)

    def test_without_a_scanner_files_are_served_and_nothing_is_done(self) -> None:
        upload = self.store(b"clean")

        self.assertEqual(scan_uploads(), {"clean": 0, "quarantined": 0, "missing": 0})
        self.assertEqual((self.status(upload), Upload.objects.get().scanned_at), (200, None))

    def test_what_comes_in_by_a_scanner_is_served_at_once(self) -> None:
        with scanned:
            self.assertEqual(self.status(self.store(b"clean")), 200)
            self.assertEqual(scan_uploads(), {"clean": 0, "quarantined": 0, "missing": 0})

    def test_what_came_before_it_is_served_once_it_has_been_scanned(self) -> None:
        clean, infected, lost = self.store(b"clean"), self.store(b"a virus"), self.store(b"lost")
        remove_files([lost.key])
        with scanned:
            self.assertEqual([self.status(upload) for upload in (clean, infected)], [404, 404])

            self.assertEqual(scan_uploads(), {"clean": 1, "quarantined": 1, "missing": 1})

            self.assertEqual([self.status(upload) for upload in (clean, infected)], [200, 404])
            self.assertEqual(scan_uploads(), {"clean": 0, "quarantined": 0, "missing": 0})
        self.assertEqual(self.status(infected), 404)

    def test_a_scanner_that_does_not_answer_leaves_them_for_the_next_time(self) -> None:
        upload = self.store(b"clean")
        with override_settings(FILE_UPLOAD_SCAN_COMMAND="/no/such/scanner {file}"):
            with self.assertRaises(Unavailable):
                scan_uploads()
            self.assertEqual(self.status(upload), 404)
        with scanned:
            scan_uploads()
            self.assertEqual(self.status(upload), 200)
