"""What resources hold of a person, and which files they need."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps

from core.models import Upload
from resources.models import Resource, ResourceDownload
from resources.personal import documents_of, named_files, needed_uploads
from resources.services.downloads import count_download
from resources.tests.cases import ResourceCase
from resources.tests.factories import make_resource, published


class PersonalTests(ResourceCase):
    def test_a_person_is_told_what_they_opened_and_when(self) -> None:
        resource = make_resource(title="Safety")
        count_download(resource, by=self.student)
        count_download(resource, by=self.mentor)

        row = ResourceDownload.objects.get(user=self.student)
        told = [{"resourceId": resource.pk, "title": "Safety", "hour": row.hour}]
        self.assertEqual(list(documents_of(self.student)), [("downloads", told)])

    def test_files_and_covers_are_needed(self) -> None:
        resource = published(self.admin)
        self.put_cover(resource)
        spare = Upload.objects.create(key="uploads/x.txt", filename="x.txt", size=1)
        ids = list(Upload.objects.values_list("pk", flat=True))

        self.assertEqual(needed_uploads(ids), set(ids) - {spare.pk})

    def test_files_are_named_with_and_without_a_row_of_their_own(self) -> None:
        make_resource(file_url="resources/files/a.pdf", cover_image="resources/covers/b.png")
        keys = ["resources/files/a.pdf", "resources/covers/b.png", "resources/files/c.pdf"]

        self.assertEqual(named_files(keys), set(keys[:2]))

    def test_addresses_of_earlier_demo_data_become_keys(self) -> None:
        make_resource(file_url="/media/resources/files/a.pdf")
        make_resource(file_url="https://x.example/media/a.pdf", cover_image="/media/resources/covers/a.png")

        migration = import_module("resources.migrations.0004_keep_keys_of_files")
        migration.keep_keys(apps, None)

        self.assertEqual(
            list(Resource.objects.order_by("pk").values_list("file_url", "cover_image")),
            [
                ("resources/files/a.pdf", None),
                ("https://x.example/media/a.pdf", "resources/covers/a.png"),
            ],
        )
