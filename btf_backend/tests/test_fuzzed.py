"""Answers that the OpenAPI document did not tell of, until schemathesis found them (SAFETY R13)."""

from __future__ import annotations

import re
from typing import Any

from django.test import TestCase

from announcements.tests.factories import make_announcement
from authentication.tests.signing_in import signed_in_client
from btf_backend.tests.routes import operations, schema
from chat.tests.factories import make_message
from events.tests.factories import make_event
from users.tests.factories import make_admin, make_user


def documented(method: str, path: str) -> set[str]:
    """Return the statuses that an operation says it answers with."""
    return next(set(it["responses"]) for verb, where, it in operations() if (verb, where) == (method, path))


class FuzzedTests(TestCase):
    def setUp(self) -> None:
        self.admin: Any = signed_in_client(make_admin())

    def test_every_list_in_pages_tells_of_a_page_that_is_missing(self) -> None:
        asked = 0
        for method, path, operation in operations():
            pages = any(one["name"] == "page" for one in operation.get("parameters", []))
            if pages and "{" not in path:
                with self.subTest(path):
                    answer = self.admin.get(path, {"page": "0", "q": "plates"})
                    self.assertEqual(answer.status_code, 404, answer.content)
                    self.assertIn("404", documented(method, path))
                    asked += 1
        self.assertGreater(asked, 10)

    def test_what_is_left_of_a_message_is_documented(self) -> None:
        message = make_message()
        for path in ("", "/reactions/\N{PARTY POPPER}"):
            with self.subTest(path):
                template = "/api/groups/{group_id}/messages/{message_id}" + re.sub("[^/]+$", "{sign}", path)
                url = f"/api/groups/{message.group_id}/messages/{message.pk}{path}"
                status = self.admin.delete(url).status_code
                self.assertIn(str(status), documented("DELETE", template))

    def test_so_is_a_sign_that_is_none_of_the_few(self) -> None:
        message = make_message()
        url = f"/api/groups/{message.group_id}/messages/{message.pk}/reactions/AAA"
        template = "/api/groups/{group_id}/messages/{message_id}/reactions/{sign}"

        for method in ("PUT", "DELETE"):
            with self.subTest(method):
                self.assertEqual(self.admin.generic(method, url).status_code, 400)
                self.assertIn("400", documented(method, template))

    def test_so_is_that_an_announcement_has_been_mailed(self) -> None:
        url = f"/api/announcements/{make_announcement().pk}/mail/"

        self.assertEqual([self.admin.post(url).status_code for _ in range(2)], [202, 409])
        self.assertLessEqual({"400", "409"}, documented("POST", "/api/announcements/{id}/mail/"))

    def test_a_link_may_be_blank_and_a_username_an_address(self) -> None:
        make_event()
        person = make_user(email="=7k5m|-@example.org")
        fields = {
            name: part["properties"]
            for name, part in schema()["components"]["schemas"].items()
            if "properties" in part
        }

        self.assertEqual(self.admin.get("/api/events/").json()["results"][0]["registerLink"], "")
        self.assertNotIn("format", fields["Event"]["registerLink"])
        self.assertEqual(self.admin.get(f"/api/admin/users/{person.pk}/").json()["username"], person.email)
        self.assertNotIn("pattern", fields["User"]["username"])
