"""Every operation on conversations, called by everybody there is (SAFETY B23, B25): ``matrix.py``."""

from __future__ import annotations

from typing import Any, Final

from django.test import override_settings

from btf_backend.tests.routes import operations
from chat.models import MessageReport
from chat.tests.factories import make_message
from chat.tests.matrix import TABLE
from groups.models import PastMember
from groups.tests.factories import make_group
from groups.tests.matrix import statuses
from groups.tests.walking import MatrixCase
from users.tests.factories import make_user

UNKNOWN: Final = {"group_id": "BTF999", "message_id": 2**62, "id": 2**62, "sign": "\U0001f44d"}
ONE: Final = "/api/groups/{group_id}/messages/{message_id}"
BODIES: Final[dict[str, Any]] = {
    "POST /api/groups/{group_id}/messages": {"text": "Hello"},
    f"PATCH {ONE}": {"moderationNote": "Be kind"},
    f"POST {ONE}/report": {"category": "spam"},
    "PATCH /api/groups/{group_id}/reports/{id}/": {"resolved": True},
    "PATCH /api/admin/message-reports/{id}/": {"resolved": True},
    "GET /api/messages/search/": {"q": "Hello"},
}


@override_settings(CHAT_BURST=1_000)
class ChatMatrixTests(MatrixCase):
    bodies = BODIES
    ids: dict[str, Any]

    @classmethod
    def make_objects(cls) -> None:
        member, author = cls.people["member"], make_user()
        people = [member, author, cls.people["suspended member"]]
        group = make_group(members=people, mentor=cls.people["mentor"])
        PastMember.objects.create(group=group, user=cls.people["past member"], role="student")
        make_group(members=[cls.people["outsider"]])
        message = make_message(group=group, author=author)
        report = MessageReport.objects.create(message=message, reporter=author, category="spam")
        cls.ids = {**UNKNOWN, "group_id": group.pk, "message_id": message.pk, "id": report.pk}

    def ids_of(self, operation: str) -> dict[str, Any]:
        return self.ids

    def test_every_operation_on_conversations_has_a_row_and_every_row_an_operation(self) -> None:
        """SAFETY B23."""
        there_are = {
            f"{method} {path}" for method, path, operation in operations() if operation["tags"] == ["Chat"]
        }

        self.assertEqual(set(statuses(TABLE)), there_are)

    def test_each_role_gets_what_its_row_says(self) -> None:
        """SAFETY B23, B25."""
        self.assert_rows(TABLE)

    def test_a_group_that_is_not_there_is_missing_for_everybody(self) -> None:
        """D12."""
        for operation in statuses(TABLE):
            for role in ("outsider", "member", "admin", "past member"):
                if "{group_id}" in operation:
                    with self.subTest(operation, role=role):
                        self.assertEqual(self.call(role, operation, UNKNOWN).status_code, 404)

    def test_an_id_below_a_group_tells_nothing_to_who_is_outside(self) -> None:
        """SAFETY B23."""
        for operation in statuses(TABLE):
            if "{group_id}" not in operation or "id}" not in operation.replace("{group_id}", ""):
                continue
            with self.subTest(operation):
                unknown = {**UNKNOWN, "group_id": self.ids["group_id"]}
                real, other = (self.call("outsider", operation, ids).json() for ids in (self.ids, unknown))
                self.assertEqual({**real, "requestId": ""}, {**other, "requestId": ""})
