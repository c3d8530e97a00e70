"""What is answered is what the OpenAPI document says: every key, type and null of it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any, Final

from django.test import TestCase

from announcements.models import Announcement
from authentication.tests.signing_in import signed_in_client
from btf_backend.tests.routes import operations
from core.contract_testing import differences_of
from core.models import Delivery, Notice, NotificationSettings, Upload
from events.tests.factories import make_event
from groups.models import TemplateRun
from groups.tests.factories import make_group, make_template
from resources.models import Resource
from users.models import ImportRow, PeopleImport, SupervisorProfile, User, UserProfile
from users.tests.factories import make_admin, make_link, make_user

BODIES: Final[dict[str, Any]] = {
    "PUT /api/users/me/": {},
    "PATCH /api/users/me/": {"profile": {"bio": "x"}, "supervisorProfile": {"organization": "Lab"}},
    "PATCH /api/users/me/supervisors/{id}/": {"joinPermissionGranted": True},
    "POST /api/admin/users/": {"email": "new@example.org", "profile": {"firstName": "New"}},
    "PATCH /api/admin/users/{id}/": {"track": "AUS-NSW"},
    "PUT /api/admin/users/{id}/status/": {"status": "active"},
    "PATCH /api/admin/student-supervisors/{id}/": {"notes": "x"},
    "POST /api/admin/users/import/{id}/commit/": {},
    "POST /api/admin/milestone-templates/": {"name": "New", "milestones": [{"title": "x"}]},
    "PATCH /api/admin/milestone-templates/{id}/": {"description": "x"},
    "POST /api/admin/users/import/{id}/undo/": {},
    "PATCH /api/announcements/{id}/": {"link": "https://x.example/"},
    "POST /api/announcements/{id}/ack/": {},
    "POST /api/announcements/{id}/mail/": {},
    "POST /api/announcements/{id}/mail/test/": {},
    "PATCH /api/resources/{id}/": {"title": "New"},
    "POST /api/events/": {
        "title": "x",
        "startAt": "2031-05-06T18:00:00Z",
        "location": "x",
        "type": "virtual",
    },
    "PATCH /api/events/{id}/": {"endAt": None},
    "POST /api/events/{id}/register/": {},
    "POST /api/users/me/calendar/": {},
    "POST /api/ws/ticket/": {},
    "POST /api/notifications/read/": {"ids": [1]},
    "POST /api/notifications/{id}/read/": {},
    "PATCH /api/notifications/preferences/": {"language": "pt-br", "kinds": {"daily": "off"}},
}

LATER: Final = datetime(2040, 1, 1, tzinfo=UTC)
RUN: Final[dict[str, Any]] = {"template_name": "Plan", "start_date": date(2027, 2, 1), "plan": []}


class ResponseTests(TestCase):
    user: User
    admin: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = make_user(role="supervisor")
        UserProfile.objects.create(user=cls.user, year_level=3, areas_of_interest=["x"])
        SupervisorProfile.objects.create(user=cls.user, wwcc_expiry=date(2031, 4, 5))
        cls.admin = make_admin()
        # Far from what the sequences hand out next to the rows that the bodies make.
        link = make_link(make_user(), cls.user, pk=1_000_000)
        PeopleImport.objects.create(pk=link.pk, counts=ImportRow.objects.tally())
        template = make_template(pk=link.pk)
        run = TemplateRun.objects.create(pk=link.pk, template=template, template_key=link.pk, **RUN)
        run.groups.create(group=make_group())
        make_link(cls.user, cls.admin, join_permission_granted=True)
        key = "resources/files/a.pdf"
        Upload.objects.create(key=key, filename="a.pdf", size=1, mime_type="application/pdf")
        Resource.objects.create(pk=link.pk, title="Guide", type="guide", role="all", file_url=key)
        make_event(pk=link.pk).registrations.create(user=cls.user)
        notice = Notice.objects.create(kind="daily", subject="x", data={"parts": [], "more": 0})
        Delivery.objects.create(pk=link.pk, notice=notice, person=cls.user)
        NotificationSettings.objects.create(person=cls.user, quiet_from=time(21), quiet_until=time(7))
        Announcement.objects.create(pk=link.pk, title="News", summary="x", expires_at=LATER)

    def test_answers_hold_just_what_is_documented(self) -> None:
        link = self.user.supervisee_links.get()
        owner, admin = signed_in_client(self.user), signed_in_client(self.admin)
        checked = 0
        for method, path, operation in operations():
            name = f"{method} {path}"
            url = re.sub(r"\{\w+\}", str(link.pk), path)
            if method != "GET" and name not in BODIES:
                continue
            for who, client in (
                ("owner", owner),
                ("bare", signed_in_client(make_user())),
                ("admin", admin),
            ):
                response: Any = getattr(client, method.lower())(url, BODIES.get(name), format="json")
                with self.subTest(name, who=who):
                    self.assertIn(str(response.status_code), operation["responses"])
                    self.assertEqual(differences_of(path, method.lower(), response), [])
                    checked += "json" in response.headers.get("Content-Type", "")
        self.assertGreater(checked, 100)

    def test_refusals_are_documented_by_their_status(self) -> None:
        for method, path, operation in operations():
            with self.subTest(f"{method} {path}"):
                response: Any = self.client.generic(method, re.sub(r"\{\w+\}", "1", path))
                self.assertIn(str(response.status_code), operation["responses"])
