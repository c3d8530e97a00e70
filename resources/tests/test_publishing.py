"""Publishing, changing and deleting resources: rows and files come and go together (CONTRACT 11)."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.core.files.storage import default_storage
from django.db import DatabaseError

from core.models import AuditEvent, Upload
from core.refusals import Missing
from core.tests.files import photo, sent
from resources.models import Resource
from resources.services.publishing import change_resource, delete_resource
from resources.tests.cases import ResourceCase, call, client_of, cover, pdf, url
from resources.tests.factories import make_resource, published
from users.tests.factories import make_superuser, make_user


def actions() -> list[str]:
    rows = AuditEvent.objects.filter(object_type="resources.resource").order_by("pk")
    return list(rows.values_list("action", flat=True))


class PublishTests(ResourceCase):
    def test_a_file_is_stored_and_published(self) -> None:
        response = self.post(title=" Safety ", description="Gloves", role="mentor")

        resource, upload = Resource.objects.get(), Upload.objects.get()
        self.assertEqual(response.status_code, 201, response.content)
        self.assertEqual(response.json(), self.document(self.admin, resource))
        self.assertEqual(
            (resource.title, resource.description, resource.type, resource.role, resource.download_count),
            ("Safety", "Gloves", "document", "mentor", 0),
        )
        self.assertRegex(resource.file_url, r"^resources/files/[0-9a-f]{32}\.pdf$")
        self.assertEqual(
            (upload.key, upload.owner, upload.filename), (resource.file_url, self.admin, "safety.pdf")
        )
        self.assertEqual(self.content(upload.key), b"content")
        self.assertEqual(actions(), ["resource_created"])

    def test_what_is_missing_or_wrong_is_refused_by_name(self) -> None:
        refused: list[dict[str, Any]] = [
            {"title": None},
            {"title": " "},
            {"title": "x" * 256},
            {"type": None},
            {"type": "book"},
            {"role": None},
            {"role": "teacher"},
            {"file": None},
            {"file": "text"},
            {"file": pdf(content=b"")},
            {"description": "x" * 10_001},
            {"description": "a\0b"},
        ]
        for fields in refused:
            with self.subTest(fields):
                self.assert_refused(self.post(**fields), 400, *fields)
        self.assertFalse(Resource.objects.exists())
        self.assertFalse(Upload.objects.exists())

    def test_it_is_a_form(self) -> None:
        self.assert_refused(call(self.admin, "post", url(), {"title": "x"}), 415)
        response = client_of(self.admin).post(
            url(), "title=x", content_type="application/x-www-form-urlencoded"
        )
        self.assert_refused(response, 415)

    def test_admins_alone_write(self) -> None:
        resource = make_resource()
        for who in (self.student, self.mentor, make_user(is_staff=True)):
            self.assert_refused(self.post(who), 403)
            for method, path in (
                ("post", url()),
                ("patch", url("detail", resource.pk)),
                ("delete", url("detail", resource.pk)),
                ("delete", url("detail", 2**60)),
                ("put", url("update-cover", resource.pk)),
            ):
                with self.subTest(f"{method} {path}", role=who.role):
                    self.assert_refused(call(who, method, path, {}), 403)
        self.assertEqual(self.post(make_superuser()).status_code, 201)

    def test_sent_again_it_is_published_once(self) -> None:
        client, key = client_of(self.admin), {"Idempotency-Key": "one"}
        body = {"title": "Safety", "type": "document", "role": "all"}

        first = client.post(url(), {**body, "file": pdf()}, format="multipart", headers=key)
        with self.captureOnCommitCallbacks(execute=True):
            again = client.post(url(), {**body, "file": pdf()}, format="multipart", headers=key)
        other = client.post(url(), {**body, "file": pdf(content=b"x")}, format="multipart", headers=key)

        self.assertEqual((first.status_code, again.status_code, other.status_code), (201, 201, 422))
        self.assertEqual(again.json()["id"], first.json()["id"])
        self.assertEqual((Resource.objects.count(), Upload.objects.count()), (1, 1))

    def test_a_storage_that_fails_is_503_and_leaves_nothing(self) -> None:
        with patch.object(default_storage, "save", side_effect=OSError):
            response = self.post()

        self.assert_refused(response, 503)
        self.assertEqual((Resource.objects.count(), Upload.objects.count(), actions()), (0, 0, []))

    def test_a_row_that_cannot_be_written_leaves_no_file(self) -> None:
        """B88."""
        for headers in ({}, {"Idempotency-Key": "one"}):
            client = client_of(self.admin)
            client.raise_request_exception = False
            with self.subTest(headers), patch.object(Resource.objects, "create", side_effect=DatabaseError):
                body = {"title": "x", "type": "guide", "role": "all", "file": pdf()}
                response = client.post(url(), body, format="multipart", headers=headers)

                self.assertEqual(response.status_code, 500)
                self.assertFalse(Upload.objects.exists())
                self.assertEqual(default_storage.listdir(Resource.FILE_FOLDER)[1], [])


class ChangeTests(ResourceCase):
    def test_words_change_and_the_file_stays(self) -> None:
        resource = published(self.admin)
        before = resource.updated_at

        response = self.patch(resource, title="New", description="", type="video", role="mentor", id=7)

        changed = Resource.objects.get()
        self.assertEqual(response.json(), self.document(self.admin, changed))
        self.assertEqual(
            (changed.title, changed.description, changed.type, changed.role), ("New", "", "video", "mentor")
        )
        self.assertEqual(changed.file_url, resource.file_url)
        self.assertGreater(changed.updated_at, before)
        self.assertEqual(
            AuditEvent.objects.get(action="resource_changed").changes,
            {"title": True, "type": True, "role": ["all", "mentor"]},
        )

    def test_what_is_the_same_is_not_written(self) -> None:
        resource = published(self.admin)

        self.assertEqual(self.patch(resource, title=resource.title).status_code, 200)
        self.assertEqual(self.patch(resource).status_code, 200)

        self.assertEqual(Resource.objects.get().updated_at, resource.updated_at)
        self.assertEqual(actions(), ["resource_created"])

    def test_a_new_file_takes_the_place_of_the_one_before(self) -> None:
        """B88."""
        resource = published(self.admin, title="Guide")
        with self.captureOnCommitCallbacks(execute=True):
            response = self.patch(resource, "multipart", file=pdf("new.pdf"))

        changed = Resource.objects.get()
        self.assertEqual((response.status_code, response.json()["fileName"]), (200, "new.pdf"))
        self.assertEqual((changed.title, Upload.objects.get().key), ("Guide", changed.file_url))
        self.assertFalse(self.is_stored(resource.file_url))
        self.assertTrue(self.is_stored(changed.file_url))

    def test_a_change_that_fails_keeps_the_file_before(self) -> None:
        resource = published(self.admin)
        client = client_of(self.admin)
        client.raise_request_exception = False
        with patch.object(Resource, "save", side_effect=DatabaseError):
            response = client.patch(url("detail", resource.pk), {"file": pdf("new.pdf")}, format="multipart")

        self.assertEqual(response.status_code, 500)
        self.assertEqual(Upload.objects.get().key, resource.file_url)
        folder = resource.file_url.rpartition("/")
        self.assertEqual(default_storage.listdir(folder[0])[1], [folder[2]])

    def test_what_is_wrong_is_refused_by_name(self) -> None:
        resource = published(self.admin)
        for fields in ({"title": ""}, {"type": "book"}, {"role": None}, {"file": "x"}, {"file": None}):
            with self.subTest(fields):
                self.assert_refused(self.patch(resource, **fields), 400, *fields)
        self.assert_refused(self.patch(resource, "multipart", file=pdf("a.exe")), 400)
        self.assert_refused(call(self.admin, "patch", url("detail", 2**60), {}), 404)
        self.assertEqual(call(self.admin, "put", url("detail", resource.pk), {}).status_code, 405)


class DeleteTests(ResourceCase):
    def test_its_files_go_with_it(self) -> None:
        """B88."""
        resource = published(self.admin)
        self.put_cover(resource)
        keys = set(Upload.objects.values_list("key", flat=True))
        with self.captureOnCommitCallbacks(execute=True):
            response = call(self.admin, "delete", url("detail", resource.pk))

        self.assertEqual((response.status_code, response.content), (204, b""))
        self.assertEqual((Resource.objects.count(), Upload.objects.count(), len(keys)), (0, 0, 2))
        self.assertEqual([key for key in keys if self.is_stored(key)], [])
        self.assertEqual(actions()[-1], "resource_deleted")
        self.assert_refused(call(self.admin, "delete", url("detail", resource.pk)), 404)

    def test_a_link_to_elsewhere_is_passed_over(self) -> None:
        response = call(self.admin, "delete", url("detail", make_resource().pk))

        self.assertEqual(response.status_code, 204)

    def test_what_somebody_else_deletes_meanwhile_is_missing_and_leaves_no_file(self) -> None:
        resource = published(self.admin)
        delete_resource(Resource.objects.get(), by=self.admin)

        self.assertRaises(Missing, delete_resource, resource, by=self.admin)
        with self.assertRaises(Missing):
            change_resource(resource, by=self.admin, values={}, file=pdf())
        self.assertFalse(Upload.objects.exists())


class CoverTests(ResourceCase):
    def test_a_picture_becomes_the_cover(self) -> None:
        resource = published(self.admin)
        for kind in ("PNG", "JPEG", "GIF", "WEBP"):
            with self.subTest(kind), self.captureOnCommitCallbacks(execute=True):
                response = self.put_cover(resource, cover(kind))

                self.assertEqual(response.status_code, 200, response.content)
        changed = Resource.objects.get()
        self.assertRegex(changed.cover_image or "", r"^resources/covers/[0-9a-f]{32}\.webp$")
        self.assertEqual(list(response.json()), ["coverImage"])
        self.assertEqual(response.json()["coverImage"], self.document(self.admin, changed)["coverImage"])
        self.assertGreater(changed.updated_at, resource.updated_at)
        self.assertEqual(len(default_storage.listdir(Resource.COVER_FOLDER)[1]), 1)
        self.assertEqual(Upload.objects.count(), 2)

    def test_what_is_no_picture_is_refused(self) -> None:
        resource = published(self.admin)
        for file in (pdf(), sent("a.png", b"x", "image/png"), sent("a.svg", b"<svg/>", "image/svg+xml")):
            with self.subTest(file.name):
                self.assert_refused(self.put_cover(resource, file), 400)
        self.assert_refused(
            call(self.admin, "put", url("update-cover", resource.pk), {}, "multipart"), 400, "coverImage"
        )
        self.assert_refused(call(self.admin, "put", url("update-cover", resource.pk), {}), 415)
        self.assertEqual(Resource.objects.get().cover_image, None)

    def test_a_photo_does_not_tell_where_it_was_taken(self) -> None:
        resource = published(self.admin)

        self.put_cover(resource, sent("a.jpg", photo(), "image/jpeg"))

        self.assertNotIn(b"Camera of Ada", self.content(Resource.objects.get().cover_image))
