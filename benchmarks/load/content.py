"""What writes conversations, announcements and all else that people read."""

from __future__ import annotations

from typing import Final

from .rows import PER_GROUP, fill, group_id, series

EVENTS: Final = 100
DOCUMENTS: Final = 150
SEATS: Final = 20


def content_sql(people: int) -> list[str]:
    """Return what writes events, half of them over, with registrations, and resources and announcements."""
    audience = "(ARRAY['all','student','mentor','all'])[1 + n % 4]"
    long = "repeat('What it is about, and who should come. ', 8)"
    day = f"current_date + n - {EVENTS // 2}"
    return [
        fill(
            "events_event",
            series(EVENTS),
            id="n",
            title="'Event ' || n",
            description="'In a sentence.'",
            long_description=long,
            date=day,
            time="'16:00'",
            location="'Hall ' || n % 7",
            type="(ARRAY['in-person','virtual'])[1 + n % 2]",
            register_link="''",
            capacity="CASE WHEN n % 2 = 0 THEN 100 END",
            created_at="now()",
            updated_at="now()",
            over_at=f"({day} + 1)::timestamptz",
        ),
        fill(
            "events_eventregistration",
            f"{series(EVENTS, 'e')}, {series(min(SEATS, people))} ",
            registered_at="now()",
            event_id="e",
            user_id=f"1 + (e * 31 + n) % {people}",
        ),
        fill(
            "resources_resource",
            series(DOCUMENTS),
            title="'Resource ' || n",
            description=long,
            type="'document'",
            role=audience,
            file_url="'https://example.org/' || n || '.pdf'",
            download_count="n",
            created_at="now() - n * interval '1 hour'",
            updated_at="now()",
        ),
        fill(
            "announcements_announcement",
            series(DOCUMENTS),
            title="'News ' || n",
            summary="'In a sentence.'",
            content=long,
            author="'The programme'",
            audience=audience,
            created_at="now() - n * interval '1 hour'",
            updated_at="now()",
            told_at="now()",
        ),
    ]


def chat_sql(groups: int, messages: int) -> list[str]:
    """Return what writes the conversations, with reactions, quotes, mentions and files on some messages."""
    measured = max(messages // 10, 100)
    rest = (messages - measured) // max(groups - 1, 1)
    per_group = f"CASE WHEN g = 1 THEN {measured} ELSE {rest} END"
    start = f"CASE WHEN g = 1 THEN 0 ELSE {measured} + (g - 2)::bigint * {rest} END"
    rows = f"(SELECT g, {per_group} AS size, {start} AS start FROM {series(groups, 'g')}) t"  # noqa: S608
    posted = f"{rows}, LATERAL generate_series(1, size) s"
    author = f"((g - 1) * {PER_GROUP} + 2 + s % 7)"
    reader = f"((split_part(group_id, 'F', 2)::int - 1) * {PER_GROUP} + 2 + seq % 6)"
    return [
        fill(
            "chat_conversation",
            rows,
            last_seq="size",
            last_revision="size",
            last_created_at="now()",
            group_id=group_id(),
        ),
        fill(
            "chat_message",
            posted,
            id="start + s",
            seq="s",
            revision="s",
            posted_revision="s",
            text="'Message ' || s || ' about ' || md5(s::text) || ', cells and what grows in them.'",
            client_id="''",
            created_at="date_trunc('milliseconds', now()) - (size - s + 1) * interval '1 second'",
            is_deleted="false",
            moderation_status="'approved'",
            moderation_note="''",
            author_id=author,
            group_id=group_id(),
            reply_to_id="CASE WHEN s % 20 = 0 THEN start + s - 1 END",
        ),
        fill(
            "chat_reaction",
            "chat_message, LATERAL generate_series(0, 1) k WHERE seq % 10 = 0",
            sign="(ARRAY['👍','🎉'])[1 + k]",
            created_at="created_at",
            message_id="id",
            user_id=f"{reader} + k",
        ),
        fill("chat_mention", "chat_message WHERE seq % 25 = 0", message_id="id", user_id=reader),
        fill(
            "core_upload",
            "chat_message WHERE seq % 25 = 1",
            id="id",
            key="'chat/' || md5(id::text) || '.pdf'",
            filename="'Plan.pdf'",
            size="20000",
            mime_type="'application/pdf'",
            state="'stored'",
            created_at="created_at",
            owner_id="author_id",
            scanned_at="created_at",
        ),
        fill(
            "chat_messageattachment",
            "core_upload",
            file_url="key",
            filename="filename",
            file_size="size",
            mime_type="mime_type",
            message_id="id",
            upload_id="id",
        ),
        fill(
            "chat_readcursor",
            f"{rows}, generate_series(0, 6) k",
            group_id=group_id(),
            user_id=f"(g - 1) * {PER_GROUP} + 2 + k",
            seq="size - k",
            read_at="now()",
        ),
    ]
