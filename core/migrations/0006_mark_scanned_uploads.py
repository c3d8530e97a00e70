"""Uploads say since when a scanner has let them pass."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0005_add_idempotent_writes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='upload',
            name='scanned_at',
            field=models.DateTimeField(editable=False, help_text='Null: by no scanner yet.', null=True),
        ),
        migrations.AddIndex(
            model_name='upload',
            index=models.Index(condition=models.Q(('scanned_at__isnull', True)), fields=['id'], name='upload_unscanned'),
        ),
    ]
