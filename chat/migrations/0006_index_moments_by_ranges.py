"""Message moments by ranges of the table (BRIN): small, and of no use to a page, which once went by them.

Not in one transaction: dropping locks everybody out, for an instant; building keeps writers out while it reads
the table once, a fifth of a second for a million messages. SQLite makes an ordinary index of it.
"""

import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("chat", "0005_fill_feed_columns")]

    operations = [
        migrations.RemoveIndex(model_name="message", name="message_by_moment"),
        migrations.AddIndex(
            model_name="message",
            index=django.contrib.postgres.indexes.BrinIndex(fields=["created_at"], name="message_by_moment"),
        ),
    ]
