"""Publishing, changing and deleting announcements: what admins may send, and what it leaves behind."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from announcements.models import Announcement
from announcements.services.announcements import change_announcement, delete_announcement
from announcements.tests.cases import NewsCase, call, url
from announcements.tests.factories import hours, make_announcement
from core.models import AuditEvent
from core.refusals import Forbidden, Missing
from users.models import User
from users.tests.factories import make_admin, make_superuser, make_user


class CreateTests(NewsCase):
    def test_title_and_summary_are_enough(self) -> None:
        body = self.created()

        self.assertEqual((body["title"], body["summary"], body["content"]), ("News", "Short", ""))
        self.assertEqual((body["author"], body["audience"], body["link"]), ("Program Team", "all", None))
        self.assertEqual((body["publishAt"], body["expiresAt"], body["state"]), (None, None, "published"))
        self.assertEqual(body, call(self.admin, "get", url("detail", body["id"])).json())

    def test_everything_that_is_sent_is_kept(self) -> None:
        sent = {
            "title": "Día del póster 🧬",
            "summary": "伟大",
            "content": "# Hi\n\nthere",
            "author": "Ann Desk",
            "audience": "mentor",
            "link": "https://example.org/a?b=1#c",
            "pinned": True,
            "publishAt": "2031-04-05T06:07:08Z",
            "expiresAt": "2031-04-05T06:07:08.500000Z",
        }

        body = self.created(**sent, nonsense=1, id=7)

        self.assertEqual({name: body[name] for name in sent}, sent)
        self.assertEqual(body["state"], "scheduled")

    def test_what_is_not_valid_is_named(self) -> None:
        for field, value in (
            ("title", ""),
            ("title", "x" * 256),
            ("title", None),
            ("title", 5),
            ("summary", "  "),
            ("summary", None),
            ("content", None),
            ("content", "x" * 20_001),
            ("author", "x" * 101),
            ("author", None),
            ("audience", "teachers"),
            ("audience", ""),
            ("audience", None),
            ("link", "ftp://example.org/"),
            ("link", "javascript:alert(1)"),
            ("link", "example.org"),
            ("link", "//example.org"),
            ("link", "http://a b.example/"),
            ("link", f"https://example.org/{'x' * 200}"),
            ("pinned", "perhaps"),
            ("pinned", None),
            ("publishAt", "2031-04-05T06:07:08"),
            ("publishAt", "2031-04-05"),
            ("publishAt", "soon"),
            ("publishAt", ""),
            ("expiresAt", "0001-01-01T00:00:00+14:00"),
            ("expiresAt", 5),
        ):
            with self.subTest(field, value=value):
                sent: dict[str, Any] = {field: value}
                self.assert_refused(self.create(**sent), 400, field)
        self.assertFalse(Announcement.objects.exists())

    def test_what_is_missing_is_named(self) -> None:
        self.assert_refused(call(self.admin, "post", url("list"), {}), 400, "title", "summary")

    def test_200_characters_are_a_link(self) -> None:
        link = f"https://example.org/{'x' * 180}"

        self.assertEqual(self.created(link=link)["link"], link)

    def test_moments_may_have_any_offset(self) -> None:
        body = self.created(publishAt="2031-04-05T09:30:00+10:00")

        self.assertEqual(body["publishAt"], "2031-04-04T23:30:00Z")

    def test_it_cannot_expire_before_it_is_published(self) -> None:
        for ends in ("2031-04-05T06:07:08Z", "2031-04-05T06:07:07Z", "2031-04-05T08:07:08+02:00"):
            with self.subTest(ends):
                self.assert_refused(
                    self.create(publishAt="2031-04-05T06:07:08Z", expiresAt=ends), 400, "expiresAt"
                )

    def test_a_form_is_taken_too(self) -> None:
        client: Any = APIClient()
        client.force_authenticate(self.admin)
        for kind in ("multipart", None):
            body = {"title": "News", "summary": "Short", "pinned": "true", "link": ""}
            with self.subTest(kind):
                response = client.post(url("list"), body, format=kind)
                self.assertEqual(response.status_code, 201, response.content)
                self.assertEqual((response.json()["pinned"], response.json()["link"]), (True, None))

    def test_a_repeat_makes_nothing_and_answers_the_same(self) -> None:
        """SAFETY B34."""
        client: Any = APIClient()
        client.force_authenticate(self.admin)
        sent = {"title": "News", "summary": "Short"}
        headers = {"Idempotency-Key": "phone-1"}
        first, again = (client.post(url("list"), sent, format="json", headers=headers) for _ in range(2))

        self.assertEqual((first.status_code, again.status_code), (201, 201))
        self.assertEqual(first.json(), again.json())
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.assertEqual(Announcement.objects.count(), 1)
        other = client.post(url("list"), {**sent, "title": "x"}, format="json", headers=headers)
        self.assertEqual(other.status_code, 422)


class ChangeTests(NewsCase):
    def setUp(self) -> None:
        super().setUp()
        self.news = make_announcement(title="Old", link="https://x.example/", publish_at=hours(-5))

    def change(self, who: User | None = None, **body: Any) -> Any:
        return call(who or self.admin, "patch", url("detail", self.news.pk), body)

    def test_what_is_sent_is_changed_and_nothing_else(self) -> None:
        before = call(self.admin, "get", url("detail", self.news.pk)).json()

        body = self.change(title="New", link="").json()

        self.assertEqual((body["title"], body["link"]), ("New", None))
        same = set(before) - {"title", "link", "updatedAt"}
        self.assertEqual({name: body[name] for name in same}, {name: before[name] for name in same})
        self.assertGreater(body["updatedAt"], before["updatedAt"])

    def test_a_change_to_what_it_is_changes_nothing(self) -> None:
        before = call(self.admin, "get", url("detail", self.news.pk)).json()

        self.assertEqual(self.change(title="Old", author="  ").json(), before)
        self.assertEqual(self.change().json(), before)
        self.assertFalse(AuditEvent.objects.exists())

    def test_it_is_taken_down_and_put_up_again(self) -> None:
        self.assertEqual(self.change(expiresAt=hours(-1).isoformat()).json()["state"], "expired")
        self.assertEqual(self.titles(self.student), [])

        self.assertEqual(self.change(expiresAt=None).json()["state"], "published")
        self.assertEqual(self.titles(self.student), ["Old"])

    def test_its_times_are_judged_together(self) -> None:
        self.assert_refused(self.change(expiresAt=hours(-6).isoformat()), 400, "expiresAt")
        self.assert_refused(self.change(title="x" * 256), 400, "title")
        self.assert_refused(self.change(summary=""), 400, "summary")

    def test_the_whole_is_not_replaced(self) -> None:
        self.assertEqual(call(self.admin, "put", url("detail", self.news.pk), {}).status_code, 405)

    def test_what_is_deleted_is_gone(self) -> None:
        self.assertEqual(call(self.admin, "delete", url("detail", self.news.pk)).status_code, 204)

        for method in ("get", "patch", "delete"):
            with self.subTest(method):
                self.assert_refused(call(self.admin, method, url("detail", self.news.pk)), 404)

    def test_what_was_deleted_a_moment_ago_is_missed(self) -> None:
        Announcement.objects.all().delete()

        for service in (delete_announcement, change_announcement):
            values = {"values": {"title": "x"}} if service is change_announcement else {}
            with self.subTest(service.__name__):
                self.assertRaises(Missing, service, self.news, by=self.admin, **values)

    def test_who_is_no_admin_any_more_writes_nothing(self) -> None:
        User.objects.filter(pk=self.admin.pk).update(role="mentor")

        self.assertRaises(Forbidden, delete_announcement, self.news, by=self.admin)
        self.assertTrue(Announcement.objects.exists())


class WriterTests(NewsCase):
    def test_others_than_admins_write_nothing(self) -> None:
        news = make_announcement()
        for who in (self.student, self.mentor, make_user(role="supervisor"), make_user(is_staff=True)):
            for method, path in (
                ("post", url("list")),
                ("patch", url("detail", news.pk)),
                ("delete", url("detail", news.pk)),
                ("delete", url("detail", 10**6)),
                ("get", url("acknowledgements", news.pk)),
            ):
                with self.subTest(who.role, staff=who.is_staff, method=method, path=path):
                    response = call(who, method, path, {"title": "x", "summary": "x"})
                    self.assert_refused(response, 403)
                    self.assertTrue(response.json()["error"])
        self.assertEqual(Announcement.objects.count(), 1)

    def test_superusers_do(self) -> None:
        self.assertEqual(self.create(make_superuser()).status_code, 201)

    def test_nobody_reads_without_a_token(self) -> None:
        for path in (url("list"), url("detail", 1), url("unread")):
            self.assertEqual(APIClient().get(path).status_code, 401)


class AuditTests(NewsCase):
    def test_every_write_is_recorded_by_names_alone(self) -> None:
        news = self.created(summary="Secret", content="Secret", author="Secret")
        call(
            self.admin, "patch", url("detail", news["id"]), {"summary": "Other", "title": "News", "link": ""}
        )
        call(self.admin, "delete", url("detail", news["id"]))

        rows = AuditEvent.objects.order_by("id").values_list("action", "changes", "object_id", "actor_id")
        self.assertEqual(
            list(rows),
            [
                ("announcement_created", {}, str(news["id"]), self.admin.pk),
                ("announcement_changed", {"summary": True}, str(news["id"]), self.admin.pk),
                ("announcement_deleted", {}, str(news["id"]), self.admin.pk),
            ],
        )

    def test_what_fails_to_be_recorded_is_not_written(self) -> None:
        client = APIClient(raise_request_exception=False)
        client.force_authenticate(make_admin())
        with patch("core.audit.AuditEvent.objects.create", side_effect=OSError):
            client.post(url("list"), {"title": "News", "summary": "Short"}, format="json")

        self.assertFalse(Announcement.objects.exists())


class ConstraintTests(NewsCase):
    def test_the_table_keeps_times_in_order(self) -> None:
        for ends in (hours(1), hours(2)):
            with self.assertRaises(IntegrityError), transaction.atomic():
                make_announcement(publish_at=hours(2.5), expires_at=ends)

    def test_a_blank_signature_is_the_programmes(self) -> None:
        self.assertEqual(make_announcement(author=" ", link="").author, "Program Team")
        self.assertIsNone(make_announcement(link="").link)
