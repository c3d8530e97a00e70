"""What a restored database is compared by says the same on every version of PostgreSQL."""

from __future__ import annotations

from unittest import skipUnless

from django.db import connection
from django.test import TestCase

from core.recovery import measure


@skipUnless(connection.vendor == "postgresql", "Backups are of PostgreSQL.")
class StructureTests(TestCase):
    def after(self, *statements: str) -> list[str]:
        """Run statements, and return which kinds of names are not what they were."""
        with connection.cursor() as cursor:
            before = measure.structure(cursor)
            for statement in statements:
                cursor.execute(statement)
            return measure.differences(before, measure.structure(cursor))

    def test_a_column_says_its_type_and_whether_it_may_be_empty(self) -> None:
        for change in (
            "ALTER COLUMN first_name DROP NOT NULL",
            "ALTER COLUMN first_name TYPE varchar(7)",
            "ADD COLUMN shoe_size integer",
            "DROP COLUMN first_name",
        ):
            with self.subTest(change):
                self.assertIn("columns", self.after(f"ALTER TABLE users {change}"))

    def test_a_column_that_was_dropped_and_made_again_is_what_it_was(self) -> None:
        self.assertEqual(
            self.after(
                "ALTER TABLE users ADD COLUMN shoe_size integer",
                "ALTER TABLE users DROP COLUMN shoe_size",
            ),
            [],
        )

    def test_not_null_is_no_constraint_by_name(self) -> None:
        """PostgreSQL 18 lists it as one (contype n): a backup of 17 would not equal what 18 makes of it."""
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE users ADD CONSTRAINT named CHECK (first_name IS NOT NULL)")
        as_18_lists_it = "UPDATE pg_constraint SET contype = 'n' WHERE conname = 'named'"

        self.assertEqual(self.after(as_18_lists_it), ["constraints"])

        with connection.cursor() as cursor:
            self.assertNotIn(["users", "named"], measure.structure(cursor)["constraints"])
