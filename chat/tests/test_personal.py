"""What a person's own data tells of their conversations."""

from __future__ import annotations

from chat.models import MessageReport, ReadCursor
from chat.personal import documents_of
from chat.tests.cases import ChatCase


class OwnDataTests(ChatCase):
    def test_it_tells_what_they_left_and_where_they_were_named(self) -> None:
        mine, other = self.write(), self.write(author=self.friend)
        reaction = other.reactions.create(user=self.student, sign="\u2753")
        other.mentions.create(user=self.student)
        report = other.reports.create(reporter=self.student, category="spam", note="Look")
        cursor = ReadCursor.objects.create(group=self.group, user=self.student, seq=2)
        for message in (mine, other):
            message.reactions.create(user=self.mentor, sign="\u2753")
            message.mentions.create(user=self.mentor)
            message.reports.create(reporter=self.mentor, category="unsafe")

        told = dict(documents_of(self.student))

        messages = told.pop("messages")
        self.assertEqual([row["id"] for row in messages], [mine.pk])  # type: ignore[attr-defined]
        self.assertEqual(
            told,
            {
                "reading": [{"groupId": "BTF046", "seq": 2, "readAt": cursor.read_at}],
                "reactions": [
                    {"messageId": other.pk, "sign": "\u2753", "createdAt": reaction.created_at},
                ],
                "mentions": [{"messageId": other.pk}],
                "messageReports": [
                    {
                        "id": report.pk,
                        "messageId": other.pk,
                        "category": "spam",
                        "note": "Look",
                        "createdAt": report.created_at,
                    }
                ],
                "openedMessages": [],
            },
        )

    def test_nobody_learns_who_reported_them(self) -> None:
        message = self.write()
        MessageReport.objects.create(message=message, reporter=self.friend, category="spam", note="Mean")

        self.assertNotIn("Mean", str(dict(documents_of(self.student))))
