"""An event's cover: a real picture, which takes the place of the one before it (B84, B88, B90)."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.core.files.storage import default_storage
from django.db import OperationalError
from rest_framework.test import APIClient

from core.models import AuditEvent, Upload
from core.tests.files import photo, picture, sent, use_own_storage
from core.uploads.overdue import MOST_OVERDUE
from core.uploads.store import scanners
from core.watching import metrics
from events.models import Event
from events.tests.cases import EventCase, call, url
from events.tests.factories import make_event

if TYPE_CHECKING:
    from django.core.files.uploadedfile import SimpleUploadedFile

    from users.models import User


class CoverTests(EventCase):
    event: Event

    def setUp(self) -> None:
        super().setUp()
        use_own_storage(self)
        self.event = make_event()

    def put(self, file: SimpleUploadedFile, who: User | None = None) -> Any:
        client = APIClient(raise_request_exception=False)
        client.force_authenticate(who or self.admin)
        with self.captureOnCommitCallbacks(execute=True):
            return client.put(url("update-cover", self.event.pk), {"coverImage": file}, format="multipart")

    def put_picture(self) -> Any:
        return self.put(sent("a.png", picture(), "image/png"))

    def test_it_is_told_by_a_link_that_every_participant_can_open(self) -> None:
        response = self.put(sent("a.jpg", photo(), "image/jpeg"))

        self.assertEqual((response.status_code, list(response.json())), (200, ["coverImage"]))
        for who in (self.admin, self.ada):
            link = call(who, "get", url("detail", self.event.pk)).json()["coverImage"]
            answer: Any = self.client.get(link)
            self.assertEqual(answer.headers["Content-Type"], "image/jpeg")
            self.assertNotIn(b"Camera", b"".join(answer))
        self.assertEqual(AuditEvent.objects.filter(action="cover_replaced").count(), 1)

    def test_the_one_before_it_goes_with_its_file(self) -> None:
        self.put_picture()
        former = Event.objects.get().updated_at

        self.put_picture()

        event = Event.objects.get()
        self.assertGreater(event.updated_at, former)
        self.assertEqual([upload.key for upload in Upload.objects.all()], [event.cover_image])
        self.assertEqual(len(default_storage.listdir(Event.COVER_FOLDER)[1]), 1)

    def test_what_is_no_picture_of_the_four_kinds_is_refused(self) -> None:
        refused = {
            "text": ("a.png", b"content", "image/png"),
            "document": ("a.pdf", b"%PDF-1.7", "application/pdf"),
            "TIFF": ("a.tiff", picture("TIFF"), "image/tiff"),
            "EPS": ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0", "image/x-eps"),
            "SVG": ("a.svg", b"<svg/>", "image/svg+xml"),
            "other name": ("a.gif", picture(), "image/png"),
            "script behind it": ("a.png", picture() + b"<script>", "image/png"),
        }
        for name, file in refused.items():
            with self.subTest(name):
                response = self.put(sent(*file))
                self.assertEqual((response.status_code, response.json()["code"]), (400, "upload_refused"))
        self.assertEqual((Upload.objects.count(), Event.objects.get().cover_image), (0, None))

    def test_the_form_must_hold_it(self) -> None:
        response = call(self.admin, "put", url("update-cover", self.event.pk), {})
        self.assertEqual(response.status_code, 415)
        client = APIClient()
        client.force_authenticate(self.admin)
        for body in ({}, {"coverImage": "text"}, {"coverImage": sent("a.png", b"", "image/png")}):
            answer: Any = client.put(url("update-cover", self.event.pk), body, format="multipart")
            self.assertEqual((answer.status_code, "coverImage" in answer.json()), (400, True))

    def test_a_cover_that_could_not_be_written_leaves_no_file(self) -> None:
        with patch("core.uploads.covers.audit.record", side_effect=OperationalError):
            self.assertEqual(self.put_picture().status_code, 503)

        self.assertEqual((Upload.objects.count(), Event.objects.get().cover_image), (0, None))
        self.assertEqual(default_storage.listdir(Event.COVER_FOLDER)[1], [])

    def test_it_waits_for_scanners_with_the_uploads_and_is_counted_with_them(self) -> None:
        counted = metrics.uploads.labels("unavailable")
        before = counted._value.get()
        with ExitStack() as inside:
            for _ in range(MOST_OVERDUE):
                inside.enter_context(scanners.passing(0))
            with patch.object(scanners, "is_stalling", new=True):
                self.assertEqual(self.put_picture().status_code, 503)

        self.assertEqual(counted._value.get(), before + 1)
        self.assertFalse(Upload.objects.exists())

    def test_it_goes_with_its_event(self) -> None:
        self.put_picture()

        with self.captureOnCommitCallbacks(execute=True):
            call(self.admin, "delete", url("detail", self.event.pk))

        self.assertEqual(default_storage.listdir(Event.COVER_FOLDER)[1], [])
        self.assertFalse(Upload.objects.exists())
