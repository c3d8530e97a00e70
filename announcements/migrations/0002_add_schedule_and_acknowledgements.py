import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Coalesce, Greatest


class Migration(migrations.Migration):

    dependencies = [
        ("announcements", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="announcement",
            name="publish_at",
            field=models.DateTimeField(blank=True, help_text="Nobody but admins sees it before.", null=True),
        ),
        migrations.AddField(
            model_name="announcement",
            name="expires_at",
            field=models.DateTimeField(blank=True, help_text="From then on admins alone see it.", null=True),
        ),
        migrations.AddField(
            model_name="announcement",
            name="pinned",
            field=models.BooleanField(db_default=False, default=False, help_text="Stands before all others."),
        ),
        migrations.AddField(
            model_name="announcement",
            name="appears_at",
            field=models.GeneratedField(
                db_persist=True,
                expression=Greatest("created_at", Coalesce("publish_at", "created_at")),
                help_text="When it is first read: what was scheduled is new on its day.",
                output_field=models.DateTimeField(),
            ),
        ),
        migrations.AlterField(
            model_name="announcement",
            name="author",
            field=models.CharField(blank=True, default="Program Team", max_length=100),
        ),
        migrations.AlterField(
            model_name="announcement",
            name="content",
            field=models.TextField(blank=True, help_text="Markdown.", max_length=20000),
        ),
        migrations.AlterField(
            model_name="announcement",
            name="summary",
            field=models.TextField(max_length=5000),
        ),
        migrations.AlterField(
            model_name="announcement",
            name="link",
            field=models.URLField(
                blank=True,
                null=True,
                validators=[django.core.validators.URLValidator(schemes=["http", "https"])],
            ),
        ),
        migrations.AlterModelOptions(
            name="announcement", options={"ordering": ["-pinned", "-appears_at", "-id"]}
        ),
        migrations.RemoveIndex(model_name="announcement", name="announcement_newest_first"),
        migrations.AddIndex(
            model_name="announcement",
            index=models.Index(fields=["-pinned", "-appears_at", "-id"], name="announcement_newest_first"),
        ),
        migrations.AddIndex(
            model_name="announcement",
            index=models.Index(
                fields=["audience", "-pinned", "-appears_at", "-id"], name="announcement_by_audience"
            ),
        ),
        migrations.AddIndex(
            model_name="announcement",
            index=models.Index(
                condition=models.Q(("publish_at", None), _negated=True),
                fields=["publish_at"],
                name="announcement_by_publication",
            ),
        ),
        migrations.AddIndex(
            model_name="announcement",
            index=models.Index(
                condition=models.Q(("expires_at", None), _negated=True),
                fields=["expires_at"],
                name="announcement_by_expiry",
            ),
        ),
        migrations.AddConstraint(
            model_name="announcement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("publish_at", None),
                    ("expires_at", None),
                    ("expires_at__gt", models.F("publish_at")),
                    _connector="OR",
                ),
                name="announcement_expires_after_it_is_published",
                violation_error_message="It must expire after it is published.",
            ),
        ),
        migrations.CreateModel(
            name="Acknowledgement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("acknowledged_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "announcement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="acknowledgements",
                        to="announcements.announcement",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="acknowledgements",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["acknowledged_at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("announcement", "user"), name="acknowledgement_once_per_announcement"
                    )
                ],
            },
        ),
    ]
