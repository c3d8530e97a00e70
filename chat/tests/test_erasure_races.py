"""Erasing somebody while messages are changed that point at them: nobody waits in a ring."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from chat.models import Conversation, Mention, Message
from chat.services import moderation, posting, reactions
from chat.services.mentions import named_in
from chat.tests.factories import make_message
from core.refusals import SignedOut
from groups.tests.factories import make_group
from groups.tests.racing import RaceCase
from users.models import User
from users.services.erasure import erase_person
from users.tests.factories import make_user

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 2
CHANGE_SECONDS = 0.2


def save_slowly(conversation: Conversation, *args: Any, **kwargs: Any) -> None:
    """Save, and take a while before what comes next: the message is written, and not yet committed."""
    save(conversation, *args, **kwargs)
    time.sleep(CHANGE_SECONDS)


def name_slowly(*args: Any) -> set[int]:
    named = named_in(*args)
    time.sleep(CHANGE_SECONDS)
    return named


save = Conversation.save


class ErasureRaces(RaceCase):
    """A student's message that the mentor has judged, and two that quote it."""

    def begin(self) -> None:
        self.mentor = make_user(role="mentor", status="active", first_name="Max")
        self.student, self.friend = make_user(), make_user(first_name="Bo")
        self.group = make_group(mentor=self.mentor, members=[self.student, self.friend])
        write = partial(make_message, group=self.group)
        self.message = write(author=self.student, text="Look, @Bo")
        Mention.objects.create(message=self.message, user=self.friend)
        for author in (self.student, self.friend):
            write(author=author, reply_to=self.message)
        # Lies behind its quotes on the disk, from here on: who goes by that order meets them first.
        moderation.change_message(self.message, by=self.mentor, values={"moderation_note": "Good"})

    def changes(self) -> dict[str, Callable[[], object]]:
        change = partial(moderation.change_message, self.message)
        return {
            "edit": partial(change, by=self.student, values={"text": "Look, @Max"}),
            "judge": partial(change, by=self.mentor, values={"moderation_status": "rejected"}),
            "take back": partial(moderation.remove_message, self.message, by=self.student),
            "remove": partial(moderation.remove_message, self.message, by=self.mentor),
            "react": partial(reactions.react, self.message, by=self.student, sign="\u2753", is_set=True),
        }

    def erase(self, person: User, *, after: float = 0.0) -> None:
        time.sleep(after)
        erase_person(person, by=self.admin)

    def test_somebody_is_erased_whom_a_change_on_its_way_points_at(self) -> None:
        for name, who in (
            ("take back", "student"),
            ("react", "student"),
            ("edit", "mentor"),
            ("edit", "friend"),
            ("remove", "student"),
        ):
            self.begin()
            person = getattr(self, who)
            with self.subTest(name, of=who), patch.object(Conversation, "save", save_slowly):
                self.meet(self.changes()[name], partial(self.erase, person, after=0.02))
            self.assertFalse(User.objects.filter(pk=person.pk).exists())

    def test_somebody_is_erased_whom_a_post_on_its_way_names_or_who_posts(self) -> None:
        """The first is no fault of who posts; the second is signed out."""
        for who, stored in (("friend", 1), ("student", 0)):
            self.begin()
            person = getattr(self, who)
            post = partial(
                posting.post_message, group_id=self.group.pk, author=self.student, draft=posting.Draft("@Bo")
            )
            with self.subTest(who), patch.object(posting, "named_in", name_slowly):
                outcome, _ = self.meet(post, partial(self.erase, person, after=0.02))
                self.assertEqual(Message.objects.filter(group=self.group, text="@Bo").count(), stored)
                self.assertEqual(isinstance(outcome, SignedOut), not stored)
            self.assertFalse(User.objects.filter(pk=person.pk).exists())

    def test_both_are_erased_while_everybody_changes_what_they_can(self) -> None:
        for _ in range(ROUNDS):
            self.begin()
            erasures = [partial(self.erase, person) for person in (self.student, self.mentor)]
            self.meet(*self.changes().values(), *erasures)
            self.message.refresh_from_db()
            self.assertEqual((self.message.author, self.message.moderated_by), (None, None))
