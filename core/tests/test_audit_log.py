"""The audit log over the API: what a row says, how it is narrowed, and that nobody writes (SAFETY B40)."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import skipUnless

from django.conf import settings
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from core import audit
from core.audit_log.filters import ACTIONS
from core.models import AuditEvent
from core.testing import count_rows_anew, plan_of
from users.models import StudentSupervisor
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = reverse("admin_panel:audit-list")
NEWEST_FIRST = 'ORDER BY "core_auditevent"."at" DESC'
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class AuditLogTestCase(TestCase):
    """An admin reads. Their own sign-in is an event as well."""

    client: APIClient

    def setUp(self) -> None:
        self.admin = make_admin(first_name="Grace", last_name="Hopper")
        self.client = signed_in_client(self.admin)

    def read(self, **params: Any) -> Any:
        response = self.client.get(URL, params)
        self.assertEqual(response.status_code, 200, response.content)
        return response.json()

    def found(self, **params: Any) -> list[int]:
        return [row["id"] for row in self.read(**params)["results"]]


class RowTests(AuditLogTestCase):
    def test_a_row_names_who_did_what_to_whom(self) -> None:
        ada = make_user(first_name="Ada", last_name="Lovelace")
        event = AuditEvent.objects.create(
            at=NOON,
            actor_id=self.admin.pk,
            action="user_changed",
            object_type="users.user",
            object_id=str(ada.pk),
            changes={"role": ["student", "mentor"], "bio": True},
            request_id="request-0001",
            address="2001:db8::1",
        )

        body = self.read(action="user_changed")

        expected = {
            "id": event.pk,
            "at": "2026-03-02T12:00:00Z",
            "action": "user_changed",
            "actor": {"id": self.admin.pk, "name": "Grace Hopper"},
            "object": {"type": "users.user", "id": str(ada.pk), "name": "Ada Lovelace"},
            "changes": {"role": ["student", "mentor"], "bio": True},
            "requestId": "request-0001",
            "address": "2001:db8::1",
        }
        self.assertEqual(body, {"count": 1, "next": None, "previous": None, "results": [expected]})

    def test_who_is_gone_is_a_former_member(self) -> None:
        ada = make_user(first_name="Ada")
        audit.record("left", actor=ada, target=ada)
        pk = ada.pk
        ada.delete()

        (row,) = self.read(action="left")["results"]

        self.assertEqual(row["actor"], {"id": pk, "name": "Former member"})
        self.assertEqual(row["object"], {"type": "users.user", "id": str(pk), "name": "Former member"})

    def test_what_is_no_person_has_no_name_and_the_system_is_no_actor(self) -> None:
        audit.record("pruned", target=StudentSupervisor(pk=self.admin.pk))
        audit.record("woken")

        link, nothing = self.read(action="pruned")["results"] + self.read(action="woken")["results"]

        named = {"type": "users.studentsupervisor", "id": str(self.admin.pk), "name": None}
        self.assertEqual((link["actor"], link["object"]), (None, named))
        self.assertEqual(nothing["object"], {"type": "", "id": "", "name": None})

    def test_the_newest_comes_first_and_of_one_moment_the_last_written(self) -> None:
        moments = [NOON, NOON + timedelta(days=1), NOON, NOON - timedelta(days=1)]
        rows = [AuditEvent.objects.create(action="made", at=at).pk for at in moments]

        self.assertEqual(self.found(action="made"), [rows[1], rows[2], rows[0], rows[3]])

    def test_a_page_costs_the_same_for_1_and_for_100_events(self) -> None:
        people = [make_user() for _ in range(20)]
        for number in range(100):
            audit.record("made", actor=people[number % 20], target=people[number % 19])

        for size in (1, 100):
            with self.subTest(size=size), self.assertNumQueries(4):
                self.assertEqual(len(self.found(action="made", page_size=size)), size)

    def test_nothing_found_is_an_empty_page(self) -> None:
        self.assertEqual(self.read(action="nothing")["results"], [])


class FilterTests(AuditLogTestCase):
    def setUp(self) -> None:
        super().setUp()
        fields: dict[str, list[Any]] = {
            "action": ["a_one", "a_two"],
            "actor_id": [7_000_001, 7_000_002],
            "object_type": ["x.one", "x.two"],
            "object_id": ["8000001", "8000002"],
            "request_id": ["one-00001", "two-00002"],
            "address": ["192.0.2.1", "2001:db8::2"],
            "at": [NOON, NOON + timedelta(days=1)],
        }
        self.first, self.second = (
            AuditEvent.objects.create(**{name: values[number] for name, values in fields.items()}).pk
            for number in (0, 1)
        )

    def test_each_parameter_narrows(self) -> None:
        for name, value in {
            "action": "a_two",
            "actor": "7000002",
            "objectType": "x.two",
            "objectId": "8000002",
            "requestId": "two-00002",
            "address": "2001:0DB8:0::2",
        }.items():
            with self.subTest(name):
                self.assertEqual(self.found(**{name: value}), [self.second])
        self.assertEqual(self.found(address="192.0.2.1", action="a_one"), [self.first])
        self.assertEqual(self.found(address="192.0.2.1", action="a_two"), [])

    def test_a_span_of_time_holds_both_its_ends(self) -> None:
        both = [self.second, self.first]
        for since, until, expected in (
            ("2026-03-02", "2026-03-03", both),
            ("2026-03-02", "2026-03-02", [self.first]),
            ("2026-03-03", "2026-03-03", [self.second]),
            ("2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z", both),
            ("2026-03-02T12:00:00.000001Z", "2026-03-03T12:00:00Z", [self.second]),
            ("2026-03-02T12:00:00Z", "2026-03-03T11:59:59.999999Z", [self.first]),
            ("2026-03-02T22:00:00+10:00", "2026-03-02T22:00:00+10:00", [self.first]),
            ("2026-03-04", "2026-03-01", []),
            ("0001-01-01", "9999-12-31", [*self.found(since="2026-03-04"), *both]),
        ):
            with self.subTest(since=since, until=until):
                self.assertEqual(self.found(since=since, until=until), expected)

    def test_a_blank_parameter_is_passed_over(self) -> None:
        blank = dict.fromkeys(("action", "actor", "objectType", "objectId", "requestId", "address"), "")

        self.assertEqual(len(self.found(**blank, since="", until=" ")), 3)

    def test_what_cannot_be_is_refused_by_name(self) -> None:
        times = (
            *("yesterday", "2026-02-30", "2026-03-02T12:00:00", "2026-03-02T25:00:00Z", "1772452800"),
            *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-02\0"),
        )
        refused = {
            "since": times,
            "until": times,
            "actor": ("x", "0", "-1", "1.5", str(2**63), "9" * 5_000),
            "address": ("x", "192.0.2", "192.0.2.1/24", "192.0.2.1\0", "2001:db8::g"),
            "action": ("a\0",),
            "objectId": ("a\0",),
            "objectType": ("a\0",),
            "requestId": ("a\0",),
        }
        for name, values in refused.items():
            for value in values:
                with self.subTest(name, value=value[:30]):
                    response = self.client.get(URL, {name: value})
                    self.assertEqual((response.status_code, list(response.json())[:1]), (400, [name]))

    def test_every_action_in_the_code_is_named_in_the_documentation(self) -> None:
        self.assertEqual(sorted(set(recorded_actions())), sorted(ACTIONS))

    @skipUnless(connection.vendor == "postgresql", "EXPLAIN is read as PostgreSQL writes it.")
    def test_each_parameter_has_an_index_to_go_by(self) -> None:
        expected: tuple[tuple[dict[str, str], str], ...] = (
            ({"action": "a_two"}, "audit_by_action"),
            ({"actor": "7000002"}, "audit_by_actor"),
            ({"objectType": "x.two", "objectId": "8000002"}, "audit_by_object"),
            ({"objectId": "8000002"}, "audit_by_object_id"),
            ({"requestId": "two-00002"}, "audit_by_request"),
            ({"address": "2001:db8::2"}, "audit_by_address"),
            ({"since": "2026-03-01", "until": "2026-03-02"}, "core_auditevent_at"),
        )
        AuditEvent.objects.bulk_create(
            AuditEvent(action="x", actor_id=n, object_type="y", object_id=n, request_id=f"many-{n}", at=NOON)
            for n in range(2_000)
        )
        count_rows_anew(AuditEvent)
        for params, index in expected:
            with self.subTest(params=params):
                self.assertIn(index, self.plan(params))

    def plan(self, params: dict[str, str]) -> str:
        """Return how the page is found where the table is not read whole."""
        with CaptureQueriesContext(connection) as captured:
            self.read(**params)
        (page,) = [query["sql"] for query in captured.captured_queries if NEWEST_FIRST in query["sql"]]
        return plan_of(page, without=("seqscan", "bitmapscan"))


class WriteTests(AuditLogTestCase):
    def test_there_is_no_writing_method_and_no_page_of_one_event(self) -> None:
        for method in ("post", "put", "patch", "delete"):
            with self.subTest(method):
                self.assertEqual(getattr(self.client, method)(URL, {}, format="json").status_code, 405)
                self.assertEqual(getattr(self.client, method)(f"{URL}1/", {}, format="json").status_code, 404)
        self.assertEqual(self.client.get(f"{URL}1/").status_code, 404)

    def test_it_is_for_platform_admins(self) -> None:
        for status, client in ((401, APIClient()), (403, signed_in_client(make_user(is_staff=True)))):
            with self.subTest(status):
                self.assertEqual(client.get(URL).status_code, status)

    def test_reading_leaves_no_trace(self) -> None:
        before = AuditEvent.objects.count()
        self.read()

        self.assertEqual(AuditEvent.objects.count(), before)


def recorded_actions() -> Iterator[str]:
    """Yield what the product's code records: texts given to a ``record``, and as ``reason=``."""
    root = Path(settings.BASE_DIR)
    for path in root.glob("[!.]*/**/*.py"):
        code = "" if "tests" in path.parts else path.read_text()
        if "record" in code or "reason" in code:
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.Call):
                    yield from actions_in(node)


RECORDERS = {"audit.record", "audit.record_all", "self.record"}


def actions_in(call: ast.Call) -> Iterator[str]:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
    is_method = isinstance(call.func, ast.Attribute)
    given += call.args[:1] if is_method and ast.unparse(call.func) in RECORDERS else []
    for value in given:
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
            yield value.value
