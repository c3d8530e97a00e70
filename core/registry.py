"""How a lower room asks what upper rooms know: each app adds its answer in ``AppConfig.ready()``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypedDict, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import date, datetime

    from core.notifications.kinds import Kind
    from users.models import User

Entry = TypeVar("Entry")


class Registry(Generic[Entry]):
    """Named answers to one question, in the order in which the apps are installed."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def add(self, name: str, entry: Entry) -> None:
        """Add an answer; adding the same name again replaces it, so ``ready()`` may run twice."""
        self.entries[name] = entry

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())


class AccessEnded(Protocol):
    """Somebody lost rights: end what they still hold (sessions, sockets, seats).

    Runs in the transaction that took the rights; what leaves the process waits for its commit.
    """

    def __call__(self, user: User, /) -> None: ...


access_ended: Registry[AccessEnded] = Registry()


class HeldForAccessEnd(Protocol):
    """These people (by id) may lose access in this transaction: lock what that will change, before the first.

    One after the other their locks would be taken in no order. The people are held already.
    """

    def __call__(self, people: Collection[int], /) -> object: ...


class AddressLeft(Protocol):
    """An address has changed hands: void what waits for it (links and codes). After the commit."""

    def __call__(self, address: str, /) -> None: ...


class Erase(Protocol):
    """A person is about to be deleted: remove or pseudonymise what of theirs would outlive the row.

    Runs in the transaction of the deletion, before it. What a foreign key takes along needs no entry.
    """

    def __call__(self, user: User, /) -> None: ...


class HeldForErasure(Protocol):
    """A person is about to be deleted: lock what that will change, before anything is changed.

    People first, then groups, then the rest: whoever writes keeps that order.
    """

    def __call__(self, user: User, /) -> None: ...


class UploadsNeeded(Protocol):
    """Which of these uploads (by id) somebody other than their owner still needs."""

    def __call__(self, ids: Collection[int], /) -> set[int]: ...


class FilesNamed(Protocol):
    """Which of these stored files (by key) rows of the app name, beside the uploads' own rows."""

    def __call__(self, keys: Collection[str], /) -> set[str]: ...


class MayOpen(Protocol):
    """Whether a person may open the stored file of that key, now. Asked at each click of a link."""

    def __call__(self, viewer: User, key: str, /) -> bool: ...


class Opened(Protocol):
    """A person has begun to read the stored file of that key: once for each download, not for its parts."""

    def __call__(self, viewer: User, key: str, /) -> None: ...


class MyData(Protocol):
    """What an app holds of a person: documents by name (``messages``), each plain enough for JSON."""

    def __call__(self, user: User, /) -> Iterable[tuple[str, object]]: ...


@dataclass(frozen=True, kw_only=True)
class CalendarEntry:
    """Something that a calendar shows: at a moment, or all day where ``start`` is a date.

    ``uid`` stays with the thing for ever; ``sequence`` rises, and ``revised_at`` moves, as it changes.
    ``end`` is when it is over; of days, the first one after it.
    """

    uid: str
    title: str
    start: date | datetime
    end: date | datetime | None = None
    description: str = ""
    location: str = ""
    url: str = ""
    sequence: int = 0
    revised_at: datetime


class CalendarEntries(Protocol):
    """What an app has for a person's own calendar."""

    def __call__(self, user: User, /) -> Iterable[CalendarEntry]: ...


class ConversationRow(TypedDict):
    """What a list of groups shows of a conversation: how many messages are new, and the last one."""

    unread: int
    last_message: dict[str, Any] | None


class ConversationRows(Protocol):
    """What a person's list of groups shows of each conversation, by the groups' ids."""

    def __call__(self, user: User, group_ids: Collection[str], /) -> dict[str, ConversationRow]: ...


class DailyParts(Protocol):
    """What an app adds to the daily mails of these people (by id): for each, kinds of notices and their data.

    Worked out at the moment of writing, for what no notice is made of, such as how much is unread. What
    has come since ``before``, their day's hour by their clock, is left to the next day. A constant number
    of queries.
    """

    def __call__(
        self, people: Collection[int], before: datetime, /
    ) -> dict[int, list[tuple[str, dict[str, Any]]]]: ...


address_left: Registry[AddressLeft] = Registry()
erasure: Registry[Erase] = Registry()
held_for_access_end: Registry[HeldForAccessEnd] = Registry()
held_for_erasure: Registry[HeldForErasure] = Registry()
uploads_needed: Registry[UploadsNeeded] = Registry()
files_named: Registry[FilesNamed] = Registry()  # by the folder of the key
file_rights: Registry[MayOpen] = Registry()  # by the folder of the key
file_opened: Registry[Opened] = Registry()  # by the folder of the key
my_data: Registry[MyData] = Registry()
conversation_rows: Registry[ConversationRows] = Registry()
calendar_entries: Registry[CalendarEntries] = Registry()
notification_kinds: Registry[Kind] = Registry()
daily_parts: Registry[DailyParts] = Registry()
