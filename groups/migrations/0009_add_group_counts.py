"""Room for counts of groups that are added up; the next migration fills it."""

from django.db import migrations, models


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
    ]
