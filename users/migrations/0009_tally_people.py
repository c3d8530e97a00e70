"""People counted by role, status and track as they change (ADR 0024)."""

from django.db import migrations

from core.tallies import Keep, Tally


class Migration(migrations.Migration):
    dependencies = [("users", "0008_add_headcounts")]
    operations = [Keep(Tally("users", "users_headcount", ("role", "status", "track"), "people"))]
