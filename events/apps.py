"""The app's configuration."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"
    verbose_name = "Events"

    def ready(self) -> None:
        from core.notifications.kinds import register
        from core.registry import (
            access_ended,
            calendar_entries,
            erasure,
            file_rights,
            files_named,
            held_for_access_end,
            my_data,
            uploads_needed,
        )
        from events import tasks  # noqa: F401 - they register themselves
        from events.letters import KINDS
        from events.models import Event
        from events.personal import documents_of, may_open_cover, named_files, needed_uploads
        from events.services.feeds import entries_of
        from events.services.seats import free_seats_of, free_seats_of_suspended, hold_events_of

        access_ended.add("events", free_seats_of_suspended)
        calendar_entries.add("events", entries_of)
        erasure.add("events", free_seats_of)
        file_rights.add(Event.COVER_FOLDER, may_open_cover)
        files_named.add(Event.COVER_FOLDER, named_files)
        held_for_access_end.add("events", hold_events_of)
        my_data.add("events", documents_of)
        uploads_needed.add("events", needed_uploads)
        register(*KINDS)
