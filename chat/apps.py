"""The app's configuration."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = "Conversations"

    def ready(self) -> None:
        from chat import retention  # noqa: F401 - it registers itself
        from chat.access import may_open
        from chat.letters import UNREAD_CHAT
        from chat.personal import documents_of, erase_names, hold_messages, needed_uploads
        from chat.services import unread
        from chat.services.reading import rows_for
        from core.notifications.kinds import register
        from core.registry import (
            conversation_rows,
            daily_parts,
            erasure,
            file_rights,
            held_for_erasure,
            my_data,
            uploads_needed,
        )
        from core.uploads.quotas import FOLDER

        erasure.add("chat", erase_names)
        held_for_erasure.add("chat", hold_messages)
        file_rights.add(FOLDER, may_open)
        my_data.add("chat", documents_of)
        conversation_rows.add("chat", rows_for)
        daily_parts.add("chat", unread.daily_parts)
        uploads_needed.add("chat", needed_uploads)
        register(UNREAD_CHAT)
