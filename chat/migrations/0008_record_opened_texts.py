"""Opening what was said at the admin site takes a reason, and this is where it stands."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0007_name_uploads_by_their_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="TextOpening",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("actor_id", models.BigIntegerField(help_text="Who opened it.")),
                ("message_id", models.BigIntegerField()),
                ("group_id", models.CharField(max_length=50)),
                (
                    "reason",
                    models.CharField(
                        blank=True, help_text="Blank: freed of a person who was erased since.", max_length=500
                    ),
                ),
                ("opened_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["-opened_at", "-id"],
                "indexes": [
                    models.Index(fields=["-opened_at", "-id"], name="text_opening_newest_first"),
                    models.Index(fields=["message_id"], name="text_opening_by_message"),
                    models.Index(fields=["actor_id"], name="text_opening_by_actor"),
                ],
            },
        ),
    ]
