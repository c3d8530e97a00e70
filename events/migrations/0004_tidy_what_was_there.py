"""Forward: a link that is no web address leads nowhere any more. Back: who waits does not become who comes."""

from django.db import migrations
from django.db.models import Q

WEB = Q(register_link__istartswith="http://") | Q(register_link__istartswith="https://")


def drop_other_links(apps, schema_editor):
    apps.get_model("events", "Event").objects.exclude(WEB).exclude(register_link="").update(register_link="")


def drop_waiting(apps, schema_editor):
    apps.get_model("events", "EventRegistration")._base_manager.exclude(waiting_since=None).delete()


class Migration(migrations.Migration):
    dependencies = [("events", "0003_add_times_waitlist_and_feeds")]

    operations = [migrations.RunPython(drop_other_links, drop_waiting)]
