"""A trigram index behind the search for announcements; its columns are those of ``announcements.models``."""

from django.db import migrations

from core.search import trigram_index


class Migration(migrations.Migration):
    dependencies = [
        ("announcements", "0002_add_schedule_and_acknowledgements"),
        ("users", "0003_search_by_trigrams"),
    ]
    operations = [
        trigram_index(
            "announcement_by_search",
            table="announcements_announcement",
            columns=("title", "summary", "content"),
        )
    ]
