"""Every page of the admin site opens, and costs the same however many rows there are."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from django.contrib import admin
from django.contrib.auth.models import Group as PermissionGroup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from announcements.models import Acknowledgement, Announcement
from authentication.models import SignInSession
from btf_backend.console.navigation import SECTIONS
from chat.models import Message, MessageReport, TextOpening
from chat.tests.factories import make_message
from core import audit
from core.admin import LookOnly
from core.admin.filters import ListedFilter
from core.admin.inlines import PER_PAGE, PagedInline
from core.admin.library import TabularInline
from core.models import AuditEvent, DeadLetter, Delivery, MailTrouble, Notice, PeriodicRun, Upload
from events.models import Event, EventRegistration
from events.tests.factories import make_event
from groups.models import Group, Milestone, MilestoneTemplate, Task, TemplateMilestone, TemplateRun
from groups.services.templates import apply_template
from groups.tests.factories import make_group, make_template
from resources.models import Resource
from users.models import PeopleImport, StudentSupervisor, User
from users.services.imports import check_file
from users.tests.factories import make_admin, make_link, make_superuser, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model


MOST_QUERIES = 14  # of a list page
# Where a list stands in the sidebar, by its model.
PLACES: Final = {
    model: name if name == section else f"{section} > {name}"
    for section, pages in SECTIONS
    for name, _, model in pages
}


def make_milestone(n: int) -> Milestone:
    group = make_group(members=[make_user()])
    milestone: Milestone = Milestone.objects.create(group=group, title=f"Step {n}")
    return milestone


def make_task_row(n: int) -> DBTaskResult[Any, Any]:
    return DBTaskResult.objects.create(args_kwargs={}, task_path="a.b", run_after=timezone.now())


def make_dead_letter(n: int) -> DeadLetter:
    row = DBTaskResult.objects.create(
        args_kwargs={}, task_path="a.b", run_after=timezone.now(), status=TaskResultStatus.FAILED
    )
    return DeadLetter.objects.get(pk=row.pk)


def make_run(n: int) -> TemplateRun:
    ids, today = [make_group().pk], timezone.localdate()
    return apply_template(make_template(), by=make_admin(), group_ids=ids, start_date=today)


def make_delivery(n: int) -> Delivery:
    data = {"parts": [], "more": 0}
    notice = Notice.objects.create(kind="daily", subject=f"of {make_user().pk}", data=data)
    return Delivery.objects.create(notice=notice, person=make_user(), state="failed")


def make_trouble(n: int) -> MailTrouble:
    person = make_user()
    return MailTrouble.objects.create(person=person, address=person.email, cause="bounced")


def make_import() -> PeopleImport:
    file = SimpleUploadedFile("people.csv", b"email,role\nada@example.org,student\nnobody,student\n")
    flags = {"change_role": True, "change_status": True, "change_address": True}
    return check_file(file, by=make_admin(), flags=flags)


def make_mark(n: int) -> Acknowledgement:
    news = Announcement.objects.create(title=f"News {n}", summary="News")
    return Acknowledgement.objects.create(announcement=news, user=make_user())


MAKERS: dict[type[Model], Callable[[int], Model]] = {
    Acknowledgement: make_mark,
    Announcement: lambda n: Announcement.objects.create(title=f"News {n}", summary="News"),
    AuditEvent: lambda _: audit.record("signed_in", target=make_user()),
    DBTaskResult: make_task_row,
    DeadLetter: make_dead_letter,
    Delivery: make_delivery,
    Event: lambda _: make_event(),
    EventRegistration: lambda _: make_event().registrations.create(user=make_user()),
    Group: lambda _: make_group(members=[make_user()], mentor=make_user()),
    MailTrouble: make_trouble,
    Message: lambda _: make_message(deleted_by=make_user()),
    MessageReport: lambda _: make_message().reports.create(
        reporter=make_user(), category="spam", resolved_at=timezone.now(), resolved_by=make_user()
    ),
    Milestone: make_milestone,
    MilestoneTemplate: lambda _: make_template(),
    Notice: lambda n: make_delivery(n).notice,
    PeopleImport: lambda _: make_import(),
    PeriodicRun: lambda n: PeriodicRun.objects.create(name=f"job {n}", due_at=timezone.now()),
    PermissionGroup: lambda n: PermissionGroup.objects.create(name=f"Desk {n}"),
    Resource: lambda n: Resource.objects.create(title=f"Guide {n}", type="guide", file_url="a.pdf"),
    SignInSession: lambda _: SignInSession.objects.create(user=make_user(), expires_at=timezone.now()),
    StudentSupervisor: lambda _: make_link(make_user(), make_user()),
    Task: lambda n: Task.objects.create(milestone=make_milestone(n), name="Read", assigned_to=make_user()),
    TemplateMilestone: lambda _: make_template().milestones.get(),
    TemplateRun: make_run,
    TextOpening: lambda n: TextOpening.objects.create(
        actor_id=n, message_id=n, group_id="TEAM", reason="Asked by her mother"
    ),
    Upload: lambda n: Upload.objects.create(owner=make_user(), key=f"a/{n}", filename="a.pdf", size=1),
    User: lambda _: make_user(),
}


def subclasses_of(kind: type[Any]) -> list[type[Any]]:
    found = [each for each in kind.__subclasses__() if not each.__module__.startswith("unfold.")]
    return [*found, *(below for each in found for below in subclasses_of(each))]


def page(model: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def heading(html: str) -> str:
    """Return what stands above a page."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", html, re.DOTALL)
    words = re.sub(r"<[^>]*>", " ", found[1] if found else "").replace("chevron_right", ">")
    return re.sub(r"\s+", " ", words).partition(" result")[0].strip()


class AdminSiteTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(make_superuser())
        # That a session is in use is written down once a minute, which would be one page's cost by chance.
        self.enterContext(patch("core.sessions.SEEN_EVERY_SECONDS", 1_000_000))

    def drawn(self, url: str) -> tuple[str, int]:
        """Return a page, and how many queries it costs."""
        with CaptureQueriesContext(connection) as captured:
            answer = self.client.get(url)
        self.assertEqual(answer.status_code, 200, url)
        return unescape(answer.content.decode()), len(captured)

    def test_every_registered_model_is_walked_here(self) -> None:
        self.assertEqual(set(admin.site._registry), set(MAKERS))
        self.assertLessEqual(set(PLACES), {model._meta.label_lower for model in MAKERS})

    def test_filters_of_our_own_take_what_they_offer_alone(self) -> None:
        for model, model_admin in admin.site._registry.items():
            for each in model_admin.list_filter:
                if isinstance(each, type) and issubclass(each, admin.SimpleListFilter):
                    with self.subTest(model=model._meta.label, filter=each.__name__):
                        self.assertTrue(issubclass(each, ListedFilter))

    def test_all_rows_beside_a_row_are_paged(self) -> None:
        for inline in subclasses_of(TabularInline):
            with self.subTest(inline.__name__):
                self.assertTrue(issubclass(inline, PagedInline))
                self.assertEqual(inline.per_page, PER_PAGE)

    def test_no_list_offers_to_count_the_rows_behind_each_choice_of_its_filters(self) -> None:
        for model, model_admin in admin.site._registry.items():
            with self.subTest(model=model._meta.label):
                self.assertEqual(model_admin.show_facets, admin.ShowFacets.NEVER)

    def test_each_list_says_where_it_is_and_costs_the_same_for_1_and_for_3_rows(self) -> None:
        """However one asks for the rows behind each choice of its filters."""
        for model, make in MAKERS.items():
            url, place = page(model, "changelist") + "?_facets=True", PLACES.get(model._meta.label_lower)
            with self.subTest(model=model._meta.label, most=MOST_QUERIES):
                make(0)
                shown, few = self.drawn(url)
                self.assertLessEqual(few, MOST_QUERIES)
                self.assertNotRegex(shown, r"\bNull\b")
                if place:
                    self.assertEqual(re.sub(r" \d+$", "", heading(shown)), place)
                for n in (1, 2):
                    make(n)
                self.assertEqual(self.drawn(url)[1], few)

    def test_a_page_to_add_a_row_opens_where_rows_are_added(self) -> None:
        for model, model_admin in admin.site._registry.items():
            looked_at = isinstance(model_admin, LookOnly)
            with self.subTest(model=model._meta.label):
                status = self.client.get(page(model, "add")).status_code
                self.assertEqual(status, 403 if looked_at else 200)

    def test_search_and_the_start_page_answer(self) -> None:
        self.drawn(reverse("admin:index"))
        for model, model_admin in admin.site._registry.items():
            if model_admin.search_fields:
                with self.subTest(model=model._meta.label):
                    self.drawn(page(model, "changelist") + "?q=o'clock 1")

    def test_a_page_that_lists_no_models_asks_no_rights_of_each(self) -> None:
        url = page(next(iter(MAKERS)), "changelist")
        with patch.object(admin.AdminSite, "get_app_list", side_effect=AssertionError):
            self.drawn(url)

        apps = self.client.get(url).context["available_apps"]
        self.assertIn("users", {each["app_label"] for each in apps})
        listed = reverse("admin:app_list", args=["users"])
        self.assertContains(self.client.get(listed), page(User, "changelist"))
        self.client.force_login(make_user(is_staff=True))
        self.assertEqual(self.client.get(listed).status_code, 404)

    def test_nobody_but_staff_gets_in(self) -> None:
        self.client.force_login(make_user(role="admin"))

        self.assertEqual(self.client.get(reverse("admin:index")).status_code, 302)
