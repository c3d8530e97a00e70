"""PostgreSQL behind a pooler in transaction mode (DB_POOLED): nothing counts on a session of one's own."""

from __future__ import annotations

import os
from unittest import skipUnless
from unittest.mock import patch

from django.core.management import CommandError, call_command
from django.db import connection
from django.test import SimpleTestCase, TestCase

from btf_backend import stores
from core import locks


class PooledTests(SimpleTestCase):
    def test_without_a_pooler_sessions_bring_limits_and_cursors(self) -> None:
        with patch.dict(os.environ, {"DB_POOLED": ""}):
            store = stores.postgresql()
        self.assertFalse(store["DISABLE_SERVER_SIDE_CURSORS"])
        self.assertIn("statement_timeout=30s", store["OPTIONS"]["options"])

    def test_behind_one_there_are_neither(self) -> None:
        """A pooler refuses a client that asks for options, and hands a cursor's session to the next one."""
        with patch.dict(os.environ, {"DB_POOLED": "true"}):
            store = stores.postgresql()
        self.assertTrue(store["DISABLE_SERVER_SIDE_CURSORS"])
        self.assertNotIn("options", store["OPTIONS"])


class PooledLockTests(TestCase):
    def test_no_lock_is_left_on_a_session_that_is_somebody_elses_next(self) -> None:
        pooled = patch.dict(connection.settings_dict, {"DISABLE_SERVER_SIDE_CURSORS": True})
        with pooled, self.assertNumQueries(0), locks.held_if_free("a job") as is_free:
            self.assertIsNone(is_free)

    @skipUnless(connection.vendor == "postgresql", "SQLite migrates without locks.")
    def test_migrate_says_where_it_must_go_instead_of_waiting_for_nobody(self) -> None:
        pooled = patch.dict(connection.settings_dict, {"DISABLE_SERVER_SIDE_CURSORS": True})
        with pooled, self.assertRaisesMessage(CommandError, "point DB_HOST and DB_PORT at PostgreSQL itself"):
            call_command("migrate", skip_checks=True)
