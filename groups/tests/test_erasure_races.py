"""Erasing somebody while their groups are written to: nobody waits in a ring, and nothing is half done."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.utils import timezone

from chat.tests.factories import make_message
from core.models import Upload
from core.registry import erasure
from groups.models import Group
from groups.services import plan, teams
from groups.tests.factories import make_group, make_milestone, make_task
from groups.tests.racing import RaceCase
from users.models import User
from users.services.erasure import erase_person
from users.tests.factories import make_superuser, make_user

if TYPE_CHECKING:
    from collections.abc import Callable


def slowly(function: Callable[..., Any]) -> Callable[..., Any]:
    """Take a while before a step, so that whoever else is on the way gets there first."""

    def wait_and_call(*args: Any, **kwargs: Any) -> Any:
        time.sleep(1)
        return function(*args, **kwargs)

    return wait_and_call


class ErasureRaces(RaceCase):
    def setUp(self) -> None:
        super().setUp()
        self.other = make_superuser()
        self.mentor, self.student = make_user(role="mentor", status="active"), make_user()
        self.group = make_group(mentor=self.mentor, members=[self.student])
        self.task = make_task(make_milestone(self.group), assigned_to=self.mentor)

    def erase_soon(self, person: User) -> None:
        time.sleep(0.4)
        erase_person(person, by=self.other)

    def test_a_task_is_ticked_while_its_assignee_who_mentors_the_group_is_erased(self) -> None:
        tick = partial(plan.change_task, self.task, by=self.student, values={"completed": True})
        with patch("groups.services.plan.write", slowly(plan.write)):
            self.meet(tick, partial(self.erase_soon, self.mentor))

        self.task.refresh_from_db()
        self.assertEqual((self.task.completed, self.task.assigned_to), (True, None))

    def test_tasks_are_reordered_while_an_assignee_is_erased(self) -> None:
        reorder = partial(plan.reorder_tasks, self.task.milestone, by=self.student, order=[self.task.pk])
        with patch("groups.services.plan.arrange", slowly(plan.arrange)):
            self.meet(reorder, partial(self.erase_soon, self.mentor))

        self.assertFalse(User.objects.filter(pk=self.mentor.pk).exists())

    def test_a_group_is_purged_while_a_member_is_erased(self) -> None:
        for app in ("users", "chat"):
            student = make_user()
            group = make_group(members=[student])
            upload = Upload.objects.create(
                owner=student, key=f"a/{app}", filename="x", size=1, mime_type="a/b"
            )
            make_message(group=group, author=student).attachments.create(
                upload=upload, filename="x.pdf", file_url="https://x.example/x.pdf"
            )
            Group.objects.filter(pk=group.pk).update(archived_at=timezone.now() - timedelta(days=31))

            with self.subTest(app), patch.dict(erasure.entries, {app: slowly(erasure.entries[app])}):
                self.meet(partial(erase_person, student, by=self.other), slowly(teams.purge_next))
                self.assertFalse(User.objects.filter(pk=student.pk).exists())
