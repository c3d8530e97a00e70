"""The audit log at the admin site: it is narrowed by what the product writes, and nobody changes it."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import AuditEvent
from core.testing import context_of
from users.tests.factories import make_superuser

LIST = reverse("admin:core_auditevent_changelist")


class AuditListTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(make_superuser())
        AuditEvent.objects.create(action="people_exported")
        AuditEvent.objects.create(action="user_changed", object_type="users.user", object_id="7")
        AuditEvent.objects.create(action="user_deleted", object_type="users.user", object_id="8")

    def actions(self, **query: Any) -> list[str]:
        return sorted(row.action for row in context_of(self.client, LIST, query)["cl"].queryset)

    def test_it_is_narrowed_by_action_and_by_kind_of_thing(self) -> None:
        everything = ["people_exported", "user_changed", "user_deleted"]
        for query, found in (
            ({"action": "people_exported"}, everything[:1]),
            ({"object_type": "users.user"}, everything[1:]),
            ({"object_type": "users.user", "action": "user_deleted"}, everything[2:]),
            ({"action": "x", "object_type": "y"}, everything),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.actions(**query), found)

    def test_what_it_offers_is_not_looked_for_in_the_log(self) -> None:
        with CaptureQueriesContext(connection) as captured:
            self.client.get(LIST)

        looked = [query["sql"] for query in captured if "DISTINCT" in query["sql"]]
        self.assertEqual([sql for sql in looked if '"action"' in sql or '"object_type"' in sql], [])
