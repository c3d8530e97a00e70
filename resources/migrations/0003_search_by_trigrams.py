"""A trigram index behind the search for resources; its columns are those of ``resources.models``."""

from django.db import migrations

from core.search import trigram_index


class Migration(migrations.Migration):
    dependencies = [
        ("resources", "0002_add_downloads_and_indexes"),
        ("users", "0003_search_by_trigrams"),
    ]
    operations = [
        trigram_index(
            "resource_by_search", table="resources_resource", columns=("title", "description")
        )
    ]
