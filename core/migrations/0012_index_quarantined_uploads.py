"""Files in quarantine: few rows, which the work queue of the admin site counts."""

from django.db import migrations, models

from core import operations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("core", "0011_forget_audit_events")]

    operations = [
        operations.AddIndexConcurrently(
            model_name="upload",
            index=models.Index(
                condition=models.Q(("state", "quarantined")), fields=["id"], name="upload_quarantined"
            ),
        ),
    ]
