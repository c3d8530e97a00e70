"""Queries that are put into words once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import time_machine
from django.contrib.auth import get_user_model
from django.db import connection, models
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from core.models import Upload
from core.prepared import Prepared, Slot, this_moment


class PreparedTests(TestCase):
    """One query, asked with several values."""

    ada: Any

    @classmethod
    def setUpTestData(cls) -> None:
        cls.ada = get_user_model().objects.create_user(email="ada@school.example")
        made = now() - timedelta(days=1)
        for number in range(3):
            Upload.objects.create(
                owner=cls.ada if number else None,
                key=f"{number}",
                filename="É.pdf",
                size=number,
                created_at=made,
            )

    def setUp(self) -> None:
        self.asked = 0

    def uploads(self) -> models.QuerySet[Upload]:
        self.asked += 1
        larger = Upload.objects.filter(size__gte=Slot("size", models.BigIntegerField()))
        older = larger.filter(created_at__lt=Slot("before", models.DateTimeField()))
        return older.select_related("owner").annotate(double=models.F("size") * 2).order_by("size")

    def test_instances_are_those_of_the_queryset(self) -> None:
        prepared, at = Prepared(self.uploads), now()
        for size in (0, 2, 9):
            expected = list(
                Upload.objects.filter(size__gte=size).select_related("owner").order_by("size").values()
            )
            with (
                self.subTest(size=size),
                CaptureQueriesContext(
                    connection,
                ) as asked,
            ):
                found = prepared.objects(size=size, before=at)
                owners = [upload.owner for upload in found]
            self.assertEqual(len(asked), 1)
            self.assertEqual([upload.double for upload in found], [row["size"] * 2 for row in expected])
            self.assertEqual(
                [getattr(owner, "pk", None) for owner in owners], [r["owner_id"] for r in expected]
            )
            for upload, row in zip(found, expected, strict=True):
                self.assertEqual({name: getattr(upload, name) for name in row}, row)
        self.assertEqual(self.asked, 1)

    def test_one_instance_or_none(self) -> None:
        prepared, at = Prepared(self.uploads), now()
        first = prepared.object(size=1, before=at)
        self.assertEqual(first.key, "1")
        self.assertFalse(first._state.adding)
        self.assertIsNone(prepared.object(size=9, before=at))
        self.assertIsNone(prepared.object(size=0, before=at - timedelta(days=2)))

    def test_rows_are_those_of_values_list(self) -> None:
        prepared = Prepared(lambda: self.uploads().values_list("key", "created_at", "double"))  # type: ignore[misc]  # an annotation
        expected = Upload.objects.filter(size__gte=1).order_by("size").values_list("key", "created_at")
        rows = prepared.rows(size=1, before=now())
        self.assertEqual([(row[0], row[1]) for row in rows], list(expected))
        self.assertEqual([row[2] for row in rows], [2, 4])
        self.assertIsNone(prepared.row(size=9, before=now()))

    def test_a_value_is_never_taken_for_sql(self) -> None:
        prepared = Prepared(lambda: Upload.objects.filter(key=Slot("key", models.CharField())))
        self.assertEqual(prepared.objects(key="' OR '1'='1"), [])
        self.assertEqual(prepared.objects(key="%s"), [])

    def test_a_value_that_is_missing_is_an_error(self) -> None:
        with self.assertRaises(KeyError):
            Prepared(self.uploads).rows(size=1)

    def test_what_never_changes_stands_in_the_words_where_plans_are_kept(self) -> None:
        same = Upload.objects.filter(size__gte=Slot("size", models.BigIntegerField()), filename__contains="%")
        prepared = Prepared(lambda: same.exclude(key="' %s"))
        Upload.objects.create(key="sale", filename="50 %", size=5)

        self.assertEqual([upload.key for upload in prepared.objects(size=1)], ["sale"])
        self.assertEqual(prepared.objects(size=9), [])
        if connection.vendor == "postgresql":
            self.assertEqual([slot.name for slot in prepared.words.parameters], ["size"])

    def test_what_nobody_can_find_is_not_asked_for(self) -> None:
        with self.assertNumQueries(0):
            for rows in (Upload.objects.none(), Upload.objects.filter(key__in=[])):
                prepared = Prepared(rows.select_related("owner").all)
                self.assertEqual((prepared.rows(), prepared.objects(), prepared.count()), ([], [], 0))
                self.assertEqual((prepared.first_rows(5), prepared.window(5, 5)), ([], []))
                self.assertEqual((prepared.row(), prepared.object()), (None, None))


class MomentTests(TestCase):
    """What is compared with the clock."""

    def setUp(self) -> None:
        for hours in (1, 3):
            Upload.objects.create(
                key=f"{hours}", filename="a", size=1, created_at=now() + timedelta(hours=hours)
            )

    def test_it_is_read_each_time_a_query_is_asked(self) -> None:
        ahead = Prepared(lambda: Upload.objects.filter(created_at__gt=this_moment()))

        self.assertEqual(ahead.count(), 2)
        with time_machine.travel(now() + timedelta(hours=2)):
            self.assertEqual(ahead.count(), 1)

    def test_a_moment_that_would_stand_still_is_refused(self) -> None:
        for name, moment in (("created_at", now()), ("created_at__date", now().date())):
            frozen = Upload.objects.filter(**{f"{name}__gt": moment})
            with self.subTest(name), self.assertRaises(TypeError):
                Prepared(frozen.all).rows()

    def test_other_words_are_none(self) -> None:
        for words in ("2026", "2026-01-01 a.pdf", "notes of 2026-01-01"):
            with self.subTest(words):
                self.assertEqual(Prepared(Upload.objects.filter(filename=words).all).rows(), [])

    def test_its_day_is_a_place_too(self) -> None:
        today = Prepared(lambda: Upload.objects.filter(created_at__date__gte=this_moment().date()))

        self.assertEqual(today.count(), 2)
