import uuid

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0004_fill_ends_and_uids'),
    ]

    operations = [
        migrations.AlterField(
            model_name='event',
            name='over_at',
            field=models.DateTimeField(editable=False, help_text='From when on it is over: no seats are given any more.'),
        ),
        migrations.AlterField(
            model_name='event',
            name='uid',
            field=models.UUIDField(default=uuid.uuid4, editable=False, help_text='In calendars.', unique=True),
        ),
    ]
