"""A cover at the admin site: the API's rules, said at the field, and shown by a file of our own."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from core.models import AuditEvent, Upload
from core.testing import undrawn
from core.tests.files import picture, use_own_storage
from events.models import Event
from events.tests.cases import EventCase
from events.tests.factories import make_event
from events.tests.test_admin_site import FORM, page
from users.tests.factories import make_admin, make_user


class CoverTests(EventCase):
    def setUp(self) -> None:
        super().setUp()
        use_own_storage(self)
        self.client.force_login(make_admin(is_staff=True))

    def save(self, url: str, content: bytes, name: str = "a.png", kind: str = "image/png") -> Any:
        with self.captureOnCommitCallbacks(execute=True):
            cover = SimpleUploadedFile(name, content, kind)
            return self.client.post(url, {**FORM, "cover": cover})

    def test_a_new_event_gets_its_cover_and_the_page_shows_it(self) -> None:
        self.assertEqual(self.save(page("add"), picture()).status_code, 302)

        event, upload = Event.objects.get(), Upload.objects.get()
        self.assertEqual(event.cover_image, upload.key)
        self.assertRegex(upload.key, r"^events/covers/[0-9a-f]{32}\.png$")
        self.assertEqual(
            list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)),
            ["event_created", "cover_replaced"],
        )
        self.assertContains(self.client.get(page("change", event.pk)), f'src="{page("cover", event.pk)}?')
        shown = self.client.get(page("cover", event.pk))
        self.assertEqual((shown.status_code, shown.headers["Content-Type"]), (200, "image/png"))
        self.assertTrue(b"".join(shown.streaming_content).startswith(b"\x89PNG"))  # type: ignore[attr-defined]

    def test_another_takes_its_place_and_a_change_without_one_leaves_it(self) -> None:
        self.save(page("add"), picture())
        event = Event.objects.get()
        first = event.cover_image

        with self.captureOnCommitCallbacks(execute=True):
            self.client.post(page("change", event.pk), {**FORM, "title": "New"})
        event.refresh_from_db()
        self.assertEqual((event.cover_image, event.title), (first, "New"))
        self.save(page("change", event.pk), picture())

        event.refresh_from_db()
        self.assertNotEqual(event.cover_image, first)
        self.assertEqual([upload.key for upload in Upload.objects.all()], [event.cover_image])

    def test_what_is_no_picture_is_refused_at_the_field_and_nothing_is_written(self) -> None:
        event = make_event(title="Old")
        for content, name, kind in (
            (b"<script>", "a.png", "image/png"),
            (picture(), "a.exe", "image/png"),
            (picture()[:40], "a.png", "image/png"),
            (b"%PDF-1.4", "a.pdf", "application/pdf"),
        ):
            with self.subTest(name):
                with undrawn():
                    response = self.save(page("change", event.pk), content, name, kind)
                self.assertEqual(list(response.context_data["adminform"].form.errors), ["cover"])
        event.refresh_from_db()
        self.assertEqual((event.title, event.cover_image, Upload.objects.count()), ("Old", None, 0))

    def test_who_may_not_look_at_events_gets_no_cover(self) -> None:
        self.save(page("add"), picture())
        address = page("cover", Event.objects.get().pk)

        self.client.force_login(make_user(is_staff=True, status="active"))

        self.assertEqual(self.client.get(address).status_code, 403)
        self.client.logout()
        self.assertEqual(self.client.get(address).status_code, 302)

    def test_an_event_without_one_has_none_to_show(self) -> None:
        self.assertEqual(self.client.get(page("cover", make_event().pk)).status_code, 404)
