"""What tests of the API of resources share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.core.cache import cache
from django.core.files.storage import default_storage
from django.test import TestCase
from django.urls import reverse
from rest_framework.test import APIClient

from core.tests.files import picture, sent, use_own_storage
from users.tests.factories import make_admin, make_user

if TYPE_CHECKING:
    from django.core.files.uploadedfile import SimpleUploadedFile

    from resources.models import Resource
    from users.models import User

ENVELOPE: Final = {"error", "detail", "code", "requestId"}


def url(name: str = "list", *args: Any) -> str:
    """Return the address of ``resources:resource-<name>``."""
    return reverse(f"resources:resource-{name}", args=args)


def pdf(name: str = "safety.pdf", content: bytes = b"content") -> SimpleUploadedFile:
    return sent(name, content, "application/pdf")


def cover(kind: str = "PNG") -> SimpleUploadedFile:
    return sent(f"cover.{kind.lower()}", picture(kind), f"image/{kind.lower()}")


def client_of(who: User | None) -> Any:
    """Return a client that speaks for somebody, or for nobody."""
    client = APIClient()
    if who is not None:
        client.force_authenticate(who)
    return client


def call(who: User | None, method: str, path: str, body: Any = None, form: str = "json") -> Any:
    """Send a request as somebody; a GET's body is its query."""
    client = client_of(who)
    if method in {"get", "head"}:
        return getattr(client, method)(path, body)
    return getattr(client, method)(path, body, format=form)


class ResourceCase(TestCase):
    """An admin, a mentor and a student, and a storage of the test's own."""

    admin: User
    mentor: User
    student: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin = make_admin()
        cls.mentor = make_user(role="mentor", status="active")
        cls.student = make_user()

    def setUp(self) -> None:
        cache.clear()
        use_own_storage(self)

    def post(self, who: User | None = None, **fields: Any) -> Any:
        """Send a form with a good file, save what ``fields`` says else; None leaves a field out."""
        body = {"title": "Safety", "type": "document", "role": "all", "file": pdf(), **fields}
        sent_fields = {name: value for name, value in body.items() if value is not None}
        return call(who or self.admin, "post", url(), sent_fields, "multipart")

    def patch(self, resource: Resource, form: str = "json", **fields: Any) -> Any:
        return call(self.admin, "patch", url("detail", resource.pk), fields, form)

    def put_cover(self, resource: Resource, file: SimpleUploadedFile | None = None) -> Any:
        body = {"coverImage": file or cover()}
        return call(self.admin, "put", url("update-cover", resource.pk), body, "multipart")

    def document(self, who: User, resource: Resource) -> Any:
        response = call(who, "get", url("detail", resource.pk))
        self.assertEqual(response.status_code, 200, response.content)
        return response.json()

    def listed(self, who: User, **query: Any) -> list[str]:
        """Return the titles of a list."""
        response = call(who, "get", url(), query)
        self.assertEqual(response.status_code, 200, response.content)
        return [row["title"] for row in response.json()["results"]]

    def open(self, link: str, who: User | None = None, **headers: str) -> Any:
        """Click a link, as its holder does: without a header, or as somebody who is signed in.

        The answer is read to its end, and is then its ``body``.
        """
        response = client_of(who).get(urlsplit(link).path, headers=headers)
        response.body = response.getvalue()
        return response

    def look(self, link: str) -> Any:
        """Ask for a link's head."""
        response = client_of(None).head(urlsplit(link).path)
        # The test client takes the body away, and with it what would close the file. ``close()`` would
        # drop the test's own connection.
        for close in response._resource_closers:
            close()
        return response

    def is_stored(self, key: str | None) -> bool:
        return default_storage.exists(key or "nothing")

    def content(self, key: str | None) -> bytes:
        """Return what is stored under a key."""
        with default_storage.open(key or "nothing") as file:
            return bytes(file.read())

    def assert_refused(self, response: Any, status: int, *fields: str) -> None:
        """The answer has that status and, beside the envelope, errors of these fields alone."""
        self.assertEqual(response.status_code, status, response.content)
        self.assertEqual(set(response.json()) - ENVELOPE, set(fields))
