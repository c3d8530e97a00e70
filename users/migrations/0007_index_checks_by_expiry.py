"""Checks of adults by the day on which they run out. Small: one row an adult, and none a student."""

from django.db import migrations, models

from core import operations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("users", "0006_name_people_as_such")]

    operations = [
        operations.AddIndexConcurrently(
            model_name="supervisorprofile",
            index=models.Index(
                condition=models.Q(("wwcc_expiry__isnull", False)),
                fields=["wwcc_expiry"],
                name="check_by_expiry",
            ),
        ),
    ]
