"""Rows from before ``Announcement.normalise``: signed where nobody had, without a link that leads nowhere."""

from django.db import migrations
from django.db.models import Q

WEB = Q(link__istartswith="http://") | Q(link__istartswith="https://")


def tidy(apps, schema_editor):
    rows = apps.get_model("announcements", "Announcement").objects.all()
    rows.filter(author__regex=r"^\s*$").update(author="Program Team")
    rows.filter(link__isnull=False).exclude(WEB).update(link=None)


class Migration(migrations.Migration):
    dependencies = [("announcements", "0003_search_by_trigrams")]

    operations = [migrations.RunPython(tidy, migrations.RunPython.noop)]
