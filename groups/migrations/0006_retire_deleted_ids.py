"""Retires the ids of groups that were deleted before there was an archive: the audit log knows them."""

from django.db import migrations


def retire(apps, schema_editor):
    AuditEvent = apps.get_model("core", "AuditEvent")
    Group = apps.get_model("groups", "Group")
    RetiredGroupId = apps.get_model("groups", "RetiredGroupId")
    deleted = AuditEvent.objects.filter(action="deleted", object_type="groups.group").order_by()
    ids = {pk.lower() for pk in deleted.values_list("object_id", flat=True).distinct()}
    present = {pk.lower() for pk in Group.objects.values_list("pk", flat=True)}
    RetiredGroupId.objects.bulk_create(
        [RetiredGroupId(pk=pk) for pk in sorted(ids - present)], ignore_conflicts=True
    )


class Migration(migrations.Migration):
    dependencies = [("core", "0005_add_idempotent_writes"), ("groups", "0005_add_milestone_templates")]

    operations = [migrations.RunPython(retire, migrations.RunPython.noop)]
