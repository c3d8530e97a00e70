"""Resources as rows of a spreadsheet: a new one leads elsewhere, for a table holds no files."""

from __future__ import annotations

from typing import Any

from core.admin.served import ServedResource
from core.refusals import Refused
from resources.models import Resource
from resources.serializers import LinkedResourceSerializer
from resources.services.publishing import change_resource, publish_link


class FileStays(Refused):
    """A row would put a link in the place of a file, or of another link (400)."""

    code = "validation_error"
    sentence = "A table does not replace what is published: change it on the page of the resource."


class ResourceSheet(ServedResource):
    """Title, description, type, for whom, and the link of what is not stored here."""

    new_row = changed_row = LinkedResourceSerializer
    kept_when_blank = frozenset({"file_url"})

    class Meta:
        model = Resource
        fields = ["id", "title", "description", "type", "role", "file_url"]
        export_order = fields
        use_transactions = True

    def create(self, values: dict[str, Any]) -> Resource:
        return publish_link(by=self.by, url=values.pop("file_url"), values=values)

    def change(self, instance: Resource, values: dict[str, Any]) -> Resource:
        link = values.pop("file_url", "")
        if link and link != instance.file_url:
            raise FileStays(field="link")
        change_resource(instance, by=self.by, values=values)
        instance.refresh_from_db()
        return instance

    def exported(self, value: Any, instance: Resource) -> str:
        """Return a cell; of a file that is stored here no key, which is nobody's business."""
        is_key = value == instance.file_url and "://" not in instance.file_url
        return "" if is_key else super().exported(value, instance)
