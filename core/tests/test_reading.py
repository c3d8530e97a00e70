"""What serializers make of rows is the framework's, whoever reads the fields."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.test import TestCase
from rest_framework import serializers

from core.models import Upload
from core.reading import plans_of
from core.serializers import WireModelSerializer

Person: Any = get_user_model()


class OwnerSerializer(WireModelSerializer[Any]):
    """A person below a file, read in the context of whoever asks."""

    asked = serializers.SerializerMethodField()

    class Meta:
        model = Person
        fields = ["id", "email", "asked", "isActive", "dateJoined", "is_staff"]

    def get_asked(self, _: Any) -> Any:
        return self.context["viewer"]


class FileSerializer(WireModelSerializer[Upload]):
    """A file with every kind of field that we read."""

    owner = OwnerSerializer()
    ownerKey = serializers.PrimaryKeyRelatedField[Any](source="owner", read_only=True)  # noqa: N815
    name = serializers.CharField(source="filename")
    words = serializers.ListField(child=serializers.CharField(), required=False)
    readers = OwnerSerializer(many=True, required=False)
    missing = serializers.CharField(source="nothing.there", required=False)
    secret = serializers.CharField(source="key", write_only=True)

    class Meta:
        model = Upload
        fields = [
            "id",
            "owner",
            "ownerKey",
            "name",
            "words",
            "readers",
            "size",
            "state",
            "scannedAt",
            "createdAt",
        ]
        fields += ["missing", "secret"]


WITHOUT_MISSING = [name for name in FileSerializer.Meta.fields if name not in {"missing", "secret"}]


class ReadingTests(TestCase):
    """Each document is held against what the framework itself makes of the row."""

    ada: Any

    @classmethod
    def setUpTestData(cls) -> None:
        cls.ada = Person.objects.create_user(email="ada@school.example")
        for owner in (cls.ada, None):
            Upload.objects.create(
                owner=owner, key=f"{owner}", filename="É plan.pdf", size=3, mime_type="text/plain"
            )

    def framework(self, serializer: Any, row: Any) -> dict[str, Any]:
        document: dict[str, Any] = serializers.ModelSerializer.to_representation(serializer, row)
        return document

    def test_the_document_is_the_framework_s_own(self) -> None:
        for row in Upload.objects.select_related("owner"):
            row.words, row.readers = ["É", 2], [self.ada, self.ada]  # type: ignore[attr-defined]
            serializer = FileSerializer(row, context={"viewer": "ada"})
            self.assertEqual(serializer.data, self.framework(FileSerializer(context={"viewer": "ada"}), row))
            self.assertEqual(
                list(serializer.data),
                [*FileSerializer.Meta.fields[:4], "words", *FileSerializer.Meta.fields[5:-2]],
            )

    def test_each_request_is_read_in_its_own_context(self) -> None:
        row: Any = Upload.objects.get(owner=self.ada)
        row.readers = [self.ada]
        asking = [FileSerializer([row], many=True, context={"viewer": viewer}) for viewer in ("ada", "bea")]
        for serializer, viewer in zip(asking, ("ada", "bea"), strict=True):
            (document,) = serializer.data
            self.assertEqual([document["owner"]["asked"], document["readers"][0]["asked"]], [viewer, viewer])

    def test_values_that_no_query_brought(self) -> None:
        row = Upload(
            size=True, filename="1", state=Upload.State.STORED, created_at=datetime(2026, 1, 1, tzinfo=UTC)
        )
        document = FileSerializer(row, context={"viewer": ""}).data
        self.assertEqual(document, self.framework(FileSerializer(context={"viewer": ""}), row))
        self.assertEqual((type(document["state"]), type(document["size"])), (str, int))

    def test_a_mapping_is_a_row_too(self) -> None:
        values = {"id": 1, "owner": None, "filename": "1", "size": 1, "state": "stored", "scanned_at": None}
        row: Any = {**values, "created_at": datetime(2026, 1, 1, tzinfo=UTC)}
        self.assertEqual(FileSerializer(row).data["createdAt"], "2026-01-01T00:00:00Z")

    def test_fields_are_planned_once(self) -> None:
        self.assertIs(plans_of(FileSerializer), plans_of(FileSerializer))
