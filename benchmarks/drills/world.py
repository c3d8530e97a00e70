"""What mixed traffic lives on: people, groups, events; and what became of what it was promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from traffic import Ledger

GROUPS_OF: Final = 10
DOCUMENTS: Final = 100
# Fairness limits are off (D17): what is measured is what faults do, and not who is asked to wait.
UNBOUNDED: Final = {
    "CHAT_BURST": "100000",
    "CHAT_PER_SECOND": "1000",
    "API_WRITES_PER_USER": "",
    "MAGIC_LINK_PER_ADDRESS": "",
    "MAGIC_LINK_PER_SOURCE": "",
    "FILE_UPLOADS_PER_DAY": "100000",
    "FILE_UPLOAD_BYTES_PER_DAY": "1000000000000",
    "SOCKETS_PER_SOURCE": "",
    "SOCKETS_PER_USER": "",
}


@dataclass
class Person:
    """Somebody who is signed in."""

    id: int
    access: str
    refresh: str
    group: str
    task: int


@dataclass
class World:
    """What there is."""

    people: list[Person]
    admin: Person
    events: list[int]


def make_world(people: int, events: int = 40) -> World:
    """Store people in groups of ten with a plan, and 100 events, resources and announcements in all."""
    from announcements.models import Announcement
    from events.models import Event
    from resources.models import Resource

    fields = {"date": "2040-01-01", "time": "noon", "location": "Hall", "type": "virtual"}
    made = [Event.objects.create(title=f"Event {n}", **fields).pk for n in range(events)]
    Announcement.objects.bulk_create(
        Announcement(title=f"News {n}", summary="Short", content="Long " * 50) for n in range(DOCUMENTS)
    )
    Resource.objects.bulk_create(Resource(title=f"Paper {n}", type="document") for n in range(DOCUMENTS))
    groups = [make_group(n) for n in range((people + GROUPS_OF - 1) // GROUPS_OF)]
    return World([make_person(n, groups) for n in range(people)], make_admin(), made)


def make_group(number: int) -> tuple[str, int]:
    """Return a stored group, and the milestone in it."""
    from groups.models import Group, Milestone

    group = Group.objects.create(id=f"DRILL{number}", name=f"Team {number}", status="active")
    return group.pk, Milestone.objects.create(group=group, title="First", order_index=1).pk


def make_person(number: int, groups: list[tuple[str, int]]) -> Person:
    from authentication.sessions import open_session
    from groups.models import GroupMember, Task
    from users.models import User

    group, milestone = groups[number // GROUPS_OF]
    user = User.objects.create_user(email=f"p{number}@example.org", status="active")
    GroupMember.objects.create(group_id=group, user=user)
    task = Task.objects.create(milestone_id=milestone, name=f"Task of {number}")
    pair = open_session(user, user_agent="")
    return Person(user.pk, pair.access, pair.refresh, group, task.pk)


def make_admin() -> Person:
    from authentication.sessions import open_session
    from users.models import User

    user = User.objects.create_user(email="desk@example.org", role="admin", status="active")
    pair = open_session(user, user_agent="")
    return Person(user.pk, pair.access, pair.refresh, "", 0)


def stored_messages(group: str) -> list[str]:
    """Return the names of a group's messages in their order."""
    from chat.models import Message

    return list(Message.objects.filter(group=group).order_by("seq").values_list("client_id", flat=True))


def broken_promises(ledger: Ledger) -> dict[str, int]:
    """Count, by SQL, what was acknowledged and is not so, and what is stored twice."""
    from django.core.files.storage import default_storage

    from chat.models import Message
    from core.models import Upload
    from events.models import EventRegistration
    from groups.models import Task

    ids = dict(Message.objects.filter(pk__in=ledger.messages.values()).values_list("client_id", "pk"))
    names = list(Message.objects.values_list("client_id", flat=True))
    seats = set(EventRegistration.objects.values_list("event_id", "user_id"))
    done = dict(Task.objects.filter(pk__in=ledger.tasks).values_list("pk", "completed"))
    keys = dict(Upload.objects.filter(filename__in=ledger.uploads).values_list("filename", "key"))
    return {
        "messages lost": sum(ids.get(name) != pk for name, pk in ledger.messages.items()),
        "messages doubled": len(names) - len(set(names)),
        "seats not as said": sum((pair in seats) != has for pair, has in ledger.seats.items()),
        "tasks not as said": sum(done.get(pk) != value for pk, value in ledger.tasks.items()),
        "uploads without a row": len(ledger.uploads - keys.keys()),
        "uploads without a file": sum(not default_storage.exists(key) for key in keys.values()),
    }
