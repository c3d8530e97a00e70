"""A team as tests meet it, and calling the API as one of its people."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.core.cache import cache
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from groups.models import Group
from groups.tasks import purge_groups
from groups.tests.factories import make_group, make_milestone
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from groups.models import Milestone, Task
    from users.models import User

ACTIVE: Final = "active"


def url(name: str, *args: Any) -> str:
    """Return the address of ``groups:group-<name>``."""
    return reverse(f"groups:group-{name}", args=args)


def call(who: User, method: str, path: str, body: Any = None, **query: Any) -> Any:
    """Send a request as somebody; ``query`` is the query string."""
    client = APIClient()
    client.force_authenticate(who)
    send = getattr(client, method)
    return send(path, query) if method == "get" else send(path, body, format="json", query_params=query)


def purge() -> dict[str, int]:
    """Let 31 days pass over what is archived, and run the job."""
    Group.everything.exclude(archived_at=None).update(archived_at=timezone.now() - timedelta(days=31))
    return purge_groups()


class GroupCase(TestCase):
    """Group BTF046 with a mentor and two students; an admin, and an outsider."""

    admin: User
    mentor: User
    student: User
    friend: User
    outsider: User
    group: Group

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin(first_name="Ann", last_name="Desk")
        cls.mentor = make_user(role="mentor", status=ACTIVE, first_name="Max", last_name="Planck")
        cls.student = make_user(first_name="Ada", last_name="Lovelace")
        cls.friend = make_user(email="nameless@example.org")
        cls.outsider = make_user(first_name="Eve")
        cls.group = make_group(
            id="BTF046",
            name="Biofilm Busters",
            track="AUS-NSW",
            mentor=cls.mentor,
            members=[cls.student, cls.friend],
        )

    def setUp(self) -> None:
        cache.clear()

    def detail(self, who: User | None = None, group: Group | None = None) -> Any:
        """Return the group's document as somebody reads it, the admin where nobody is named."""
        response = call(who or self.admin, "get", url("detail", (group or self.group).pk))
        self.assertEqual(response.status_code, 200, response.content)
        return response.json()

    def sees(self, who: User, group: Group | None = None) -> bool:
        """Tell whether somebody reads the group's document."""
        status = call(who, "get", url("detail", (group or self.group).pk)).status_code
        self.assertIn(status, {200, 404})
        return bool(status == 200)

    def assert_refused(self, response: Any, status: int, *fields: str) -> None:
        """The answer has that status and, beside the envelope, errors of these fields alone."""
        self.assertEqual(response.status_code, status, response.content)
        self.assertEqual(set(response.json()) - {"error", "detail", "code", "requestId"}, set(fields))


class TaskCase(GroupCase):
    """The group has a milestone; calls about its tasks are the student's."""

    milestone: Milestone

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.milestone = make_milestone(cls.group)

    def add(self, **body: Any) -> Any:
        return call(self.student, "post", url("add-task", self.group.pk, self.milestone.pk), body)

    def send(self, method: str, task: Task, body: Any = None) -> Any:
        return call(self.student, method, url("update-task", self.group.pk, task.pk), body)

    def names(self) -> list[str]:
        return [row["name"] for row in self.detail()["milestones"][0]["tasks"]]
