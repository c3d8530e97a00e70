"""Periodic jobs hold a lease while they run; failed tasks have a page of their own."""

import core.models.dead_letters
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0007_add_notices'),
        ('django_tasks_database', '0021_conditional_partial_index_ordering'),
    ]

    operations = [
        migrations.AddField(
            model_name='periodicrun',
            name='running_until',
            field=models.DateTimeField(help_text='While somebody runs it: until when at most.', null=True),
        ),
        migrations.CreateModel(
            name='DeadLetter',
            fields=[
            ],
            options={
                'verbose_name': 'failed task',
                'verbose_name_plural': 'failed tasks',
                'proxy': True,
                'indexes': [],
                'constraints': [],
            },
            bases=('django_tasks_database.dbtaskresult',),
        ),
    ]
