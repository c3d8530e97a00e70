"""Resources for tests."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from core.tests.files import sent
from resources.models import Resource
from resources.services.publishing import publish_resource

if TYPE_CHECKING:
    from django.core.files.uploadedfile import SimpleUploadedFile

    from users.models import User

numbers = count(1)
TEXT = b"0123456789"


def make_resource(**fields: Any) -> Resource:
    """Return a stored row of a resource, whose file lies elsewhere."""
    number = next(numbers)
    defaults = {"title": f"Guide {number}", "type": "guide", "file_url": "https://files.example/a.pdf"}
    return Resource.objects.create(**{**defaults, **fields})


def published(by: User, file: SimpleUploadedFile | None = None, **fields: Any) -> Resource:
    """Return a resource with a file in the storage: a text of ten bytes where nothing else is said."""
    values = {"title": "Guide", "type": "guide", "role": "all", **fields}
    return publish_resource(by=by, file=file or sent("guide.txt", TEXT, "text/plain"), values=values)
