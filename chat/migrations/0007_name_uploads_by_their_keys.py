"""Attachments name our own uploads by their keys: links are made for each reader, and die."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations, models
from django.db.models import OuterRef, Subquery

if TYPE_CHECKING:
    from django.apps.registry import Apps


def name_by_keys(apps: Apps, schema_editor: object) -> None:
    uploads = apps.get_model("core", "Upload").objects.filter(pk=OuterRef("upload_id"))
    attachments = apps.get_model("chat", "MessageAttachment").objects.exclude(upload=None)
    attachments.update(file_url=Subquery(uploads.values("key")[:1]))


class Migration(migrations.Migration):
    dependencies = [("chat", "0006_index_moments_by_ranges"), ("core", "0001_initial")]

    operations = [
        migrations.AlterField(
            "messageattachment",
            "file_url",
            models.CharField(max_length=2048, help_text="Our upload's key, or a link to elsewhere."),
        ),
        migrations.RunPython(name_by_keys, migrations.RunPython.noop),
    ]
