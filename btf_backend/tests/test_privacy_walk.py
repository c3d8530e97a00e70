"""No answer to a participant tells another one's address, phone, check number or guardian (B34, B35, B40).

Every operation of the OpenAPI document is called, so that a new one is walked unasked. One that no role
gets an answer from fails the walk: give it an object here.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZipFile

from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings, tag
from django.urls import reverse

from announcements.models import Announcement
from authentication.models import SignInSession
from authentication.tests.signing_in import signed_in_client
from btf_backend.tests.routes import operations
from btf_backend.tests.telling import TellingOfEverything
from chat.models import MessageAttachment
from chat.tests.factories import make_message
from core.middleware import is_route
from core.models import Delivery
from core.roles import Role
from core.uploads.store import store_upload
from events.tests.factories import make_event
from groups.models import Milestone, Task
from groups.tests.factories import make_group
from resources.models import Resource
from users.models import SupervisorProfile, User, UserProfile
from users.tests.factories import make_admin, make_link, make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chat.models import Message

PARAMETER: Final = re.compile(r"\{\w+\}")
ACTIVE: Final = User.Status.ACTIVE
PARTICIPANTS: Final[dict[str, dict[str, Any]]] = {
    "student": {"role": Role.STUDENT, "status": ACTIVE},
    "classmate": {"role": Role.STUDENT, "status": ACTIVE},
    "mentor": {"role": Role.MENTOR, "status": ACTIVE},
    "supervisor": {"role": Role.SUPERVISOR, "status": ACTIVE},
    "pending": {"role": Role.STUDENT, "status": User.Status.PENDING},
    "staff": {"role": Role.MENTOR, "status": ACTIVE, "is_staff": True},
}
# Answers only to a token out of a mail.
ANSWERS_NOBODY: Final = {"/api/auth/verify/", "/api/notifications/unsubscribe/{token}/"}
# Read by admins alone, though it stands beside what everyone reads.
FOR_ADMINS: Final = {
    "/api/announcements/{id}/acknowledgements/",
    "/api/announcements/{id}/mail/",
    *(f"/api/events/{{id}}/roster/{name}" for name in ("", "waiting/", "export/")),
}
# What is asked for where nothing is answered to who asks for nothing.
QUERIES: Final = {"/api/messages/search/": "?q=Hello"}


def secrets_of(name: str) -> list[str]:
    """Return what nobody else may read of that person; each string is in the database once or more."""
    number = [*PARTICIPANTS, "admin"].index(name)
    return [
        f"walk-{name}@",
        f"guardian-of-{name}@",
        f"adult-of-{name}@",
        f"0477 123 00{number}",
        f"WWCWALK{number}",
    ]


def leave_marks(message: Message, person: User) -> None:
    message.reactions.create(user=person, sign="\U0001f44d")
    message.mentions.create(user=person)
    message.reports.create(reporter=person, category="spam", note="Look")
    message.group.read_cursors.create(user=person, seq=message.seq)


def text_of(response: Any) -> str:
    """Return a body as text, a ZIP as that of all its files."""
    body: bytes = response.getvalue()
    if response.headers.get("Content-Type") == "application/zip":
        archive = ZipFile(io.BytesIO(body))
        body = b"\n".join(archive.read(name) for name in archive.namelist())
    return body.decode("utf-8", "replace").casefold()


@tag("walk")
@override_settings(API_WRITES_PER_USER="", VERIFY_PER_SOURCE="")
class PrivacyWalkTests(TellingOfEverything):
    people: dict[str, User]
    ids: list[str]

    @classmethod
    def setUpTestData(cls) -> None:
        """Nobody has a name: where one is shown, the address is the nearest thing at hand."""
        cache.clear()
        cls.people = {name: cls.make_person(name, **fields) for name, fields in PARTICIPANTS.items()}
        cls.people["admin"] = make_admin(email="walk-admin@example.org")

    @classmethod
    def make_person(cls, name: str, **fields: Any) -> User:
        address, guardian, adult, phone, number = secrets_of(name)
        user = make_user(email=f"{address}example.org", **fields)
        UserProfile.objects.create(
            user=user, guardian_email=f"{guardian}example.org", supervisor_email=f"{adult}example.org"
        )
        SupervisorProfile.objects.create(user=user, phone_number=phone, wwcc_number=number)
        return user

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.enterContext(override_settings(MEDIA_ROOT=folder.name))
        self.clients = {name: signed_in_client(user) for name, user in self.people.items()}
        self.ids = [str(row.pk) for row in self.make_objects()]
        self.answered: Counter[str] = Counter()

    def make_objects(self) -> list[Any]:
        """Make one group with everybody in it, and one thing of each kind that hangs on it or on them."""
        people = self.people
        links = [
            make_link(people[student], people[adult])
            for student in ("student", "classmate", "pending")
            for adult in ("supervisor", "mentor", "staff")
        ]
        group = make_group(members=self.people.values(), mentor=people["mentor"])
        messages = [make_message(group=group, author=person) for person in people.values()]
        for person in people.values():
            leave_marks(messages[1], person)
        milestone = Milestone.objects.create(group=group, title="Grow")
        task = Task.objects.create(milestone=milestone, name="Pour", assigned_to=people["classmate"])
        file = SimpleUploadedFile("plan.txt", b"plan", "text/plain")
        upload = store_upload(file, prefix="uploads", owner=people["classmate"])
        MessageAttachment.objects.create(
            message=messages[0], upload=upload, filename="plan.txt", file_url="https://x.example/a.txt"
        )
        event = make_event()
        for person in people.values():
            event.registrations.create(user=person)
        resource = Resource.objects.create(title="Guide", type="guide", file_url="https://x.example/g.txt")
        news = Announcement.objects.create(title="News", summary="New")
        for person in people.values():
            news.acknowledgements.create(user=person)
        self.tell_everything(people.values(), group=group, author=people["classmate"])
        told = Delivery.objects.filter(person=people["student"], in_inbox=True).order_by("pk")
        session = SignInSession.objects.filter(user=people["student"]).first()
        member = group.members.first()
        rows = [group, links[0], messages[1], milestone, task, upload, event, resource, news, session, member]
        return [*rows, messages[1].reports.latest("pk"), told[0], people["student"]]

    def urls(self, path: str) -> Iterator[str]:
        """Yield the path with every object's id in every place; most are not there, and some no route."""
        template = PARAMETER.sub("{}", path)
        for ids in product(self.ids, repeat=template.count("{}")):
            url = template.format(*ids)
            if is_route(url):
                yield url

    def told(self, viewer: str, response: Any) -> list[str]:
        """Return which strings of others an answer tells."""
        text = text_of(response)
        others = [word for name in self.people if name != viewer for word in secrets_of(name)]
        return [word for word in others if word.casefold() in text]

    def call(self, viewer: str, method: str, url: str) -> Any:
        client: Any = self.clients[viewer]
        response = client.generic(method, url, b"{}", content_type="application/json")
        self.assertLess(response.status_code, 500, f"{method} {url}")
        return response

    def test_what_participants_read_tells_nothing_of_others(self) -> None:
        """B34, B35, SAFETY B40."""
        paths = [path for method, path, _ in operations() if method == "GET" and "/api/admin/" not in path]
        for viewer in PARTICIPANTS:
            with self.captureOnCommitCallbacks(execute=True):
                self.call(viewer, "GET", reverse("users:me-export"))
            for path in paths:
                for url in self.urls(path):
                    response = self.call(viewer, "GET", url + QUERIES.get(path, ""))
                    with self.subTest(url, viewer=viewer):
                        self.assertEqual(self.told(viewer, response), [])
                    self.answered[path] += response.status_code in {200, 302}

        self.assertEqual({path for path in paths if not self.answered[path]}, ANSWERS_NOBODY | FOR_ADMINS)
        self.assertGreaterEqual(self.answered.total(), 6 * len(PARTICIPANTS))

    def test_what_admins_do_is_refused_and_tells_nothing(self) -> None:
        called = 0
        for method, path, _ in operations():
            if not path.startswith("/api/admin/") and path not in FOR_ADMINS:
                continue
            for viewer, url in product(PARTICIPANTS, self.urls(path)):
                response = self.call(viewer, method, url)
                with self.subTest(f"{method} {url}", viewer=viewer):
                    self.assertEqual(response.status_code, 403)
                    self.assertEqual(self.told("nobody", response), [])
                called += 1
        self.assertGreater(called, 16 * len(PARTICIPANTS))

    def test_the_walk_would_find_what_is_told(self) -> None:
        """An admin reads it all: what is looked for is there, in the spelling that is looked for."""
        student = self.people["student"]
        response = self.call("admin", "GET", reverse("admin_panel:user-detail", args=[student.pk]))

        self.assertLessEqual(set(secrets_of("student")), set(self.told("admin", response)))
