"""What fuzzing happens to: people of each role who outlive it, and things laid out again and again."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone

if TYPE_CHECKING:
    from users.models import User

ROLES: Final = ("anonymous", "student", "mentor", "supervisor", "admin", "superuser")
SIGNED_IN: Final = ROLES[1:]
# Far from the ids that sequences and generators hand out: an admin who deletes people must not meet these.
FIRST_ID: Final = 7_654_321_000_000_001
NEWEST: Final = 30
FLAGS: Final = ("change_role", "change_status", "change_address")


def person_id(role: str) -> int:
    return FIRST_ID + SIGNED_IN.index(role)


def person_of(role: str) -> User:
    """Return the account of a role as it is to be, made or mended."""
    from users.models import User

    rights = role == "superuser"
    known = {
        "email": f"fuzz-{role}@example.org",
        "username": f"fuzz-{role}",
        "role": "admin" if rights else role,
        "status": User.Status.ACTIVE,
        "is_superuser": rights,
        "is_staff": rights,
    }
    with transaction.atomic():
        user: User = User.objects.update_or_create(pk=person_id(role), defaults=known)[0]
    return user


def access_of(role: str) -> str:
    """Open a session for a role, and return its access token."""
    from authentication.sessions import open_session

    return open_session(person_of(role), user_agent="").access


def lay_out() -> None:
    """Store one more of everything, within reach of every role."""
    people = {role: person_of(role) for role in SIGNED_IN}
    name = secrets.token_hex(4)
    with transaction.atomic():
        group = team(name, people)
        talk(group, people)
        publish(name, people)
        link(name, people)


def team(name: str, people: dict[str, User]) -> Any:
    """Store a group with its plan, and a template that was given to it."""
    from groups.models import Group, GroupMember, Milestone, MilestoneTemplate, Task, TemplateRun

    group = Group.objects.create(id=f"F{name}", name=f"Team {name}", mentor=people["mentor"], track="AUS-NSW")
    GroupMember.objects.bulk_create(
        GroupMember(group=group, user=people[role], role=role) for role in ("student", "supervisor")
    )
    for place in (1, 2):
        milestone = Milestone.objects.create(group=group, title=f"Step {place}", order_index=place)
        Task.objects.create(milestone=milestone, name="Pour", assigned_to=people["student"], place=1)
    template = MilestoneTemplate.objects.create(name=f"Plan {name}")
    template.milestones.create(title="Step", order_index=1, due_after_days=7)
    run = TemplateRun.objects.create(
        template=template, template_key=template.pk, template_name=template.name, plan=[], start_date=today()
    )
    run.groups.create(group=group)
    return group


def today() -> Any:
    return timezone.localdate()


def talk(group: Any, people: dict[str, User]) -> None:
    """Let everybody say something, and somebody report it."""
    from chat.models import Message, MessageReport

    for role in ("student", "mentor", "supervisor"):
        message = Message.objects.create(group=group, author=people[role], text=f"Hello from the {role}")
        MessageReport.objects.create(message=message, reporter=people["student"], category="other")


def publish(name: str, people: dict[str, User]) -> None:
    """Store an event, an announcement, a resource with its file, and a notice for everybody."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from announcements.models import Announcement
    from core.models import Delivery, Notice
    from core.uploads.store import store_upload
    from events.models import Event, EventRegistration
    from resources.models import Resource

    about = {"date": today() + timedelta(days=30), "time": "18:00", "location": "Hall", "type": "virtual"}
    event = Event.objects.create(title=f"Symposium {name}", capacity=3, **about)
    EventRegistration.objects.create(event=event, user=people["student"])
    Announcement.objects.create(title=f"News {name}", summary="Short", audience="all")
    file = SimpleUploadedFile("guide.txt", b"0123456789", "text/plain")
    upload = store_upload(file, prefix="resources/files", owner=people["admin"])
    Resource.objects.create(title=f"Guide {name}", type="guide", role="all", file_url=upload.key)
    notice = Notice.objects.create(kind="daily", subject=name, data={"parts": [], "more": 0})
    Delivery.objects.bulk_create(Delivery(notice=notice, person=user) for user in people.values())


