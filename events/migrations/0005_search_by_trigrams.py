"""A trigram index behind the search for events; its columns are those of ``EventQuerySet.matching``."""

from django.db import migrations

from core.search import trigram_index


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0004_tidy_what_was_there"),
        ("users", "0003_search_by_trigrams"),
    ]

    operations = [
        trigram_index(
            "event_by_search", table="events_event", columns=("title", "description", "location")
        ),
    ]
