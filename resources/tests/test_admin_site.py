"""Resources at the admin site: the same rules for files as over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.core.files.storage import default_storage
from django.urls import reverse

from core.models import AuditEvent, Upload
from core.testing import context_of, undrawn
from core.tests.files import sent
from resources.models import Resource, ResourceDownload
from resources.tests.cases import ResourceCase, pdf
from resources.tests.factories import TEXT, make_resource, published
from users.tests.factories import make_superuser, make_user

if TYPE_CHECKING:
    from users.models import User


def page(name: str, *args: object) -> str:
    return reverse(f"admin:resources_resource_{name}", args=args)


class AdminSiteCase(ResourceCase):
    keeper: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.keeper = make_superuser()

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.keeper)

    def save(self, path: str, **fields: Any) -> Any:
        form = {"title": "Safety", "description": "", "type": "guide", "role": "mentor", **fields}
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post(path, form)

    def errors(self, response: Any) -> dict[str, list[str]]:
        """Return what the form says is wrong."""
        self.assertEqual(response.status_code, 200)
        found: dict[str, list[str]] = response.context_data["adminform"].form.errors
        return found


class WritingTests(AdminSiteCase):
    def test_a_resource_is_published_with_its_file(self) -> None:
        self.assertEqual(self.save(page("add"), file=pdf()).status_code, 302)

        resource, upload = Resource.objects.get(), Upload.objects.get()
        self.assertEqual((resource.title, resource.role, resource.file_url), ("Safety", "mentor", upload.key))
        self.assertRegex(upload.key, r"^resources/files/[0-9a-f]{32}\.pdf$")
        self.assertEqual(upload.owner, self.keeper)
        self.assertEqual(list(AuditEvent.objects.values_list("action", flat=True)), ["resource_created"])

    def test_what_may_not_be_stored_is_refused_at_the_field(self) -> None:
        """B84."""
        for file in (
            sent("a.exe", b"MZ", "application/pdf"),
            sent("a.html", b"<p>", "text/plain"),
            sent("a.pdf", b"<script>", "application/pdf"),
            "",
        ):
            with self.subTest(file):
                with undrawn():
                    refused = self.save(page("add"), file=file)
                self.assertEqual(list(self.errors(refused)), ["file"])
        self.assertEqual((Resource.objects.count(), Upload.objects.count()), (0, 0))

    def test_a_change_keeps_the_file_or_replaces_it(self) -> None:
        """B88."""
        resource = published(self.admin)
        path = page("change", resource.pk)

        self.assertEqual(self.save(path, title="New").status_code, 302)
        changed = Resource.objects.get()
        self.assertEqual(
            (changed.title, changed.role, changed.file_url), ("New", "mentor", resource.file_url)
        )

        self.assertEqual(self.save(path, title="New", file=pdf()).status_code, 302)
        replaced = Resource.objects.get()
        self.assertNotEqual(replaced.file_url, resource.file_url)
        self.assertEqual(
            (self.is_stored(resource.file_url), self.is_stored(replaced.file_url)), (False, True)
        )

    def test_deleting_removes_the_files(self) -> None:
        """B88: one at its own page, others out of the list."""
        resources = [published(self.admin) for _ in range(3)]
        self.put_cover(resources[0])
        ResourceDownload.objects.create(
            resource=resources[0], user=self.student, hour=resources[0].created_at
        )

        shown = self.client.get(page("delete", resources[0].pk))
        self.assertNotContains(shown, self.student.email)
        self.save(page("delete", resources[0].pk), post="yes")
        ids = [resource.pk for resource in resources[1:]]
        self.save(page("changelist"), action="delete_selected", _selected_action=ids, post="yes")

        self.assertEqual((Resource.objects.count(), Upload.objects.count()), (0, 0))
        self.assertEqual(default_storage.listdir(Resource.FILE_FOLDER)[1], [])
        self.assertEqual(default_storage.listdir(Resource.COVER_FOLDER)[1], [])
        self.assertEqual(AuditEvent.objects.filter(action="resource_deleted").count(), 3)


class ReadingTests(AdminSiteCase):
    def test_the_list_is_narrowed_and_searched(self) -> None:
        make_resource(title="Poster", description="White", role="student")
        make_resource(title="Safety", type="video")

        for query, title in (("q=white", "Poster"), ("role__exact=all", "Safety"), ("type=video", "Safety")):
            with self.subTest(query):
                rows = context_of(self.client, f"{page('changelist')}?{query}")["cl"].result_list
                self.assertEqual([row.title for row in rows], [title])

    def test_file_and_cover_are_links_that_open(self) -> None:
        resource = published(self.admin)
        self.put_cover(resource)
        shown = [self.client.get(path) for path in (page("changelist"), page("change", resource.pk))]
        for what in ("url", "coverImage"):
            address = page("open", resource.pk, what)
            for response in shown:
                with self.subTest(what, shown=response.request["PATH_INFO"]):
                    self.assertContains(response, f'href="{address}"')
            followed = self.client.get(address)
            opened: Any = self.client.get(urlsplit(followed.headers["Location"]).path)
            content = opened.getvalue()
            with self.subTest(what):
                self.assertEqual((followed.status_code, opened.status_code), (302, 200))
                self.assertEqual(content == TEXT, what == "url")

    def test_nothing_else_is_opened(self) -> None:
        resource = make_resource()

        for what in ("coverImage", "title", "x"):
            self.assertEqual(self.client.get(page("open", resource.pk, what)).status_code, 404)
        self.assertEqual(self.client.get(page("open", 2**60, "url")).status_code, 404)
        self.client.force_login(make_user(is_staff=True))
        self.assertEqual(self.client.get(page("open", resource.pk, "url")).status_code, 403)
