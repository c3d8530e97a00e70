"""Groups that are not archived, counted by status and track as they change (ADR 0024)."""

from django.db import migrations, models

from core import tallies


class Migration(migrations.Migration):
    dependencies = [("groups", "0008_index_tasks_by_due_date")]

    operations = [
        migrations.CreateModel(
            name="GroupCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("status", models.CharField(max_length=50)),
                ("track", models.CharField(blank=True, max_length=50)),
                ("groups", models.IntegerField()),
            ],
        ),
        tallies.Keep(
            tallies.Tally("groups_group", "groups_groupcount", ("status", "track"), "groups", "archived_at IS NULL")
        ),
    ]
