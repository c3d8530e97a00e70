"""``manage.py seed_demo_data``: four people, a group at work, and something on every page.

It stands in the topmost app because it writes into all of them.
"""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from announcements.models import Announcement
from chat.models import Message
from core.roles import Audience, Role
from core.uploads.store import store_upload
from events.models import Event
from groups.models import Group, GroupMember, Milestone, Task
from resources.models import Resource
from users.addresses import normalise
from users.models import StudentSupervisor, User
from users.services.accounts import provision_user, update_account
from users.services.links import decide_join_permission

FILES: Final = Path(__file__).parent.parent / "demo_files"
PLAN: Final = {
    "Find a question": ["Read three articles on biofilms", "Agree on one question"],
    "Run the experiment": ["Order agar plates", "Photograph the plates every day"],
    "Present the results": ["Draw the poster", "Rehearse the five-minute talk"],
}
DONE: Final = {"Read three articles on biofilms"}
NEWS: Final = [
    ("Welcome to BIOTech Futures", "The programme has begun.", Audience.ALL),
    ("Mentors: first meeting", "Please meet your group before the end of the week.", Audience.MENTOR),
]
RESOURCES: Final = [
    ("Programme guide", Resource.Type.GUIDE, "programme-guide.txt", "text/plain"),
    ("Research plan", Resource.Type.TEMPLATE, "research-plan.pdf", "application/pdf"),
]


class Command(BaseCommand):
    help = (
        "Adds demo data where it is missing. Running it again adds nothing twice; refused while DEBUG is off."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Demo data is for development: refused while DEBUG is off.")
        try:
            with transaction.atomic():
                self.stdout.write(seed())
        except ValidationError as error:
            reason = " ".join(error.messages)
            raise CommandError(f"A DEMO_* or DJANGO_SUPERUSER_* variable cannot be used: {reason}") from error


def seed() -> str:
    """Add what is missing; returns how to sign in."""
    admin, password = make_admin()
    mentor = make_person(Role.MENTOR, "Mina", "Okafor", organization="Institute of Biology")
    student = make_person(Role.STUDENT, "Sam", "Nguyen", school_name="Riverside High", year_level=10)
    supervisor = make_person(Role.SUPERVISOR, "Alex", "Silva", organization="Riverside High")
    link(student, supervisor)
    make_plan(group := make_group(mentor, student), student)
    make_conversation(group, mentor, student)
    make_content(admin)
    make_event(student)
    people = "\n".join(f"  {user.role:<11} {user.email}" for user in (student, mentor, supervisor, admin))
    return (
        "Demo data is ready. Everyone signs in by a mailed link or code:\n\n"
        f"{people}\n\n"
        f"So does {admin.email} at the admin site, which takes a password too: {password}"
    )


def make_admin() -> tuple[User, str]:
    """Return the superuser, and what to say about the password: itself only where it was made up now."""
    address = normalise(env("DJANGO_SUPERUSER_EMAIL", "admin@example.org"))
    existing = User.objects.with_address(address).first()
    if existing:
        return existing, "the one it was given."
    given = env("DJANGO_SUPERUSER_PASSWORD")
    password = given or secrets.token_urlsafe(12)
    username = env("DJANGO_SUPERUSER_USERNAME") or None
    rights = {"role": Role.ADMIN, "status": User.Status.ACTIVE}
    admin = User.objects.create_superuser(username, address, password, **rights)
    update_account(admin, profile={"first_name": "Robin", "last_name": "Admin"})
    return admin, "the one in DJANGO_SUPERUSER_PASSWORD." if given else f"{password} (shown this once)"


def make_person(
    role: Role, first_name: str, last_name: str, *, organization: str = "", **profile: Any
) -> User:
    """Return the demo person of that role; an account that was there is left as it is."""
    user, is_new = provision_user(normalise(env(f"DEMO_{role.name}_EMAIL", f"{role}@example.org")))
    if is_new:
        update_account(
            user,
            account={"role": role, "status": User.Status.ACTIVE, "track": track()},
            profile={"first_name": first_name, "last_name": last_name, **profile},
            supervisor_profile={"organization": organization} if organization else None,
        )
        user.refresh_from_db()
    return user


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def track() -> str:
    return env("DEMO_GROUP_TRACK", "AUS-NSW")


def link(student: User, supervisor: User) -> None:
    pair, is_new = StudentSupervisor.objects.get_or_create(student=student, supervisor=supervisor)
    if is_new:
        decide_join_permission(pair, by=supervisor, granted=True)


def make_group(mentor: User, student: User) -> Group:
    group_id = env("DEMO_GROUP_ID", "BTF001")
    group: Group | None = Group.objects.filter(id__iexact=group_id).first()
    if group is None:
        name = env("DEMO_GROUP_NAME", "Biofilm Busters")
        group = Group(id=group_id, name=name, track=track(), mentor=mentor)
        group.full_clean()
        group.save()
    GroupMember.objects.get_or_create(group=group, user=student)
    return group


def make_plan(group: Group, student: User) -> None:
    """Write the plan: a milestone every two weeks, its tasks the student's."""
    for place, (title, tasks) in enumerate(PLAN.items(), start=1):
        due = timezone.localdate() + timedelta(weeks=2 * place)
        place_of = {"order_index": place, "due_date": due}
        milestone, _ = Milestone.objects.get_or_create(group=group, title=title, defaults=place_of)
        for name in tasks:
            done = {"completed": name in DONE, "assigned_to": student, "due_date": due}
            Task.objects.get_or_create(milestone=milestone, name=name, defaults=done)


def make_conversation(group: Group, mentor: User, student: User) -> None:
    if not group.messages.exists():
        Message.objects.create(group=group, author=mentor, text="Welcome! Which question interests you most?")
        Message.objects.create(group=group, author=student, text="Why do biofilms survive cleaning?")


def make_content(admin: User) -> None:
    for title, summary, audience in NEWS:
        about = {"summary": summary, "content": summary, "audience": audience}
        Announcement.objects.get_or_create(title=title, defaults=about)
    for title, kind, filename, mime_type in RESOURCES:
        if not Resource.objects.filter(title=title).exists():
            file = SimpleUploadedFile(filename, (FILES / filename).read_bytes(), mime_type)
            upload = store_upload(file, prefix="resources/files", owner=admin)
            Resource.objects.create(title=title, type=kind, file_url=upload.key)


def make_event(student: User) -> None:
    event, _ = Event.objects.get_or_create(
        title="BIOTech Futures symposium",
        defaults={
            "description": "Groups show their posters.",
            "long_description": "Five minutes for each group, questions after it, and prizes at the end.",
            "date": timezone.localdate() + timedelta(days=3),
            "time": "18:00",
            "location": "Riverside High, main hall",
            "type": Event.Type.IN_PERSON,
            "capacity": 200,
        },
    )
    event.registrations.get_or_create(user=student)
