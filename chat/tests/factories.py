"""Messages for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from chat.models import Conversation, Message
from groups.tests.factories import make_group
from users.tests.factories import make_user

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from groups.models import Group

AT_ONCE: Final = 100_000  # no statement may take longer than the settings let it
# The columns that have neither a null nor a default in the database.
MANY: Final = """
    INSERT INTO chat_message (group_id, seq, revision, text, client_id, created_at, is_deleted,
                              moderation_status, moderation_note)
    SELECT (%(groups)s::text[])[1 + n %% %(among)s], 1 + n / %(among)s, 1 + n / %(among)s,
           'Plate ' || n, '', %(since)s + n * %(apart)s, false, 'approved', ''
    FROM generate_series(%(first)s, %(last)s) n
"""


def make_message(**fields: Any) -> Message:
    """Return a stored message; group and author of its own where none were given."""
    author = fields.pop("author", None) or make_user()
    group = fields.pop("group", None) or make_group(members=[author])
    return Message.objects.create(group=group, author=author, **{"text": "Hello", **fields})


def make_many(*groups: Group, count: int, since: datetime, apart: timedelta) -> None:
    """Let groups where nothing was said yet speak in turn, so often each. For PostgreSQL alone."""
    ids, among = [group.pk for group in groups], len(groups)
    values: dict[str, Any] = {"groups": ids, "among": among, "since": since, "apart": apart}
    total = among * count
    with connection.cursor() as cursor:
        for first in range(0, total, AT_ONCE):
            cursor.execute(MANY, {**values, "first": first, "last": min(first + AT_ONCE, total) - 1})
    last = since + total * apart
    Conversation.objects.bulk_create(
        Conversation(group=group, last_seq=count, last_revision=count, last_created_at=last)
        for group in groups
    )
