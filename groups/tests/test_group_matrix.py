"""Every operation on groups, called by everybody there is (SAFETY B23, B25). The table: ``matrix.py``."""

from __future__ import annotations

from typing import Any, Final

from django.utils import timezone

from btf_backend.tests.routes import operations
from groups.models import PastMember, TemplateRun
from groups.tests.factories import make_group, make_milestone, make_task, make_template
from groups.tests.matrix import ROLES, TABLE, statuses
from groups.tests.walking import MatrixCase

RESTORE: Final = "POST /api/groups/{id}/restore/"
UNKNOWN: Final = {"id": "BTF999", "milestone_id": 2**62, "task_id": 2**62, "user_id": 2**62}


def concerns_groups(path: str) -> bool:
    admins = ("/api/admin/groups/", "/api/admin/milestone-templates/", "/api/admin/template-runs/")
    return path.startswith(("/api/groups/", "/api/tasks/", *admins))


class GroupMatrixTests(MatrixCase):
    ids: dict[str, Any]
    archived: str
    template: int
    run_id: int

    @classmethod
    def make_objects(cls) -> None:
        member, mentor = cls.people["member"], cls.people["mentor"]
        group = make_group(members=[member, cls.people["suspended member"]], mentor=mentor)
        cls.archived = make_group(members=[member], mentor=mentor, archived_at=timezone.now()).pk
        PastMember.objects.create(group=group, user=cls.people["past member"], role="student")
        make_group(members=[cls.people["outsider"]])
        milestones = [make_milestone(group), make_milestone(group)]
        task = make_task(milestones[0])
        cls.ids = {
            "id": group.pk,
            "milestone_id": milestones[0].pk,
            "task_id": task.pk,
            "user_id": member.pk,
        }
        cls.template = make_template().pk
        cls.run_id = TemplateRun.objects.create(
            template_key=1, template_name="Plan", start_date="2027-02-01", plan=[]
        ).pk
        cls.bodies = {**cls.good_bodies([row.pk for row in milestones], task.pk), **cls.plans()}

    @classmethod
    def plans(cls) -> dict[str, Any]:
        templates, plan = "/api/admin/milestone-templates/", {"name": "Other", "milestones": []}
        return {
            f"POST {templates}": plan,
            f"PUT {templates}{{id}}/": plan,
            f"PATCH {templates}{{id}}/": {"name": "Third"},
            f"POST {templates}{{id}}/apply/": {"groupIds": [cls.ids["id"]]},
        }

    @classmethod
    def good_bodies(cls, milestones: list[int], task: int) -> dict[str, Any]:
        plan = "/api/groups/{id}/milestones/"
        return {
            "POST /api/groups/": {"name": "New"},
            "PATCH /api/groups/{id}/": {"name": "Renamed", "mentorId": None},
            "POST /api/groups/{id}/members/": {"userId": cls.people["outsider"].pk},
            "DELETE /api/groups/{id}/members/": {"userId": cls.people["member"].pk},
            f"POST {plan}": {"title": "Next"},
            f"PUT {plan}order/": {"order": milestones[::-1]},
            f"PATCH {plan}{{milestone_id}}/": {"title": "Other"},
            f"POST {plan}{{milestone_id}}/tasks/": {"name": "Stir"},
            f"PUT {plan}{{milestone_id}}/tasks/order/": {"order": [task]},
            "PUT /api/groups/{id}/tasks/{task_id}/": {"completed": True},
            "PATCH /api/groups/{id}/tasks/{task_id}/": {"name": "Sieve"},
        }

    def ids_of(self, operation: str) -> dict[str, Any]:
        others = {RESTORE: self.archived, "milestone-templates": self.template, "template-runs": self.run_id}
        ids = [pk for part, pk in others.items() if part in operation]
        return {**self.ids, "id": ids[0]} if ids else self.ids

    def unknown_of(self, operation: str) -> dict[str, Any]:
        return {**UNKNOWN, "id": 2**62} if "/api/admin/" in operation else UNKNOWN

    def test_every_operation_on_groups_has_a_row_and_every_row_an_operation(self) -> None:
        """SAFETY B23."""
        there_are = {
            f"{method} {path}"
            for method, path, operation in operations()
            # Conversations have a table of their own: ``chat.tests.matrix``.
            if concerns_groups(path) and operation["tags"] != ["Chat"]
        }

        self.assertEqual(set(statuses(TABLE)), there_are)

    def test_each_role_gets_what_its_row_says_and_learns_no_more(self) -> None:
        """SAFETY B23, B25; B46, B49: each 403 and 404 is answered as for what does not exist."""
        for (operation, role), real in self.assert_rows(TABLE).items():
            if real.status_code not in {403, 404}:
                continue
            with self.subTest(operation, role=role):
                unknown = self.call(role, operation, self.unknown_of(operation))
                self.assertEqual(unknown.status_code, real.status_code)
                self.assertEqual(without_id(real), without_id(unknown))

    def test_an_id_below_a_group_tells_nothing_to_who_may_not_see_the_group(self) -> None:
        for operation, expected in statuses(TABLE).items():
            if expected[ROLES.index("outsider")] != 404 or "_id}" not in operation:
                continue
            with self.subTest(operation):
                real = self.call("outsider", operation, self.ids)
                unknown = self.call("outsider", operation, {**UNKNOWN, "id": self.ids["id"]})
                self.assertEqual(without_id(real), without_id(unknown))


def without_id(response: Any) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    body.pop("requestId")
    return body
