"""Tallies are what migrations keep, fit what they count, and are written whoever writes."""

from __future__ import annotations

from typing import Any
from unittest import skipUnless

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.writer import OperationWriter
from django.db.models import Sum
from django.test import SimpleTestCase, TestCase

from core.tallies import Keep, Tally, tallies
from users.models import Headcount
from users.tests.factories import make_user


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


class DeclaredTests(SimpleTestCase):
    def test_each_is_what_its_last_migration_keeps(self) -> None:
        """Else the job would mend what the trigger writes, again and again."""
        loader = MigrationLoader(None)
        kept: dict[str, Tally] = {}
        for app, name in (
            key for leaf in loader.graph.leaf_nodes() for key in loader.graph.forwards_plan(leaf)
        ):
            for step in loader.disk_migrations[app, name].operations:
                if isinstance(step, Keep):
                    kept[step.tally.into] = step.tally

        self.assertEqual(sorted(kept.values()), sorted(tallies))

    def test_what_fits_the_counted_columns_fits_the_counts(self) -> None:
        """Else nobody could write a longer value, once there may be one."""
        models: dict[str, Any] = {model._meta.db_table: model for model in apps.get_models()}
        for tally in tallies:
            for column in tally.by:
                with self.subTest(tally.into, column=column):
                    counted, count = (
                        models[name]._meta.get_field(column) for name in (tally.table, tally.into)
                    )
                    self.assertEqual((type(count), count.max_length), (type(counted), counted.max_length))

    def test_one_can_be_kept_by_a_squashed_migration(self) -> None:
        for tally in tallies:
            text, imports = OperationWriter(Keep(tally), indentation=0).serialize()
            names: dict[str, Any] = {}
            exec("\n".join(imports), names)  # noqa: S102 - as Python reads a migration
            again = eval(text.rstrip(","), names)  # noqa: S307

            self.assertEqual(again.tally, tally)
            self.assertEqual(again.tally.into, tally.into)


@skipUnless(connection.vendor == "postgresql", "SQLite keeps none.")
class WhoeverWritesTests(TestCase):
    def setUp(self) -> None:
        self.ada = make_user(track="BRA")

    def people(self, track: str) -> int:
        return int(Headcount.objects.filter(track=track).aggregate(n=Sum("people", default=0))["n"])

    def test_who_may_write_people_need_not_know_of_their_counts(self) -> None:
        sql("CREATE ROLE writer NOLOGIN")
        sql("GRANT SELECT, UPDATE ON users TO writer")
        sql("SET LOCAL ROLE writer")
        sql("UPDATE users SET track = 'PER'")
        sql("RESET ROLE")

        self.assertEqual((self.people("BRA"), self.people("PER")), (0, 1))

    def test_a_table_of_the_same_name_is_not_taken_for_theirs(self) -> None:
        sql("CREATE TEMPORARY TABLE users_headcount (LIKE public.users_headcount) ON COMMIT DROP")
        sql("UPDATE users SET track = 'PER'")
        sql("DROP TABLE pg_temp.users_headcount")

        self.assertEqual((self.people("BRA"), self.people("PER")), (0, 1))
