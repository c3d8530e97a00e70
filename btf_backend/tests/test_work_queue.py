"""The work queue of the admin site: each count is right, opens its list, and equals what that shows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import TestCase, override_settings, tag
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from btf_backend.console.queue import QUEUE
from btf_backend.tests.test_admin_site import make_delivery, make_trouble
from chat.tests.factories import make_message
from core.models import Upload
from core.moments import programme_today
from core.testing import badge_counted, context_of
from groups.models import Group, Milestone, Task
from groups.models.health import SILENT_DAYS, Problem
from groups.services.health import examine, having
from groups.services.teams import archive_group
from groups.tests.factories import make_group, make_milestone, make_task
from users.models import PeopleImport, SupervisorProfile, User
from users.tests.factories import make_admin, make_link, make_superuser, make_user

if TYPE_CHECKING:
    from collections.abc import Callable


DASHBOARD: Final = reverse("admin:index")
ACTIVE, INACTIVE, PENDING = User.Status.ACTIVE, User.Status.INACTIVE, User.Status.PENDING
UNDONE: Final = PeopleImport.State.UNDONE
# Rows that an entry counts, and rows that it just does not.
Rows = tuple[list[Any], list[Any]]


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def adult(days: int | None, *, today: date | None = None, **fields: Any) -> User:
    """Return somebody whose check is good for so many more days; None: of whom no day is known."""
    person = make_user(**{"role": "mentor", "status": ACTIVE, **fields})
    expiry = None if days is None else (today or programme_today()) + timedelta(days=days)
    SupervisorProfile.objects.create(user=person, wwcc_expiry=expiry)
    return person


def student(**fields: Any) -> User:
    return make_user(**{"status": ACTIVE, **fields})


def permitted(capacity: str, *, granted: bool = True, by: str = "supervisor", **fields: Any) -> User:
    """Return a student with a link, and what was decided there."""
    person = student(**fields)
    link = {"join_permission_granted": granted, "granted_capacity": capacity}
    make_link(person, make_user(role=by, status=ACTIVE), **link)
    return person


def no_adults(days: int) -> list[User]:
    return [
        adult(days, role="student"),
        adult(days, status=INACTIVE),
        adult(days, is_active=False),
    ]


def expired(boss: User) -> Rows:
    counted = [adult(-1), adult(-400, role="supervisor"), adult(-1, status=PENDING), adult(-1, role="admin")]
    return counted, [adult(0), adult(None), *no_adults(-1)]


def ending(first: int, last: int) -> Callable[[User], Rows]:
    """Return a maker for checks that end within ``last`` days, of which no narrower entry has ``first``."""

    def make(boss: User) -> Rows:
        return [adult(0), adult(first), adult(last)], [adult(-1), adult(last + 1), *no_adults(first)]

    return make


def pending(boss: User) -> Rows:
    return [make_user(), make_user(role="mentor")], [student(), student(status=INACTIVE), make_admin()]


def without_permission(boss: User) -> Rows:
    counted = [
        student(),
        student(status=PENDING),
        permitted("", granted=False),
        permitted("student"),
        permitted("adult", by="student"),
    ]
    others = [permitted("adult"), permitted("admin"), student(status=INACTIVE), adult(None), boss]
    return counted, others


def archived(**fields: Any) -> Group:
    group = make_group(**fields)
    archive_group(group, by=make_admin())
    return group


def without_mentor(boss: User) -> Rows:
    mentor = adult(None)
    counted = [
        make_group(),
        make_group(mentor=adult(None, status=INACTIVE)),
        make_group(status="Active"),
    ]
    return counted, [make_group(mentor=mentor), make_group(status="finished"), archived()]


def silent(boss: User) -> Rows:
    old = {"created_at": ago(days=SILENT_DAYS, minutes=1)}
    at_work, planned = make_group(**old), make_group(**old)
    make_task(make_milestone(at_work))
    make_milestone(planned)
    young = make_group(created_at=ago(days=SILENT_DAYS, minutes=-1))
    others = [at_work, planned, young, archived(**old), make_group(status="finished", **old)]
    return [make_group(**old), make_group(**old)], others


def rejected(boss: User) -> Rows:
    def make(number: int, **fields: Any) -> PeopleImport:
        return PeopleImport.objects.create(created_by=boss, counts={"rejected": number}, **fields)

    almost_gone = make(1, created_at=ago(hours=23))
    written = make(2, created_at=ago(hours=30), committed_at=ago(hours=10), state="committed")
    others = [make(0), make(1, created_at=ago(hours=25)), make(1, state=UNDONE)]
    return [make(3), almost_gone, written], [*others, PeopleImport.objects.create()]


def reported(boss: User) -> Rows:
    def report(**fields: Any) -> Any:
        author = fields.pop("author", None)
        return make_message(author=author).reports.create(reporter=make_user(), category="spam", **fields)

    return [report(), report()], [report(resolved_at=timezone.now()), report(author=boss)]


def failed_mails(boss: User) -> Rows:
    rows = {state: make_delivery(0) for state in ("failed", "sent", "bounced", "queued")}
    for state, row in rows.items():
        type(row).objects.filter(pk=row.pk).update(state=state)
    return [rows.pop("failed"), make_delivery(0)], list(rows.values())


def mailboxes(boss: User) -> Rows:
    lifted = make_trouble(0)
    type(lifted).objects.filter(pk=lifted.pk).update(lifted_at=timezone.now())
    return [make_trouble(0), make_trouble(0)], [lifted]


def failed_tasks(boss: User) -> Rows:
    def make(status: str, fault: str = "") -> Any:
        return DBTaskResult.objects.create(
            args_kwargs={},
            task_path="a.b",
            run_after=timezone.now(),
            status=status,
            exception_class_path=fault,
        )

    failed, stopped = TaskResultStatus.FAILED, "builtins.SystemExit"
    return [make(failed), make(failed)], [make(TaskResultStatus.SUCCESSFUL), make(failed, stopped)]


def upload(key: str, **fields: Any) -> Upload:
    return Upload.objects.create(key=key, filename="a.pdf", size=1, **fields)


def quarantined(boss: User) -> Rows:
    return [upload("a/1", state="quarantined"), upload("a/2", state="quarantined")], [upload("a/3")]


def unscanned(boss: User) -> Rows:
    others = [upload("b/3", scanned_at=timezone.now()), upload("b/4", state="quarantined")]
    return [upload("b/1"), upload("b/2")], others


KINDS: Final[dict[str, Callable[[User], Rows]]] = {
    "reports": reported,
    "wwcc_expired": expired,
    "wwcc_7": ending(3, 7),
    "wwcc_30": ending(8, 30),
    "wwcc_90": ending(31, 90),
    "pending": pending,
    "permission": without_permission,
    "no_mentor": without_mentor,
    "silent": silent,
    "imports": rejected,
    "mails": failed_mails,
    "mailboxes": mailboxes,
    "tasks": failed_tasks,
    "quarantined": quarantined,
    "unscanned": unscanned,
}


class QueueCase(TestCase):
    def setUp(self) -> None:
        self.boss = make_superuser()
        self.client.force_login(self.boss)

    def shown(self) -> Any:
        return context_of(self.client, DASHBOARD)

    def work(self) -> dict[str, Any]:
        return {each.entry.name: each for each in self.shown()["work"]}

    def counts(self) -> dict[str, int]:
        return {name: each.count for name, each in self.work().items()}

    def staff(self, *permissions: str) -> User:
        person = make_user(is_staff=True)
        person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return person


@override_settings(FILE_UPLOAD_SCAN_COMMAND="/bin/true {path}")
class CountTests(QueueCase):
    def test_every_kind_of_work_is_made_here(self) -> None:
        self.assertEqual(set(KINDS), {entry.name for entry in QUEUE})

    @tag("walk")
    def test_each_count_is_of_the_right_rows_and_equals_the_list_that_it_opens(self) -> None:
        for name, make in KINDS.items():
            with self.subTest(name):
                counted, others = ({row.pk for row in rows} for rows in make(self.boss))

                each = self.work()[name]
                cl = context_of(self.client, each.url)["cl"]

                listed = set(cl.queryset.values_list("pk", flat=True))
                self.assertEqual(each.count, cl.result_count)
                self.assertEqual(len(listed), cl.result_count)
                self.assertEqual((counted - listed, others & listed), (set(), set()))

    def test_they_are_equal_too_where_there_is_more_than_a_page(self) -> None:
        User.objects.bulk_create(User(username=f"x{n}", email=f"x{n}@example.org") for n in range(250))

        each = self.work()["pending"]

        self.assertEqual(each.count, 250)
        self.assertEqual(context_of(self.client, each.url)["cl"].result_count, 250)

    def test_a_filter_that_does_not_exist_is_as_if_none_was_chosen(self) -> None:
        url = reverse("admin:users_user_changelist")

        everybody = context_of(self.client, url, {"needs": "x"})["cl"].result_count

        self.assertEqual(everybody, User.objects.count())


class RuleTests(QueueCase):
    def test_where_there_is_no_scanner_no_file_waits_for_it(self) -> None:
        unscanned(self.boss)

        self.assertEqual(self.counts()["unscanned"], 0)

    def test_a_check_is_good_through_its_day_by_the_programmes_clock(self) -> None:
        """Between these two there are 25 hours: the day of one is always over in the other."""
        with override_settings(PROGRAMME_TIME_ZONE="Pacific/Kiritimati"):
            adult(-1)
            there = self.counts()
        with override_settings(PROGRAMME_TIME_ZONE="Pacific/Pago_Pago"):
            here = self.counts()

        self.assertEqual((there["wwcc_expired"], there["wwcc_7"]), (1, 0))
        self.assertEqual((here["wwcc_expired"], here["wwcc_7"]), (0, 1))

    def test_the_list_of_checks_says_until_when_each_is_good_at_the_same_cost(self) -> None:
        url = self.work()["wwcc_30"].url
        adult(3)
        with CaptureQueriesContext(connection) as one:
            page = self.client.get(url)
        for days in range(20, 0, -1):
            adult(days)
        with CaptureQueriesContext(connection) as many:
            full = self.client.get(url)

        self.assertContains(page, "WWCC expiry")
        ends = [person.supervisor_profile.wwcc_expiry for person in full.context["cl"].result_list]
        self.assertEqual(ends, sorted(ends))
        self.assertContains(page, f"{programme_today() + timedelta(days=3):%b. %-d, %Y}")
        self.assertEqual(len(many), len(one))

    def test_groups_have_the_problems_that_the_api_finds(self) -> None:
        silent(self.boss)
        without_mentor(self.boss)
        late = make_task(make_milestone(make_group()), due_date=timezone.localdate() - timedelta(days=1))
        Milestone.objects.update(updated_at=ago(days=20))
        Task.objects.exclude(pk=late.pk).update(updated_at=ago(days=20))
        findings = examine(track="", silent_days=SILENT_DAYS)

        for problem in Problem:
            with self.subTest(problem):
                found = {finding.group_id for finding in having(findings, problem)}
                groups: Any = Group.objects.all()
                self.assertEqual(set(groups.having(problem).values_list("pk", flat=True)), found)
                self.assertTrue(found)

    def test_what_is_counted_twice_is_one_of_the_sum(self) -> None:
        adult(3)
        adult(20)
        adult(80)
        adult(-5)

        counts = self.counts()

        self.assertEqual([counts[f"wwcc_{days}"] for days in (7, 30, 90)], [1, 2, 3])
        self.assertEqual(self.shown()["waiting"], 4)


class WhoTests(QueueCase):
    @tag("walk")
    def test_each_entry_is_for_those_to_whom_its_list_opens(self) -> None:
        for entry in QUEUE:
            app, model = entry.label.split(".")
            person = self.staff(f"view_{model}")
            self.client.force_login(person)
            with self.subTest(entry.name):
                seen = self.work()
                for other in QUEUE:
                    url = reverse(f"admin:{other.label.replace('.', '_')}_changelist")
                    opens = self.client.get(url).status_code == 200
                    self.assertEqual(other.name in seen, opens, (app, other.name))

    def test_a_desk_is_told_nothing_of_what_it_may_not_open(self) -> None:
        make_group()
        self.client.force_login(self.staff("view_group"))

        seen = self.work()
        page = self.client.get(DASHBOARD)

        self.assertEqual(set(seen), {"no_mentor", "silent"})
        self.assertNotContains(page, "Pending accounts")
        self.assertEqual([card.number.label for card in page.context["cards"]], ["Active groups"])
        self.assertEqual(page.context["charts"], [])

    def test_who_may_open_nothing_is_asked_about_nothing(self) -> None:
        self.client.force_login(self.staff())

        page = self.client.get(DASHBOARD)

        self.assertEqual((page.context["work"], page.context["cards"]), ([], []))


class BadgeTests(QueueCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(badge_counted())

    LIST: Final = reverse("admin:core_upload_changelist")

    def badge(self, url: str) -> Any:
        sidebar = context_of(self.client, url)["sidebar_navigation"]
        return sidebar[0]["items"][0].get("badge")

    def test_the_sum_stands_beside_the_dashboard_on_every_page(self) -> None:
        self.assertEqual((self.badge(DASHBOARD), self.badge(self.LIST)), (None, None))
        make_group()
        make_group()

        self.assertEqual((self.badge(DASHBOARD), self.badge(self.LIST)), (2, 2))

    def test_beyond_999_it_is_cut_short(self) -> None:
        User.objects.bulk_create(User(username=f"x{n}", email=f"x{n}@example.org") for n in range(1_000))

        self.assertEqual(self.badge(self.LIST), "999+")

    def test_it_costs_one_query_a_page_and_none_while_it_is_known(self) -> None:
        with patch.dict(settings.UNFOLD, BADGE_SECONDS=30):
            with CaptureQueriesContext(connection) as first:
                self.client.get(self.LIST)
            with CaptureQueriesContext(connection) as second:
                self.client.get(self.LIST)

        self.assertEqual(len(first), len(second) + 1)

    def test_what_is_known_is_mended_by_a_look_at_the_entries(self) -> None:
        with patch.dict(settings.UNFOLD, BADGE_SECONDS=30):
            self.assertIsNone(self.badge(self.LIST))
            make_group()

            self.assertIsNone(self.badge(self.LIST))
            self.assertEqual(self.badge(DASHBOARD), 1)
            self.assertEqual(self.badge(self.LIST), 1)

    def test_it_is_kept_for_each_person(self) -> None:
        make_group()
        with patch.dict(settings.UNFOLD, BADGE_SECONDS=30):
            self.assertEqual(self.badge(self.LIST), 1)
            self.client.force_login(self.staff("view_upload"))

            self.assertIsNone(self.badge(self.LIST))
