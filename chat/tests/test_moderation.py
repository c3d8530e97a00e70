"""Changing, removing and restoring what was posted (CONTRACT 8.3, 8.4; D24, D27)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from chat.models import Message
from chat.tests.cases import REMOVED, STATES, UNKNOWN_ID, ChatCase
from core.models import AuditEvent
from groups.tests.cases import call
from groups.tests.factories import make_group
from users.tests.factories import make_user

if TYPE_CHECKING:
    from users.models import User

MODERATORS: Final = ("mentor", "supervisor", "admin")
ACTIONS: Final[dict[str, Any]] = {
    "edit": {"text": "Changed"},
    "judge": {"moderationStatus": "rejected"},
    "note": {"moderationNote": "Be kind"},
    "restore": {"restore": True},
    "edit and judge": {"text": "Changed", "moderationStatus": "approved"},
    "remove": None,
}
BAD: Final[dict[str, tuple[Any, ...]]] = {
    "restore": ("true", "false", 1, 0, False, None, [], {}),
    "moderationStatus": ("Approved", "hidden", "", None, 5, []),
    "moderationNote": (5, None, [], "a\0b", "x" * 5_001),
    "text": (5, [], "a\0b", "x" * 10_001),
}
ROLES: Final = ("author", "member", *MODERATORS, "outsider", "staff")
# Of a student's message, by ROLES: when it is new; and an hour old, where that may make a difference.
MATRIX: Final = {
    "edit": ([200, 403, 403, 403, 403, 403, 403], [403] * 7),
    "judge": ([403, 403, 200, 200, 200, 403, 403],),
    "note": ([403, 403, 200, 200, 200, 403, 403],),
    "restore": ([403, 403, 200, 200, 200, 403, 403],),
    "edit and judge": ([403] * 7,),
    "remove": ([200, 403, 200, 200, 200, 403, 403], [403, 403, 200, 200, 200, 403, 403]),
}
AN_HOUR: Final = timedelta(hours=1)


class MatrixTests(ChatCase):
    def act(self, who: User, action: str, message_id: int) -> int:
        body = ACTIONS[action]
        answer = self.remove(who, message_id) if body is None else self.change(who, message_id, **body)
        return int(answer.status_code)

    def test_each_role_does_what_it_may_while_it_may(self) -> None:
        """SAFETY B25."""
        people = {**self.readers, "outsider": self.outsider, "staff": make_user(is_staff=True)}
        for action, by_age in MATRIX.items():
            for age, expected in zip((timedelta(0), AN_HOUR), by_age, strict=False):
                with self.subTest(action, age=age):
                    got = [
                        self.act(people[role], action, self.write(created_at=timezone.now() - age).pk)
                        for role in ROLES
                    ]
                    self.assertEqual(
                        dict(zip(ROLES, got, strict=True)), dict(zip(ROLES, expected, strict=True))
                    )

    def test_what_is_not_there_or_elsewhere_is_missing(self) -> None:
        """SAFETY B24."""
        elsewhere = self.write(group=make_group(members=[self.student], mentor=self.mentor)).pk
        for message_id in (elsewhere, UNKNOWN_ID):
            for role, who in self.readers.items():
                for action in ACTIONS:
                    with self.subTest(action, role=role):
                        self.assertEqual(self.act(who, action, message_id), 404)

    def test_what_somebody_may_not_read_is_missing_for_them(self) -> None:
        for state in ("pending", "rejected", "removed"):
            message = self.write(**STATES[state])
            for action in ACTIONS:
                with self.subTest(state, action=action):
                    self.assertEqual(self.act(self.friend, action, message.pk), 404)

    def test_a_message_is_neither_read_nor_replaced_alone(self) -> None:
        message = self.write()

        for method in ("get", "put", "post"):
            with self.subTest(method):
                self.assert_refused(call(self.admin, method, self.one(message.pk)), 405)


class BodyTests(ChatCase):
    def test_values_that_are_none_are_refused_by_their_name(self) -> None:
        """B78."""
        message = self.write(**STATES["removed"])
        for name, values in BAD.items():
            for value in values:
                with self.subTest(name, value=str(value)[:20]):
                    response = self.change(self.mentor, message.pk, **{name: value})
                    self.assert_refused(response, 400, name)
        message.refresh_from_db()
        self.assertTrue(message.is_deleted)

    def test_a_body_without_anything_to_do_is_refused_as_an_object(self) -> None:
        """B77."""
        message = self.write()

        for body in ({}, {"note": "x"}, {"is_deleted": True}):
            with self.subTest(body):
                response = self.change(self.mentor, message.pk, **body)
                self.assertEqual((response.status_code, type(response.json())), (400, dict))
                self.assertIn("error", response.json())


class JudgingTests(ChatCase):
    def test_a_judgement_says_who_made_it_and_when(self) -> None:
        message = self.write()

        for body in (
            {"moderationStatus": "rejected"},
            {"moderationNote": " Be kind "},
            {"moderationNote": ""},
        ):
            with self.subTest(body):
                before = timezone.now().isoformat()
                told = self.change(self.mentor, message.pk, **body).json()["moderation"]
                self.assertEqual(told["moderatedBy"], self.mentor.pk)
                self.assertLess(before, told["moderatedAt"].replace("Z", "+00:00"))
        self.assertEqual((told["status"], told["note"]), ("rejected", None))

    def test_each_act_leaves_a_row_in_the_log_without_what_was_said(self) -> None:
        """B78: a note alone, too."""
        message = self.write(text="Secret words").pk
        for body in ({"moderationNote": "Hidden words"}, {"moderationStatus": "pending"}, {"restore": True}):
            self.change(self.mentor, message, **body)
        self.remove(self.mentor, message)

        rows = AuditEvent.objects.filter(object_id=str(message), actor_id=self.mentor.pk).order_by("pk")

        self.assertEqual([row.action for row in rows], ["message_moderated"] * 3 + ["message_removed"])
        self.assertEqual({row.object_type for row in rows}, {"chat.message"})
        self.assertNotIn("words", str([row.changes for row in rows]))

    def test_restoring_keeps_the_judgement(self) -> None:
        message = self.write(**STATES["removed"], moderation_status="rejected").pk

        restored = self.change(self.mentor, message, restore=True).json()

        self.assertEqual((restored["deletedAt"], restored["isDeleted"]), (None, True))
        self.assertEqual(restored["moderation"]["status"], "rejected")
        self.assertIsNone(self.shown(self.friend, message))

    def test_what_is_restored_is_there_again(self) -> None:
        message = self.posted()["id"]
        self.remove(self.mentor, message)

        self.change(self.admin, message, restore=True)

        shown = self.shown(self.friend, message)
        assert shown
        self.assertEqual((shown["text"], shown["isDeleted"], shown["deletedBy"]), ("Hello", False, None))

    def test_an_approved_message_that_is_set_to_pending_leaves_the_others(self) -> None:
        """D27."""
        message = self.posted()["id"]
        self.change(self.mentor, message, moderationStatus="pending")

        self.assertEqual([self.texts(who) for who in self.readers.values()].count([]), 1)
        (tombstone,) = self.page(self.friend, after=1)["messages"]
        self.assertEqual((tombstone["text"], tombstone["isDeleted"]), (REMOVED, True))

        self.change(self.mentor, message, moderationStatus="approved")
        self.assertEqual(self.texts(self.friend), ["Hello"])


class RemovingTests(ChatCase):
    def test_removing_again_keeps_the_first_time_and_hand(self) -> None:
        message = self.posted()["id"]
        first = self.remove(self.mentor, message).json()

        again = self.remove(self.admin, message)

        self.assertEqual((again.status_code, again.json()), (200, first))
        self.assertEqual((first["deletedBy"], first["text"]), (self.mentor.pk, "Hello"))
        self.assertEqual(AuditEvent.objects.filter(action="message_removed").count(), 1)

    def test_an_author_gets_the_tombstone_of_it_however_often(self) -> None:
        """D24: a phone may ask again when the time to remove it is over."""
        message = self.posted()["id"]
        first = self.remove(self.student, message).json()
        Message.objects.filter(pk=message).update(created_at=timezone.now() - AN_HOUR)

        again = self.remove(self.student, message)

        self.assertEqual((first["text"], first["isDeleted"], first["deletedBy"]), (REMOVED, True, None))
        self.assertEqual((again.status_code, again.json()["text"]), (200, REMOVED))

    def test_the_text_of_what_is_removed_is_nowhere_for_who_may_not_read_it(self) -> None:
        """B75."""
        message = self.posted(text="Unspeakable @Ada", clientId="a")["id"]
        self.posted(self.friend, text="What?", replyTo=message)
        self.react(self.friend, message)

        self.remove(self.mentor, message)
        self.assert_unspoken()
        self.change(self.mentor, message, restore=True)
        self.change(self.mentor, message, moderationStatus="rejected")
        self.assert_unspoken()

    def assert_unspoken(self) -> None:
        paths = (self.url(), f"{self.url()}?after=0", "/api/mentions/", "/api/groups/my-groups/")
        for who in (self.student, self.friend):
            for path in (*paths, "/api/messages/search/?q=Unspeak"):
                with self.subTest(path, who=who.pk):
                    response = call(who, "get", path)
                    self.assertEqual(response.status_code, 200)
                    self.assertNotIn("Unspeakable", response.content.decode())
        self.assertIn("Unspeakable", str(self.page(self.mentor)))
