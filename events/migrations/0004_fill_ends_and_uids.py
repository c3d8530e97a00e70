"""Gives events that were there before a name in calendars, and the moment at which each is over: in UTC."""

import uuid
from datetime import UTC, date, datetime, time, timedelta

from django.db import migrations

ROWS_AT_ONCE = 1000


def end_of(day):
    return datetime.combine(min(day, date(9999, 12, 30)) + timedelta(days=1), time.min, UTC)


def fill(apps, schema_editor):
    Event = apps.get_model("events", "Event")
    while batch := list(Event.objects.filter(uid=None).only("date")[:ROWS_AT_ONCE]):
        for event in batch:
            event.uid, event.over_at = uuid.uuid4(), end_of(event.date)
        Event.objects.bulk_update(batch, ["uid", "over_at"])


class Migration(migrations.Migration):
    dependencies = [("events", "0003_add_times_waitlist_and_feeds")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
