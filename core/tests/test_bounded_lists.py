"""Lists in bodies: counted before their items are looked at, and forms whose indexes nobody can read."""

from __future__ import annotations

from unittest.mock import patch

from django.test import TestCase
from django.urls import reverse

from authentication.tests.signing_in import signed_in_client
from core.serializers import BoundedListField
from groups.tests.factories import make_group
from users.tests.factories import make_admin, make_user


class BoundedListTests(TestCase):
    def setUp(self) -> None:
        self.student, self.admin = make_user(), make_admin()
        self.group = make_group(members=[self.student])

    def test_a_list_that_is_too_long_is_refused_before_an_item_is_looked_at(self) -> None:
        order = reverse("groups:group-reorder-milestones", args=[self.group.pk])
        me, groups = reverse("users:me"), reverse("groups:group-list")
        for who, method, path, body, field in (
            (self.student, "put", order, {"order": ["x"] * 501}, "order"),
            (self.student, "patch", me, {"profile": {"areasOfInterest": [None] * 101}}, "areasOfInterest"),
            (self.admin, "post", groups, {"name": "x", "members": [1] * 501}, "members"),
        ):
            with self.subTest(field), patch.object(BoundedListField, "run_child_validation") as look:
                answer = getattr(signed_in_client(who), method)(path, body, format="json")

                self.assertEqual(answer.status_code, 400)
                self.assertEqual(len(answer.json()[field]), 1)
                look.assert_not_called()

    def test_an_index_of_thousands_of_digits_is_refused(self) -> None:
        order = reverse("groups:group-reorder-milestones", args=[self.group.pk])
        client = signed_in_client(self.student)
        for body, content_type in (
            (f"order[{'1' * 5000}]=1", "application/x-www-form-urlencoded"),
            (
                f'--x\r\nContent-Disposition: form-data; name="order[{"1" * 5000}]"\r\n\r\n1\r\n--x--\r\n',
                "multipart/form-data; boundary=x",
            ),
        ):
            with self.subTest(content_type):
                answer = client.generic("PUT", order, body, content_type=content_type)

                self.assertEqual((answer.status_code, answer.json()["code"]), (400, "parse_error"))
