"""Room for counts of people that are added up; the next migration fills it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0007_index_checks_by_expiry")]

    operations = [
        migrations.CreateModel(
            name="Headcount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.CharField(max_length=20)),
                ("status", models.CharField(max_length=20)),
                ("track", models.CharField(blank=True, max_length=50)),
                ("people", models.IntegerField()),
            ],
        ),
    ]
