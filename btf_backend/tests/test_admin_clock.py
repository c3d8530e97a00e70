"""Every page of the admin site shows and reads times by the programme's clock, and says which that is."""

from __future__ import annotations

import datetime as dt

from django.test import TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from announcements.models import Announcement
from announcements.tests.factories import make_announcement
from core.models import PeriodicRun
from core.testing import context_of
from groups.models import Task
from groups.tests.factories import make_group, make_milestone, make_task
from users.tests.factories import make_superuser

NEWS = "admin:announcements_announcement_"
EIGHT = dt.datetime(2031, 12, 5, 8, tzinfo=dt.UTC)  # 19:00 in Sydney
CLOCK = "Times are by the clock of Australia/Sydney."


@override_settings(PROGRAMME_TIME_ZONE="Australia/Sydney")
class ClockTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(make_superuser())

    def test_a_list_a_row_and_the_start_page_say_the_zone_once(self) -> None:
        news = make_announcement()
        for page in (
            reverse("admin:index"),
            reverse(f"{NEWS}changelist"),
            reverse(f"{NEWS}change", args=[news.pk]),
            reverse(f"{NEWS}mail", args=[news.pk]),
            reverse("admin:users_peopleimport_add"),
        ):
            with self.subTest(page):
                self.assertContains(self.client.get(page), CLOCK, count=1)

    def test_whoever_is_not_in_is_told_no_clock(self) -> None:
        self.client.logout()

        self.assertNotContains(self.client.get(reverse("admin:index"), follow=True), "by the clock of")

    def test_times_are_shown_by_it_in_lists_and_rows(self) -> None:
        run = PeriodicRun.objects.create(name="job", due_at=EIGHT)

        for page in ("changelist", "change"):
            args = [run.pk] if page == "change" else []
            with self.subTest(page):
                shown = self.client.get(reverse(f"admin:core_periodicrun_{page}", args=args))
                self.assertContains(shown, "Dec. 5, 2031, 7 p.m.")

    def test_a_time_that_is_typed_is_read_by_it_and_its_help_says_so(self) -> None:
        shown = self.client.get(reverse(f"{NEWS}add"))
        sent = {"title": "News", "summary": "s", "audience": "all", "author": "Us"}
        sent |= {
            "publish_at_0": "2031-12-05",
            "publish_at_1": "19:00",
            "expires_at_0": "",
            "expires_at_1": "",
        }

        self.client.post(reverse(f"{NEWS}add"), sent)

        self.assertContains(shown, "Nobody but admins sees it before. By the clock of Australia/Sydney.")
        self.assertContains(shown, 'data-admin-utc-offset="', count=1)
        self.assertNotContains(shown, 'data-admin-utc-offset="0"')
        self.assertEqual(Announcement.objects.get().publish_at, EIGHT)

    def test_days_above_a_list_are_its_days(self) -> None:
        late = make_announcement()
        Announcement.objects.filter(pk=late.pk).update(created_at=dt.datetime(2031, 1, 31, 20, tzinfo=dt.UTC))
        by_month = f"{reverse(f'{NEWS}changelist')}?created_at__year=2031&created_at__month="

        self.assertEqual(context_of(self.client, f"{by_month}2")["cl"].result_count, 1)
        self.assertEqual(context_of(self.client, f"{by_month}1")["cl"].result_count, 0)

    def test_what_follows_in_the_same_thread_is_in_utc_again(self) -> None:
        for page in (reverse("admin:index"), reverse(f"{NEWS}change", args=[2**40])):
            self.client.get(page)
            self.assertEqual(timezone.get_current_timezone_name(), "UTC")

    def test_overdue_means_the_same_as_over_the_api(self) -> None:
        make_task(make_milestone(make_group()), due_date=timezone.now().date())
        with timezone.override("Pacific/Kiritimati"), self.subTest("14 hours ahead"):
            self.assertFalse(Task.objects.filter(Task.is_overdue()).exists())
        with timezone.override("Pacific/Pago_Pago"):
            self.assertFalse(Task.objects.filter(Task.is_overdue()).exists())
