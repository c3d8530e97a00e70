"""The admin site calls people people, and imports of them imports: nothing changes in the database."""

from django.db import migrations


class Migration(migrations.Migration):
    """Names alone."""

    dependencies = [("users", "0005_add_sign_outs")]

    operations = [
        migrations.AlterModelOptions(
            name="peopleimport",
            options={
                "ordering": ["-created_at", "-id"],
                "verbose_name": "import of people",
                "verbose_name_plural": "imports of people",
            },
        ),
        migrations.AlterModelOptions(
            name="user",
            options={
                "ordering": ["first_name", "last_name", "email", "id"],
                "verbose_name": "person",
                "verbose_name_plural": "people",
            },
        ),
    ]