def link(name: str, people: dict[str, User]) -> None:
    """Store a student and a supervisor who may be deleted, their links, and an import of people."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from users.models import StudentSupervisor, User
    from users.services.imports import check_file

    made = {
        role: User.objects.create_user(email=f"{role}-{name}@example.org", role=role, status="active")
        for role in ("student", "supervisor")
    }
    StudentSupervisor.objects.create(student=people["student"], supervisor=made["supervisor"])
    StudentSupervisor.objects.create(student=made["student"], supervisor=people["supervisor"])
    sheet = f"email,firstName\nimported-{name}@example.org,Ada\n,nobody\n".encode()
    file = SimpleUploadedFile("people.csv", sheet, "text/csv")
    check_file(file, by=people["admin"], flags=dict.fromkeys(FLAGS, False))


def pools() -> dict[str, list[dict[str, Any]]]:
    """Return the ids of what there is now, newest first, by the path that takes them."""
    return {**of_groups(), **of_admins(), **of_everybody()}


def of_groups() -> dict[str, list[dict[str, Any]]]:
    from chat.models import Message, MessageReport
    from groups.models import Group, GroupMember, Milestone, Task

    groups = Group.objects.order_by("-created_at").values_list("pk", flat=True)[:NEWEST]
    return {
        "/api/groups/{id}": [{"id": pk} for pk in groups],
        "/api/groups/{group_id}": [{"group_id": pk} for pk in groups],
        "/api/groups/{group_id}/messages/{message_id}": newest(
            Message.objects, group_id="group_id", message_id="pk"
        ),
        "/api/groups/{group_id}/reports/{id}": newest(
            MessageReport.objects, group_id="message__group_id", id="pk"
        ),
        "/api/groups/{id}/milestones/{milestone_id}": newest(
            Milestone.objects, id="group_id", milestone_id="pk"
        ),
        "/api/groups/{id}/tasks/{task_id}": newest(Task.objects, id="milestone__group_id", task_id="pk"),
        "/api/groups/{id}/members/{user_id}": newest(GroupMember.objects, id="group_id", user_id="user_id"),
    }


def of_admins() -> dict[str, list[dict[str, Any]]]:
    from chat.models import MessageReport
    from groups.models import MilestoneTemplate, TemplateRun
    from users.models import PeopleImport, StudentSupervisor, User

    return {
        "/api/admin/message-reports/{id}": newest(MessageReport.objects, id="pk"),
        "/api/admin/milestone-templates/{id}": newest(MilestoneTemplate.objects, id="pk"),
        "/api/admin/template-runs/{id}": newest(TemplateRun.objects, id="pk"),
        "/api/admin/student-supervisors/{id}": newest(StudentSupervisor.objects, id="pk"),
        "/api/admin/users/import/{id}": newest(PeopleImport.objects, id="pk"),
        # Whoever fuzzes outlives it.
        "/api/admin/users/{id}": newest(User.objects.exclude(pk__gte=FIRST_ID), id="pk"),
    }


def of_everybody() -> dict[str, list[dict[str, Any]]]:
    from announcements.models import Announcement
    from authentication.models import SignInSession
    from core.models import Delivery
    from core.notifications.unsubscribe import unsubscribe_link
    from events.models import Event
    from resources.models import Resource
    from users.models import StudentSupervisor

    token = unsubscribe_link(person_id("student"), "daily").rstrip("/").rpartition("/")[2]
    return {
        "/api/announcements/{id}": newest(Announcement.objects, id="pk"),
        "/api/auth/sessions/{id}": newest(SignInSession.objects.exclude(user__gte=FIRST_ID), id="pk"),
        "/api/events/{id}": newest(Event.objects, id="pk"),
        "/api/notifications/unsubscribe/{token}": [{"token": token}],
        "/api/notifications/{id}": newest(Delivery.objects.filter(person__gte=FIRST_ID), id="pk"),
        "/api/resources/{id}": newest(Resource.objects, id="pk"),
        "/api/users/me/supervisors/{id}": newest(StudentSupervisor.objects, id="pk"),
    }


def newest(rows: Any, **names: str) -> list[dict[str, Any]]:
    """Return of the last rows what stands in some columns, by other names."""
    return [
        {name: row[column] for name, column in names.items()}
        for row in rows.order_by("-pk").values(*names.values())[:NEWEST]
    ]
