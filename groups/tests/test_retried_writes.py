"""What a phone sends again is made once (`Idempotency-Key`, SAFETY B34)."""

from __future__ import annotations

from typing import Any
from unittest import skipUnless

from django.db import connection
from django.test import TestCase, TransactionTestCase
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from core.testing import in_parallel
from groups.models import Group, Milestone, Task
from groups.tests.factories import make_group
from users.tests.factories import make_admin, make_user


def send(client: Any, url: str, body: dict[str, Any]) -> Any:
    return client.post(url, body, format="json", headers={"Idempotency-Key": "phone-1"})


class RetriedWriteTests(TestCase):
    def setUp(self) -> None:
        self.student = make_user()
        self.group = make_group(members=[self.student])
        self.milestone = Milestone.objects.create(group=self.group, title="Grow")

    def test_each_is_made_once_and_answered_twice(self) -> None:
        newcomer = make_user()
        for name, args, body, rows in (
            ("group-list", [], {"name": "Team"}, Group.objects),
            ("group-members", [self.group.pk], {"userId": newcomer.pk}, self.group.members),
            ("group-create-milestone", [self.group.pk], {"title": "Plan"}, Milestone.objects),
            ("group-add-task", [self.group.pk, self.milestone.pk], {"name": "Read"}, Task.objects),
        ):
            with self.subTest(name):
                client, before = signed_in_client(make_admin()), rows.count()
                url = reverse(f"groups:{name}", args=args)

                first, again = send(client, url, body), send(client, url, body)

                self.assertEqual((first.status_code, again.status_code), (201, 201))
                self.assertEqual(first.json()["id"], again.json()["id"])
                self.assertEqual(again.headers["Idempotent-Replayed"], "true")
                self.assertEqual(rows.count(), before + 1)

    def test_a_repeat_by_somebody_who_has_left_the_group_is_not_answered(self) -> None:
        client = signed_in_client(self.student)
        url = reverse("groups:group-create-milestone", args=[self.group.pk])
        send(client, url, {"title": "Plan"})
        self.group.members.all().delete()

        self.assertEqual(send(client, url, {"title": "Plan"}).status_code, 404)


@skipUnless(connection.vendor == "postgresql", "Needs parallel transactions.")
class ParallelRetryTests(TransactionTestCase):
    def test_twenty_at_once_make_one_group(self) -> None:
        admin = make_admin()
        clients = [signed_in_client(admin) for _ in range(20)]

        answers = in_parallel(lambda n: send(clients[n], reverse("groups:group-list"), {"name": "Team"}), 20)

        self.assertEqual({answer.status_code for answer in answers}, {201})
        self.assertEqual(len({answer.json()["id"] for answer in answers}), 1)
        self.assertEqual(Group.objects.count(), 1)
