"""What was published before people were told of announcements is no news: nobody is told of it now."""

from django.db import migrations
from django.db.models.functions import Now


def count_as_told(apps, schema_editor):
    rows = apps.get_model("announcements", "Announcement").objects.all()
    rows.filter(told_at=None, appears_at__lte=Now()).update(told_at=Now())


class Migration(migrations.Migration):
    dependencies = [("announcements", "0005_add_mail_and_telling")]

    operations = [migrations.RunPython(count_as_told, migrations.RunPython.noop)]
