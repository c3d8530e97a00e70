from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("announcements", "0004_tidy_what_was_there"),
    ]

    operations = [
        migrations.AddField(
            model_name="announcement",
            name="mail_requested_at",
            field=models.DateTimeField(editable=False, help_text="When an admin asked for it to be mailed. Null: they did not.", null=True),
        ),
        migrations.AddField(
            model_name="announcement",
            name="told_at",
            field=models.DateTimeField(editable=False, help_text="When its audience was told of it. Null: not yet.", null=True),
        ),
        migrations.AddIndex(
            model_name="announcement",
            index=models.Index(condition=models.Q(("told_at", None)), fields=["publish_at"], name="announcement_untold"),
        ),
    ]
