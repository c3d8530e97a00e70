"""What groups add to the admin site's list of people: putting several into a group at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.testing import context_of
from groups.models import GroupMember
from groups.services.teams import archive_group
from groups.tests.desk import DeskCase, make_staff
from groups.tests.factories import make_group
from users.tests.factories import make_user

if TYPE_CHECKING:
    from groups.models import Group
    from users.models import User

PEOPLE = reverse("admin:users_user_changelist")


class AddToGroupTests(DeskCase):
    inside: User
    outside: User
    other: User
    group: Group

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.inside, cls.outside, cls.other = make_user(), make_user(), make_user()
        cls.group = make_group(id="TEAM", name="Biofilm", members=[cls.inside])

    def send(self, **more: str) -> Any:
        people = [person.pk for person in (self.inside, self.outside, self.other)]
        body = {"action": "add_to_group", "_selected_action": people, **more}
        return self.client.post(PEOPLE, body, follow=True)

    def members(self) -> dict[int, str]:
        return dict(self.group.members.values_list("user_id", "role"))

    def test_it_asks_for_the_group_and_names_the_number(self) -> None:
        shown = self.send()

        self.assertContains(shown, "Add 3 people")
        self.assertContains(shown, "/admin/autocomplete/")
        self.assertEqual(len(self.members()), 1)

    def test_who_is_not_in_it_joins_by_the_service_and_the_others_are_counted(self) -> None:
        shown = self.send(post="yes", group="TEAM", role="mentor")

        said = [str(message) for message in shown.context["messages"]]
        left_out = "1 left as they were. Already in this group. (1)"
        self.assertEqual(said, ["2 added to TEAM Biofilm.", left_out])
        joined = {self.outside.pk: "mentor", self.other.pk: "mentor"}
        self.assertEqual(self.members(), {self.inside.pk: "student", **joined})
        self.assertEqual(self.recorded(), [("members_added", "TEAM")])

    def test_a_group_or_role_that_there_is_not_is_told_beside_its_field(self) -> None:
        archive_group(make_group(id="GONE"), by=self.staff)
        for sent in (
            {"role": "student"},
            {"group": "GONE", "role": "student"},
            {"group": "TEAM", "role": "admin"},
        ):
            with self.subTest(sent):
                shown = self.send(post="yes", **sent)
                self.assertTrue(shown.context["question"].form.errors)
                self.assertEqual(len(self.members()), 1)

    def test_it_is_for_platform_admins_who_may_add_members(self) -> None:
        for staff, may in (
            (make_staff("add", "view"), False),
            (make_staff("add", "view", role="admin"), True),
        ):
            of_people = Permission.objects.filter(codename__in=["view_user", "change_user"])
            staff.user_permissions.add(*of_people)
            self.sit_down(staff)
            with self.subTest(role=staff.role):
                form = self.client.get(PEOPLE).context["action_form"]
                choices = dict(form.fields["action"].choices) if form else {}
                self.assertEqual("add_to_group" in choices, may)
                self.send(post="yes", group="TEAM", role="student")
                self.assertEqual(len(self.members()), 3 if may else 1)

    def test_it_costs_the_same_for_few_and_for_many(self) -> None:
        def queries(number: int) -> int:
            group, people = make_group(), [make_user().pk for _ in range(number)]
            body = {"action": "add_to_group", "_selected_action": people, "post": "yes", "role": "student"}
            with CaptureQueriesContext(connection) as captured:
                self.client.post(PEOPLE, {**body, "group": group.pk})
            self.assertEqual(group.members.count(), number)
            return len(captured)

        queries(1)
        self.assertEqual(queries(2), queries(20))


class MembershipsTests(DeskCase):
    def test_the_page_of_a_person_shows_their_groups_for_the_same_queries(self) -> None:
        person = make_user()
        url = reverse("admin:users_user_change", args=[person.pk])

        def ask() -> tuple[Any, int]:
            with CaptureQueriesContext(connection) as captured:
                shown = self.client.get(url)
            return shown, len(captured)

        make_group(name="Biofilm", members=[person])
        context_of(self.client, url)
        _, few = ask()
        for n in range(5):
            make_group(name=f"Team {n}", members=[person])
        archive_group(make_group(name="Long gone", members=[person]), by=self.staff)

        shown, many = ask()
        self.assertEqual(many, few)
        self.assertContains(shown, "Biofilm")
        self.assertNotContains(shown, "Long gone")
        self.assertEqual(GroupMember.objects.filter(user=person).count(), 7)
