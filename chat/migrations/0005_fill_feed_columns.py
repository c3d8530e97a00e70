"""Says of messages that were there before with which revision they came, and which were never in sight."""

from django.db import migrations
from django.db.models import F


def fill(apps, schema_editor):
    Message = apps.get_model("chat", "Message")
    Message.objects.filter(posted_revision=0).update(posted_revision=F("seq"))
    hidden = Message.objects.filter(moderation_status__in=["pending", "rejected"], moderated_at=None)
    hidden.update(was_shown=False)


class Migration(migrations.Migration):
    dependencies = [("chat", "0004_search_by_trigrams")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
