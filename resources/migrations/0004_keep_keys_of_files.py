"""Files that lie on our disk are named by their key: earlier demo data wrote the address below ``/media/``."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models.functions import Substr

BEFORE = "/media/"


def keep_keys(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rows = apps.get_model("resources", "Resource").objects
    for column in ("file_url", "cover_image"):
        named = rows.filter(**{f"{column}__startswith": BEFORE})
        named.update(**{column: Substr(column, len(BEFORE) + 1)})


class Migration(migrations.Migration):
    dependencies = [("resources", "0003_search_by_trigrams")]
    operations = [migrations.RunPython(keep_keys, migrations.RunPython.noop)]
