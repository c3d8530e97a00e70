"""Counts of groups that read no row of theirs: they are what counting would say, whoever writes, and how."""

from __future__ import annotations

from typing import Any
from unittest import skipUnless

from django.db import connection
from django.db.models import Count, Sum
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from authentication.tests.signing_in import signed_in_client
from core.tally_keeper import settle, settle_tallies
from groups.models import Group, GroupCount
from groups.models.counts import GROUP_COUNTS
from groups.tests.factories import make_group
from users.tests.factories import make_admin, make_user


def told() -> dict[Any, int]:
    sums = GroupCount.objects.values_list("status", "track").annotate(n=Sum("groups")).exclude(n=0)
    return {(status, track): n for status, track, n in sums}


def counted() -> dict[Any, int]:
    rows = Group.objects.order_by().values_list("status", "track").annotate(n=Count("pk"))
    return {(status, track): n for status, track, n in rows}


class ActiveGroupsTests(TestCase):
    """What the cards say, on either database."""

    def active(self, **params: str) -> int:
        body = signed_in_client(self.admin).get(reverse("admin_panel:stats"), params).json()
        return int(body["activeGroups"])

    def setUp(self) -> None:
        self.admin = make_admin()

    def test_none_is_zero(self) -> None:
        self.assertEqual((self.active(), self.active(track="BRA")), (0, 0))

    def test_archived_ones_do_not_count_until_they_are_back(self) -> None:
        group = make_group(track="BRA")
        make_group(status="ACTIVE", track="bra")
        self.assertEqual((self.active(), self.active(track="Bra")), (2, 2))

        group.archived_at = timezone.now()
        group.save()
        self.assertEqual(self.active(), 1)
        Group.everything.update(archived_at=None, status="done")
        self.assertEqual(self.active(), 0)


@skipUnless(connection.vendor == "postgresql", "SQLite counts groups themselves.")
class WrittenByTheDatabaseTests(TestCase):
    def tearDown(self) -> None:
        self.assertEqual(told(), counted())
        with self.assertNoLogs("core.tally_keeper"):
            self.assertEqual(settle(GROUP_COUNTS)["mended"], 0)

    def test_they_come_change_are_archived_and_go(self) -> None:
        first, second = make_group(track="BRA"), make_group(track="BRA", members=[make_user()])
        self.assertEqual(told(), {("active", "BRA"): 2})

        Group.objects.filter(pk=first.pk).update(archived_at=timezone.now())
        self.assertEqual(told(), {("active", "BRA"): 1})
        Group.everything.filter(pk=first.pk).update(track="PER", status="x")
        self.assertEqual(told(), {("active", "BRA"): 1})
        Group.everything.get(pk=first.pk).delete()
        second.track = ""
        second.save()
        self.assertEqual(told(), {("active", ""): 1})

    def test_what_changes_nothing_of_it_writes_nothing(self) -> None:
        group = make_group()
        before = GroupCount.objects.count()
        group.name = "Cells"
        group.save()
        self.assertEqual(GroupCount.objects.count(), before)

    def test_the_job_settles_all_tallies(self) -> None:
        for track in ("BRA", "BRA", "PER"):
            make_group(track=track)
            make_user(track=track)
        GroupCount.objects.create(status="active", track="BRA", groups=3)

        with self.assertLogs("core.tally_keeper", "WARNING") as log:
            self.assertEqual(settle_tallies(), {"mended": 1, "folded": 6})
        self.assertEqual(vars(log.records[0])["tally"], "groups_groupcount")
        self.assertEqual(settle_tallies(), {"mended": 0, "folded": 0})
