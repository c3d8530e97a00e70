"""Gives groups that were there before the key under which ids sort as people count."""

import re

from django.db import migrations


def sort_key(text):
    return re.sub(r"[0-9]+", lambda run: f"{len(run[0].lstrip('0')):02}{run[0].lstrip('0')}", text.lower())


def fill(apps, schema_editor):
    Group = apps.get_model("groups", "Group")
    batch = []
    for group in Group.objects.filter(sort_key="").only("id").iterator(chunk_size=1000):
        group.sort_key = sort_key(group.id)
        batch.append(group)
    Group.objects.bulk_update(batch, ["sort_key"], batch_size=1000)


class Migration(migrations.Migration):
    dependencies = [("groups", "0003_add_archive_history_and_plan")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
