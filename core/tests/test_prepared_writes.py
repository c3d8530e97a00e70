"""Updates and inserts that are put into words once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F
from django.db.models.functions import Concat
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from core.models import IdempotentWrite
from core.prepared import Slot
from core.prepared_writes import PreparedInsert, PreparedUpdate


class PreparedWritesTests(TestCase):
    ada: Any

    @classmethod
    def setUpTestData(cls) -> None:
        cls.ada = get_user_model().objects.create_user(email="ada@school.example")

    def write(self, key: str) -> IdempotentWrite:
        return IdempotentWrite(user=self.ada, key=key, fingerprint="100 %s", created_at=now())

    def stored(self, key: str) -> dict[str, Any]:
        return dict(IdempotentWrite.objects.filter(key=key).values().get())

    def test_a_row_is_stored_as_save_stores_it(self) -> None:
        prepared, saved = PreparedInsert(IdempotentWrite), self.write("saved")
        saved.save()
        for key in ("first", "' second"):
            row = self.write(key)
            with self.subTest(key), CaptureQueriesContext(connection) as asked:
                prepared.insert(row)
            self.assertEqual(len(asked), 1)
            self.assertFalse(row._state.adding)
            found = self.stored(key)
            self.assertEqual(found, {name: getattr(row, name) for name in found})
            self.assertEqual(found.keys(), self.stored("saved").keys())

    def test_what_is_stored_twice_is_an_error(self) -> None:
        prepared = PreparedInsert(IdempotentWrite)
        prepared.insert(self.write("first"))

        with self.assertRaises(IntegrityError), transaction.atomic():
            prepared.insert(self.write("first"))

    def test_an_update_returns_the_row_as_it_leaves_it(self) -> None:
        for key in ("first", "other"):
            self.write(key).save()
        prepared = PreparedUpdate(self.later)
        made = self.stored("first")["created_at"]

        with CaptureQueriesContext(connection) as asked:
            row = prepared.object(key="first", words="!")

        self.assertEqual(len(asked), 1)
        found = self.stored("first")
        self.assertEqual(found, {name: getattr(row, name) for name in found})
        self.assertEqual((row.object_id, row.created_at), ("!", made + timedelta(milliseconds=1)))
        self.assertEqual(prepared.object(key="first", words="?").object_id, "!?")
        self.assertEqual(self.stored("other")["object_id"], "")
        self.assertIsNone(prepared.object(key="nobody", words="!"))

    @staticmethod
    def later() -> tuple[models.QuerySet[Any, Any], dict[str, Any]]:
        words = Slot("words", models.CharField())
        rows = IdempotentWrite.objects.filter(key=Slot("key", models.CharField()))
        moved = F("created_at") + timedelta(milliseconds=1)
        return rows, {"object_id": Concat("object_id", words), "created_at": moved}
