"""Every operation on conversations, called by everybody there is (SAFETY B23, B25): ``matrix.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.cache import cache
from django.test import TestCase, override_settings
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from btf_backend.tests.routes import operations
from chat.models import MessageReport
from chat.tests.factories import make_message
from chat.tests.matrix import TABLE
from core.testing import undone
from groups.models import PastMember
from groups.tests.factories import make_group
from groups.tests.matrix import ROLES, statuses
from users.models import User
from users.tests.factories import make_admin, make_link, make_superuser, make_user

if TYPE_CHECKING:
    from collections.abc import Mapping

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


@override_settings(API_WRITES_PER_USER="", CHAT_BURST=1_000)
class ChatMatrixTests(TestCase):
    people: dict[str, User]
    clients: dict[str, APIClient]
    ids: dict[str, Any]

    @classmethod
    def setUpTestData(cls) -> None:
        cache.clear()
        cls.people = {
            "outsider": make_user(),
            "member": make_user(),
            "mentor": make_user(role="mentor", status="active"),
            "linked supervisor": make_user(role="supervisor", status="active"),
            "other supervisor": make_user(role="supervisor", status="active"),
            "staff only": make_user(is_staff=True),
            "superuser": make_superuser(),
            "admin": make_admin(),
            "suspended member": make_user(),
            "past member": make_user(),
        }
        cls.make_objects()
        cls.clients = {name: signed_in_client(user) for name, user in cls.people.items()}
        cls.clients["anonymous"] = APIClient()
        User.objects.filter(pk=cls.people["suspended member"].pk).update(status=User.Status.INACTIVE)

    @classmethod
    def make_objects(cls) -> None:
        member, author = cls.people["member"], make_user()
        make_link(member, cls.people["linked supervisor"])
        make_link(cls.people["outsider"], cls.people["other supervisor"])
        people = [member, author, cls.people["suspended member"]]
        group = make_group(members=people, mentor=cls.people["mentor"])
        PastMember.objects.create(group=group, user=cls.people["past member"], role="student")
        make_group(members=[cls.people["outsider"]])
        message = make_message(group=group, author=author)
        report = MessageReport.objects.create(message=message, reporter=author, category="spam")
        cls.ids = {**UNKNOWN, "group_id": group.pk, "message_id": message.pk, "id": report.pk}

    def call(self, role: str, operation: str, ids: Mapping[str, Any]) -> Any:
        """Call as that role, and undo whatever the call did."""
        method, path = operation.split()
        client: Any = self.clients[role]
        form = None if method == "GET" else "json"
        with undone():
            return getattr(client, method.lower())(path.format_map(ids), BODIES.get(operation), format=form)

    def test_every_operation_on_conversations_has_a_row_and_every_row_an_operation(self) -> None:
        """SAFETY B23."""
        there_are = {
            f"{method} {path}" for method, path, operation in operations() if operation["tags"] == ["Chat"]
        }

        self.assertEqual(set(statuses(TABLE)), there_are)

    def test_each_role_gets_what_its_row_says(self) -> None:
        """SAFETY B23, B25."""
        for operation, expected in statuses(TABLE).items():
            with self.subTest(operation):
                got = [self.call(role, operation, self.ids).status_code for role in ROLES]
                self.assertEqual(dict(zip(ROLES, got, strict=True)), dict(zip(ROLES, expected, strict=True)))

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
