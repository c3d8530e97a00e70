"""An author's own text: changed for a while (CONTRACT D24)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.test import override_settings
from django.utils import timezone

from chat.models import Message
from chat.services.moderation import change_message
from chat.tests.cases import ChatCase
from core.refusals import Missing

AN_HOUR: Final = timedelta(hours=1)


class EditingTests(ChatCase):
    def test_an_author_changes_the_text_and_that_is_said(self) -> None:
        """D24."""
        message = self.posted(text="Helo")

        edited = self.change(self.student, message["id"], text="  Hello ").json()

        self.assertEqual((edited["text"], edited["seq"], edited["revision"]), ("Hello", 1, 2))
        self.assertEqual((edited["timestamp"], bool(edited["editedAt"])), (message["timestamp"], True))
        self.assertEqual(self.texts(self.friend), ["Hello"])

    @override_settings(MESSAGE_EDIT_MINUTES=1)
    def test_the_time_for_it_runs_out(self) -> None:
        for seconds, status in ((30, 200), (90, 403)):
            message = self.write(created_at=timezone.now() - timedelta(seconds=seconds)).pk
            for answer in (self.change(self.student, message, text="x"), self.remove(self.student, message)):
                with self.subTest(seconds):
                    self.assertEqual(answer.status_code, status)
                    if status == 403:
                        self.assertEqual(answer.json()["code"], "edit_window_over")

    def test_a_moderator_has_no_longer_for_their_own_text(self) -> None:
        message = self.write(author=self.mentor, created_at=timezone.now() - AN_HOUR).pk

        self.assert_refused(self.change(self.mentor, message, text="x"), 403)
        self.assertEqual(self.remove(self.mentor, message).status_code, 200)

    def test_a_text_is_taken_away_only_where_a_file_stays(self) -> None:
        bare, filed = self.write(), self.write()
        filed.attachments.create(file_url="https://cdn.example.org/a.pdf", filename="a.pdf")

        for text in ("", " ", None):
            with self.subTest(text):
                self.assert_refused(self.change(self.student, bare.pk, text=text), 400, "text")
                self.assertEqual(self.change(self.student, filed.pk, text=text).json()["text"], "")

    def test_what_a_moderator_has_removed_meanwhile_is_not_changed(self) -> None:
        message = self.write()
        Message.objects.filter(pk=message.pk).update(is_deleted=True)

        with self.assertRaises(Missing):
            change_message(message, by=self.student, values={"text": "Nothing"})

        message.refresh_from_db()
        self.assertEqual(message.text, "Hello")
