"""The reference's defects with resources (CONTRACT 19.5): a named test for each."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from django.core.files.storage import default_storage
from django.test import override_settings

from core.models import Upload
from core.tests.files import archive, picture, sent
from resources.models import Resource
from resources.tests.cases import ResourceCase, call, pdf, url
from resources.tests.factories import published

# What the web client reads of a row (CONTRACT 3).
READ_BY_CLIENT: Final = {
    *("id", "title", "type", "role", "url", "coverImage"),
    *("description", "download_count", "created_at", "updated_at"),
}


class DefectTests(ResourceCase):
    @override_settings(FILE_UPLOAD_MAX_BYTES=1_000)
    def test_a_resource_file_is_checked_as_any_upload(self) -> None:
        """B84: `.exe`, `.html` and 25 MiB + 1 were stored."""
        resource = published(self.admin)
        stored = default_storage.listdir(Resource.FILE_FOLDER)
        for file in (
            sent("a.exe", b"MZ", "application/pdf"),
            sent("a.html", b"<html>", "text/html"),
            sent("a.html", b"<html>", "text/plain"),
            sent("a.svg", b"<svg/>", "image/svg+xml"),
            sent("a.pdf", b"<!DOCTYPE html>", "application/pdf"),
            sent("a.png", picture() + b"<script>x</script>", "image/png"),
            sent("a.zip", archive(a_exe="MZ"), "application/zip"),
            sent("a.pdf", b"x" * 1_001, "application/pdf"),
        ):
            with self.subTest(file.name, type=file.content_type):
                refused = [self.post(file=file)]
                file.seek(0)
                refused.append(self.patch(resource, "multipart", file=file))
                for response in refused:
                    self.assert_refused(response, 400)
                    self.assertEqual(response.json()["code"], "upload_refused")
        self.assertEqual((Resource.objects.count(), Upload.objects.count()), (1, 1))
        self.assertEqual(default_storage.listdir(Resource.FILE_FOLDER), stored)

    def test_a_cover_is_bounded(self) -> None:
        """B84: in bytes and pixels."""
        resource = published(self.admin)
        for content in (picture(size=(4_001, 4_000), mode="1"), picture() + b"\0" * 10_485_760):
            self.assert_refused(self.put_cover(resource, sent("a.png", content, "image/png")), 400)
        self.assertEqual(Resource.objects.get().cover_image, None)

    def test_what_says_nothing_is_taken_for_what_it_is_called(self) -> None:
        """10.1: no signature is demanded."""
        self.assertEqual(self.post(file=pdf("safety.pdf", b"content")).status_code, 201)

    def test_nobody_fetches_a_file_that_is_not_for_them(self) -> None:
        """B86: a mentor-only file was fetched without signing in."""
        resource = published(self.admin, role="mentor")
        link = self.document(self.mentor, resource)["url"]
        token, _, key = urlsplit(link).path.removeprefix("/media/").partition("/")

        self.assertEqual(self.open(link).status_code, 200)
        self.assertEqual(self.open(link, self.student).status_code, 404)
        for path in (f"/media/{key}", f"/media/{token[:-1]}/{key}", f"/media/{token}/{key}x"):
            with self.subTest(path):
                self.assertEqual(self.open(path).status_code, 404)

    def test_links_are_absolute_and_end_in_the_real_extension(self) -> None:
        """B87: relative ones led to the web client's own origin."""
        resource = published(self.admin, file=pdf("a.b.PDF"))
        self.put_cover(resource)

        document = self.document(self.student, resource)

        for link, extension in ((document["url"], "pdf"), (document["coverImage"], "png")):
            with self.subTest(link):
                self.assertRegex(link, r"^https?://testserver/media/[^?'()\s]+$")
                self.assertEqual(link.rpartition(".")[2].partition("?")[0], extension)

    def test_whose_a_file_is_is_written_down_and_it_goes_with_its_resource(self) -> None:
        """B88: nobody knew, and files stayed behind."""
        resource = published(self.admin)
        self.put_cover(resource)
        self.assertEqual(set(Upload.objects.values_list("owner", flat=True)), {self.admin.pk})

        with self.captureOnCommitCallbacks(execute=True):
            self.patch(resource, "multipart", file=pdf())
            self.put_cover(resource)
        self.assertEqual(len(default_storage.listdir(Resource.FILE_FOLDER)[1]), 1)
        self.assertEqual(len(default_storage.listdir(Resource.COVER_FOLDER)[1]), 1)

        with self.captureOnCommitCallbacks(execute=True):
            call(self.admin, "delete", url("detail", resource.pk))
        self.assertEqual(default_storage.listdir(Resource.FILE_FOLDER)[1], [])
        self.assertEqual(default_storage.listdir(Resource.COVER_FOLDER)[1], [])
        self.assertFalse(Upload.objects.exists())

    def test_lists_hold_whatever_the_client_reads(self) -> None:
        """B92."""
        published(self.admin)

        row = call(self.student, "get", url()).json()["results"][0]

        self.assertLessEqual(READ_BY_CLIENT, set(row))
