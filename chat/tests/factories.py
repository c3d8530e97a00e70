"""Messages for tests."""

from __future__ import annotations

from typing import Any

from chat.models import Message
from groups.tests.factories import make_group
from users.tests.factories import make_user


def make_message(**fields: Any) -> Message:
    """Return a stored message; group and author of its own where none were given."""
    author = fields.pop("author", None) or make_user()
    group = fields.pop("group", None) or make_group(members=[author])
    return Message.objects.create(group=group, author=author, **{"text": "Hello", **fields})
