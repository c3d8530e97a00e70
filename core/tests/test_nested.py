"""Rows below a row, brought along in its own query."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.test import TestCase

from core.models import Upload
from core.nested import Nested

Person: Any = get_user_model()
COLUMNS = ["id", "key", "filename", "size", "created_at", "scanned_at", "owner__id", "owner__email"]


def uploads() -> models.QuerySet[Upload]:
    return Upload.objects.filter(owner=models.OuterRef("pk"))


class NestedTests(TestCase):
    """Uploads below their owners; their owner comes along again."""

    ada: Any
    bea: Any

    @classmethod
    def setUpTestData(cls) -> None:
        cls.ada = Person.objects.create_user(email="ada@school.example", is_active=False)
        cls.bea = Person.objects.create_user(email="bea@school.example")
        for number in range(3):
            Upload.objects.create(owner=cls.ada, key=f"{number}", filename='É "1".pdf', size=2**40)

    def test_they_are_the_rows_themselves(self) -> None:
        nested = Nested(uploads, "owner", COLUMNS)
        with self.assertNumQueries(1):
            ada, bea = Person.objects.annotate(files=nested.listed()).order_by("pk")
            files = sorted(nested.read(ada.files), key=lambda upload: upload.pk)
            self.assertEqual([upload.owner.email for upload in files], ["ada@school.example"] * 3)
            self.assertEqual(nested.read(bea.files), [])
        for upload, row in zip(files, Upload.objects.order_by("pk"), strict=True):
            for name in ("pk", "key", "filename", "size", "created_at", "scanned_at", "owner_id"):
                self.assertEqual(getattr(upload, name), getattr(row, name), name)
            self.assertEqual(upload.created_at.utcoffset(), row.created_at.utcoffset())
            self.assertEqual(upload.get_deferred_fields(), {"mime_type", "state"})

    def test_truth_values_and_rows_that_are_not_there(self) -> None:
        Upload.objects.create(key="nobody's", filename="1", size=1)
        everything = Nested(
            lambda: Upload.objects.filter(filename=models.OuterRef("filename")),
            "filename",
            ["id", "owner__id", "owner__is_active"],
        )
        rows = Upload.objects.annotate(like=everything.listed())
        with self.assertNumQueries(1):
            found = {row.key: everything.read(row.like) for row in rows}
            self.assertIsNone(found["nobody's"][0].owner)
            self.assertIs(type(found["0"][0].owner.is_active), bool)
            self.assertFalse(found["0"][0].owner.is_active)
