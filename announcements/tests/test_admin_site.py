"""Announcements at the admin site."""

from __future__ import annotations

from typing import Any, Final

from django.urls import reverse

from announcements.models import Acknowledgement, Announcement
from announcements.services.announcements import acknowledge
from announcements.tests.cases import NewsCase
from announcements.tests.factories import hours, make_announcement
from core.models import AuditEvent
from core.testing import context_of
from users.tests.factories import make_superuser

FORM: Final[dict[str, Any]] = {
    "title": "News",
    "summary": "Short",
    "content": "",
    "author": "",
    "audience": "all",
    "link": "",
}


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:announcements_announcement_{name}", args=args)


class AdminSiteTests(NewsCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(make_superuser())

    def test_what_is_blank_is_as_the_api_has_it(self) -> None:
        self.client.post(page("add"), FORM)

        news = Announcement.objects.get()
        self.assertEqual((news.author, news.link, news.pinned), ("Program Team", None, False))

    def test_what_the_api_refuses_is_refused_here(self) -> None:
        times = {
            "publish_at_0": "2031-01-02",
            "publish_at_1": "10:00",
            "expires_at_0": "2031-01-02",
            "expires_at_1": "10:00",
        }
        for sent, sentence in (
            ({"link": "ftp://x.example/"}, "Enter a valid URL"),
            (times, "It must expire after it is published"),
        ):
            with self.subTest(sentence):
                self.assertContains(self.client.post(page("add"), {**FORM, **sent}), sentence)
        self.assertFalse(Announcement.objects.exists())

    def test_the_list_is_narrowed_by_state(self) -> None:
        make_announcement(title="Runs")
        make_announcement(title="Waits", publish_at=hours(1))
        make_announcement(title="Ended", expires_at=hours(-1))

        for state, title in (("published", "Runs"), ("scheduled", "Waits"), ("expired", "Ended")):
            with self.subTest(state):
                shown = context_of(self.client, page("changelist"), {"state": state})["cl"].queryset
                self.assertEqual([row.title for row in shown], [title])

    def test_every_write_is_recorded_once_as_over_the_api(self) -> None:
        self.client.post(page("add"), FORM)
        news = Announcement.objects.get()
        self.client.post(page("change", news.pk), {**FORM, "title": "New"})
        other = make_announcement()
        self.client.post(page("delete", news.pk), {"post": "yes"})
        action = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
        self.client.post(page("changelist"), action)

        self.assertFalse(Announcement.objects.exists())
        acts = AuditEvent.objects.filter(object_type="announcements.announcement").order_by("pk")
        self.assertEqual(
            list(acts.values_list("action", "object_id", "changes")),
            [
                ("announcement_created", str(news.pk), {}),
                ("announcement_changed", str(news.pk), {"title": True}),
                ("announcement_deleted", str(news.pk), {}),
                ("announcement_deleted", str(other.pk), {}),
            ],
        )

    def test_texts_are_no_longer_than_over_the_api(self) -> None:
        for name, length in (("summary", 5_000), ("content", 20_000)):
            with self.subTest(name):
                response = self.client.post(page("add"), {**FORM, name: "x" * (length + 1)})
                self.assertContains(response, f"at most {length} characters")

    def test_marks_go_along_and_are_looked_at_alone(self) -> None:
        mark, _ = acknowledge(make_announcement(), by=self.student)
        marks = reverse("admin:announcements_acknowledgement_delete", args=[mark.pk])
        self.assertEqual(self.client.post(marks, {"post": "yes"}).status_code, 403)

        self.client.post(page("delete", mark.announcement_id), {"post": "yes"})

        self.assertFalse(Announcement.objects.exists() or Acknowledgement.objects.exists())
