"""The reference's defects in chat (CONTRACT 19.4): one named test for each, here or in a file beside."""

from __future__ import annotations

import logging
from typing import Any

import orjson

from authentication.tests.signing_in import signed_in_client
from chat.models import Message
from chat.realtime import Kind, event_of
from chat.tests.cases import STATES, ChatCase
from core.logs import TokenScrubber
from groups.models import GroupMember
from users.models import User


class DefectTests(ChatCase):
    def test_an_event_is_plain_json_whatever_was_done_to_its_message(self) -> None:
        """B60: a moment that was no text broke the fan-out as soon as anybody listened."""
        quoted = self.write()
        for fields in STATES.values():
            message = self.write(
                reply_to=quoted,
                edited_at=quoted.created_at,
                moderated_at=quoted.created_at,
                moderated_by=self.mentor,
                **fields,
            )
            with self.subTest(fields):
                whole = Message.objects.with_details().get(pk=message.pk)
                event = event_of(Kind.UPDATED, whole, before=whole.sight)
                self.assertEqual(plain_types(event), plain_types(orjson.loads(orjson.dumps(event))))

    def test_rights_are_asked_for_anew_at_every_request(self) -> None:
        """B62: who was a moderator, or a member, a moment ago."""
        client: Any = signed_in_client(self.mentor)
        message = self.write().pk
        self.assertEqual(client.patch(self.one(message), {"moderationNote": "x"}).status_code, 200)

        GroupMember.objects.create(group=self.group, user=self.mentor)
        type(self.group).objects.update(mentor=None)
        self.assertEqual(client.patch(self.one(message), {"moderationNote": "y"}).status_code, 403)

        self.group.members.all().delete()
        self.assertEqual(client.get(self.url()).status_code, 403)
        User.objects.filter(pk=self.mentor.pk).update(status="inactive")
        self.assertEqual(client.get(self.url()).status_code, 401)

    def test_neither_a_token_nor_what_was_looked_for_is_logged(self) -> None:
        """B67."""
        for path in ("/ws/chat/groups/BTF046/", "/ws/chat/groups/BTF046", "/api/messages/search/"):
            with self.subTest(path):
                line = f'"GET {path}?token=aa.bb.cc&q=secret HTTP/1.1" 200'
                record = logging.LogRecord("gunicorn.access", logging.INFO, "", 0, line, (), None)
                TokenScrubber().filter(record)
                self.assertEqual(record.getMessage(), f'"GET {path}?*** HTTP/1.1" 200')

    def test_both_slash_forms_are_served(self) -> None:
        """B76."""
        client: Any = signed_in_client(self.mentor)
        message = self.write(author=self.mentor).pk

        for method, path, status in (
            ("get", self.url(), 200),
            ("post", self.url(), 201),
            ("patch", self.one(message), 200),
            ("post", self.url("group-read"), 200),
            ("delete", self.one(message), 200),
        ):
            for form in (path, f"{path}/"):
                with self.subTest(form, method=method):
                    answer = client.generic(method.upper(), form, b'{"text":"x"}', "application/json")
                    self.assertEqual(answer.status_code, status)
        self.assertEqual(Message.objects.count(), 3)


def plain_types(value: Any) -> Any:
    """Return the value with the exact type of each part: a subclass of text is not text on every layer."""
    if type(value) is dict:
        return {name: plain_types(part) for name, part in value.items()}
    if type(value) is list:
        return [plain_types(part) for part in value]
    return type(value), value
