"""Counts of people that read no row of theirs: they are what counting would say, whoever writes, and how."""

from __future__ import annotations

import re
from threading import Thread
from typing import TYPE_CHECKING, Any, Final
from unittest import skipUnless

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Sum
from django.test import TestCase, TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from core.periodic import run_job
from core.roles import Role
from core.tallies import Keep
from core.tally_keeper import settle
from core.testing import in_parallel, plan_of
from users.models import Headcount, User
from users.models.headcounts import HEADCOUNTS, headcounts
from users.services.erasure import erase_person
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from rest_framework.test import APIClient

KIND: Final = ("role", "status", "track")
NOTHING_TO_DO: Final = {"mended": 0, "folded": 0}
INSERT: Final = """
INSERT INTO users (username, password, is_superuser, first_name, last_name, is_staff, is_active, date_joined,
                   email, role, track, status, sign_outs)
SELECT 'raw' || n, '!', false, '', '', false, true, now(), 'raw' || n || '@example.org', 'mentor', 'BRA',
       'active', 0 FROM generate_series(1, 7) n
"""


def told() -> dict[Any, int]:
    """Return what the rows come to, but for what comes to nothing."""
    sums = Headcount.objects.values_list(*KIND).annotate(number=Sum("people")).exclude(number=0)
    return {tuple(kind): number for *kind, number in sums}


def counted() -> dict[Any, int]:
    rows = User.objects.order_by().values_list(*KIND).annotate(number=Count("pk"))
    return {tuple(kind): number for *kind, number in rows}


def asked_by(client: APIClient, name: str, params: dict[str, str]) -> list[str]:
    """Return the SQL of a request, but for who asks."""
    with CaptureQueriesContext(connection) as captured:
        client.get(reverse(f"admin_panel:{name}"), params)
    return [query["sql"] for query in captured.captured_queries[1:]]


def run(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.rowcount)


