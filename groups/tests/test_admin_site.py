"""Groups at the admin site."""

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chat.tests.factories import make_message
from groups.models import Group, GroupMember, Milestone
from groups.tests.factories import make_group
from users.tests.factories import make_superuser, make_user


class GroupPageTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(make_superuser())
        self.group = make_group()
        self.url = reverse("admin:groups_group_change", args=[self.group.pk])

    def queries(self) -> int:
        with CaptureQueriesContext(connection) as captured:
            self.client.get(self.url)
        return len(captured)

    def grow(self, size: int) -> None:
        for n in range(size):
            GroupMember.objects.create(group=self.group, user=make_user())
            Milestone.objects.create(group=self.group, title=f"Step {n}")

    def test_it_costs_the_same_however_large_the_group(self) -> None:
        self.grow(1)
        self.queries()
        few = self.queries()
        self.grow(19)

        self.assertEqual(self.queries(), few)

    def test_an_id_that_urls_cannot_carry_is_refused(self) -> None:
        response = self.client.post(reverse("admin:groups_group_add"), {"id": "a/b", "name": "Team"})

        self.assertIn("id", response.context["adminform"].form.errors)

    def test_a_group_is_deleted_with_its_conversation(self) -> None:
        make_message(group=self.group)

        self.client.post(reverse("admin:groups_group_delete", args=[self.group.pk]), {"post": "yes"})

        self.assertFalse(Group.objects.filter(pk=self.group.pk).exists())
