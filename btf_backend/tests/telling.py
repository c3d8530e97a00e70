"""Has people told of everything, by the services that tell it: for tests that look for what is left of it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import time_machine
from django.conf import settings
from django.test import TestCase
from django.utils import timezone

from chat.tests.factories import make_message
from core.models import NotificationChoice
from core.moments import zone_of
from core.notifications.tasks import write_daily_mails
from events.models import EventRegistration
from events.services.reminders import remind
from events.services.telling import tell_confirmed
from events.tests.factories import make_event
from groups.models import Milestone, Task
from groups.tasks import remind_of_tasks
from users.services.standing import tell_of_change

if TYPE_CHECKING:
    from collections.abc import Collection

    from groups.models import Group
    from users.models import User

TOLD = {"account_status", "event_seat", "event_reminder", "task_due", "daily"}


def next_daily_hour() -> datetime:
    now = timezone.now().astimezone(zone_of(""))
    hour = datetime.combine(now.date(), time(settings.DAILY_MAIL_HOUR), zone_of(""))
    return hour if hour > now else hour + timedelta(days=1)


class TellingOfEverything(TestCase):
    @classmethod
    def tell_everything(cls, people: Collection[User], *, group: Group, author: User) -> None:
        """Tell people, who are in the group, of their account, a seat, and what is unread and due.

        The reminder of their task waits for the daily mail, which carries it and has not been sent yet.
        """
        hour = next_daily_hour()
        event = make_event(start_at=hour + timedelta(hours=20), date=(hour + timedelta(hours=20)).date())
        milestone = Milestone.objects.create(group=group, title="Write")
        make_message(group=group, author=author, text="New plates")
        with cls.captureOnCommitCallbacks(execute=True):
            for person in people:
                NotificationChoice.objects.create(person=person, kind="task_due", pace="daily")
                Task.objects.create(
                    milestone=milestone, name="Read", assigned_to=person, due_date=hour.date()
                )
                tell_confirmed(EventRegistration.objects.create(event=event, user=person))
                tell_of_change(person, before={"status": "inactive"})
        with (
            time_machine.travel(hour - timedelta(hours=1)),
            cls.captureOnCommitCallbacks(execute=True),
        ):
            remind()
            remind_of_tasks()
        with time_machine.travel(hour + timedelta(minutes=1)), cls.captureOnCommitCallbacks():
            write_daily_mails()