class OnEitherDatabaseTests(TestCase):
    def test_they_are_narrowed_as_people_are_and_added_up(self) -> None:
        make_admin(track="AUS-NSW")
        for _ in range(2):
            make_user(track="aus-nsw")
        nsw = headcounts().filter(track__iexact="AUS-NSW")

        self.assertEqual(headcounts().aggregate(n=Sum("people"))["n"], 3)
        self.assertEqual(nsw.filter(role=Role.STUDENT).aggregate(n=Sum("people"))["n"], 2)

    def test_nobody_is_none_and_not_nothing(self) -> None:
        client = signed_in_client(make_admin())
        for params in ({"role": "mentor"}, {"track": "x"}, {"role": "mentor", "page": "last"}):
            with self.subTest(params):
                self.assertEqual(client.get(reverse("admin_panel:user-list"), params).json()["count"], 0)

    def test_a_track_that_nobody_is_on_any_more_is_no_choice(self) -> None:
        client, url = signed_in_client(make_admin()), reverse("admin_panel:user-filters")
        ada = make_user(track="Brazil")
        make_user(track="brazil")
        self.assertEqual([track.lower() for track in client.get(url).json()["tracks"]], ["brazil"])

        ada.delete()
        self.assertEqual(client.get(url).json()["tracks"], ["brazil"])
        User.objects.filter(track="brazil").update(track="Peru")
        self.assertEqual(client.get(url).json()["tracks"], ["Peru"])

    def test_the_job_is_run_by_its_name(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            run_job.call(name="settle_tallies")
        self.assertEqual(settle(HEADCOUNTS), NOTHING_TO_DO)


@skipUnless(connection.vendor == "postgresql", "SQLite counts people themselves.")
class WrittenByTheDatabaseTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin(track="AUS-NSW")
        self.ada = make_user(track="AUS-NSW")

    def tearDown(self) -> None:
        self.assertEqual(told(), counted())

    def rows_of(self, call: Any) -> int:
        """Return how many rows something writes."""
        before = Headcount.objects.count()
        call()
        return Headcount.objects.count() - before

    def test_people_come_one_by_one_and_many_at_once(self) -> None:
        self.assertEqual(self.rows_of(make_user), 1)
        many = [User(username=f"u{n}", email=f"u{n}@example.org", track="BRA") for n in range(30)]
        self.assertEqual(self.rows_of(lambda: User.objects.bulk_create(many)), 1)
        self.assertEqual(told()[Role.STUDENT, "pending", "BRA"], 30)

    def test_they_change_one_by_one_and_many_at_once(self) -> None:
        self.ada.role = Role.MENTOR
        self.assertEqual(self.rows_of(self.ada.save), 2)
        self.assertEqual(self.rows_of(lambda: User.objects.update(status="inactive")), 4)
        self.assertEqual(self.rows_of(lambda: User.objects.filter(pk=self.ada.pk).update(track="É")), 2)
        self.assertEqual(told()[Role.MENTOR, "inactive", "É"], 1)

    def test_what_changes_nothing_of_it_writes_nothing(self) -> None:
        self.ada.first_name = "Ada"
        for call in (
            self.ada.save,
            lambda: User.objects.update(sign_outs=3),
            lambda: User.objects.none().delete(),
            lambda: run("UPDATE users SET track = 'x' WHERE false"),
            lambda: run("DELETE FROM users WHERE false"),
        ):
            self.assertEqual(self.rows_of(call), 0)

    def test_they_go_one_by_one_and_many_at_once(self) -> None:
        make_user()
        self.assertEqual(self.rows_of(self.ada.delete), 1)
        self.assertEqual(self.rows_of(lambda: User.objects.all().delete()), 2)
        self.assertEqual(told(), {})

    def test_whoever_is_erased_goes(self) -> None:
        erase_person(self.ada, by=self.admin)
        self.assertEqual(sum(told().values()), 1)

    def test_what_is_written_by_hand_counts(self) -> None:
        run(INSERT)
        self.assertEqual(told()["mentor", "active", "BRA"], 7)
        run("UPDATE users SET track = 'PER' WHERE username IN ('raw1', 'raw2')")
        run("DELETE FROM users WHERE username IN ('raw2', 'raw3')")
        self.assertEqual((told()["mentor", "active", "BRA"], told()["mentor", "active", "PER"]), (4, 1))

    def test_what_is_written_or_else_changed_counts_once(self) -> None:
        run(INSERT)
        run(f"{INSERT} ON CONFLICT (email) DO UPDATE SET track = 'PER'")
        self.assertEqual(told()["mentor", "active", "PER"], 7)

    def test_what_is_taken_back_does_not_count(self) -> None:
        before = Headcount.objects.count()
        with self.assertRaises(IntegrityError), transaction.atomic():
            make_user()
            make_user(email=self.ada.email)
        self.assertEqual(Headcount.objects.count(), before)

    def test_an_emptied_table_has_nobody(self) -> None:
        run("SET CONSTRAINTS ALL IMMEDIATE")
        run("TRUNCATE users CASCADE")
        self.assertEqual((told(), Headcount.objects.count()), ({}, 0))
        make_user()

    def test_rows_are_put_together(self) -> None:
        for _ in range(5):
            make_user()
        User.objects.filter(pk=self.ada.pk).update(track="BRA")
        before = told()

        self.assertEqual(settle(HEADCOUNTS), {"mended": 0, "folded": 7})
        self.assertEqual(told(), before)
        self.assertEqual(Headcount.objects.count(), len(before))
        self.assertEqual(settle(HEADCOUNTS), NOTHING_TO_DO)

    def test_what_is_not_true_is_mended_and_told(self) -> None:
        Headcount.objects.filter(role=Role.ADMIN).delete()
        Headcount.objects.create(role=Role.STUDENT, status="pending", track="AUS-NSW", people=4)
        Headcount.objects.create(role="nobody", status="pending", track="", people=1)

        with self.assertLogs("core.tally_keeper", "WARNING") as log:
            self.assertEqual(settle(HEADCOUNTS), {"mended": 3, "folded": 5})

        self.assertEqual(
            [(one.getMessage(), vars(one)["tally"], vars(one)["mended"]) for one in log.records],
            [("tally_was_wrong", "users_headcount", 3)],
        )
        with self.assertNoLogs("core.tally_keeper"):
            self.assertEqual(settle(HEADCOUNTS), NOTHING_TO_DO)

    def test_an_admins_list_and_the_numbers_read_no_row_of_people_to_count_them(self) -> None:
        client = signed_in_client(self.admin)
        for name, params, pages in (
            ("user-list", {}, 1),
            ("user-list", {"role": "student", "status": "pending", "track": "aus-nsw"}, 1),
            ("user-list", {"page": "last"}, 1),
            ("stats", {}, 0),
            ("stats", {"track": "AUS-NSW"}, 0),
            ("user-filters", {}, 0),
        ):
            with self.subTest(name, params=params):
                plans = "\n".join(plan_of(sql) for sql in asked_by(client, name, params))
                self.assertEqual(len(re.findall(r" on users\b", plans)), pages, plans)
                self.assertIn(" on users_headcount", plans)


@skipUnless(connection.vendor == "postgresql", "SQLite has one writer.")
class ManyWritersTests(TransactionTestCase):
    def tearDown(self) -> None:
        self.assertEqual(told(), counted())

    def test_nobody_waits_for_somebody_who_has_not_committed(self) -> None:
        with transaction.atomic():
            make_user(track="BRA")
            other = Thread(target=in_parallel, args=(lambda _: make_user(track="BRA"), 4))
            other.start()
            other.join(timeout=20)
            self.assertFalse(other.is_alive())
            run("SELECT 1")

        self.assertEqual(told()[Role.STUDENT, "pending", "BRA"], 5)

    def test_what_is_under_way_is_neither_mended_nor_folded(self) -> None:
        make_user(track="BRA")
        with transaction.atomic():
            make_user(track="BRA")
            (settled,) = in_parallel(lambda _: settle(HEADCOUNTS), 1)
            self.assertEqual(settled, NOTHING_TO_DO)

        self.assertEqual(settle(HEADCOUNTS), {"mended": 0, "folded": 2})

    def test_whoever_mends_at_once_mends_once(self) -> None:
        for _ in range(9):
            make_user(track="BRA")
        Headcount.objects.all().delete()

        results = in_parallel(lambda _: settle(HEADCOUNTS), 8)

        self.assertEqual(sum(one["mended"] for one in results), 1)
        self.assertEqual(Headcount.objects.count(), 1)

    def test_it_is_true_while_all_write_and_settle_at_once(self) -> None:
        people = [make_user(track=f"T{n}") for n in range(4)]

        def work(number: int) -> None:
            for n in range(12):
                settle(HEADCOUNTS)
                User.objects.filter(pk=people[number % 4].pk).update(track=f"T{n % 5}", role=Role.MENTOR)
                make_user(track=f"T{number}").delete()

        self.assertEqual(in_parallel(work, 6), [None] * 6)
        self.assertEqual(settle(HEADCOUNTS)["mended"], 0)

    def test_whoever_was_there_before_the_migration_is_counted_and_the_way_back_leaves_nothing(self) -> None:
        with connection.schema_editor() as editor:
            Keep(HEADCOUNTS).database_backwards("users", editor)
        self.assertEqual(
            run("SELECT 1 FROM pg_trigger WHERE tgrelid = 'users'::regclass AND NOT tgisinternal"), 0
        )
        make_admin()
        make_user(track="BRA")
        self.assertEqual(told(), {})

        with connection.schema_editor() as editor:
            Keep(HEADCOUNTS).database_forwards("users", editor)

        self.assertEqual(told(), counted())
        make_user(track="BRA")
