"""Groups that are not archived, counted by status and track as they change (ADR 0024)."""

from django.db import migrations

from core.tallies import Keep, Tally


class Migration(migrations.Migration):
    dependencies = [("groups", "0009_add_group_counts")]
    operations = [
        Keep(Tally("groups_group", "groups_groupcount", ("status", "track"), "groups", "archived_at IS NULL"))
    ]
