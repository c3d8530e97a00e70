"""What was lifted of a mailbox is remembered: the mail service tells late, and again."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0008_lease_periodic_runs'),
    ]

    operations = [
        migrations.AddField(
            model_name='mailtrouble',
            name='lifted_at',
            field=models.DateTimeField(help_text='What happened before counts no more. Null: it stands.', null=True),
        ),
    ]
