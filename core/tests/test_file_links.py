"""A file link: whose it is, how long it lives, what it answers (CONTRACT 1.6, D15, D19; SAFETY B37)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import time_machine
from django.conf import settings
from django.test import TestCase, override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.tests.signing_in import signed_in_client
from core.models import Upload
from core.registry import file_opened, file_rights
from core.tests.files import sent, use_own_storage
from core.uploads.files import remove_files
from core.uploads.links import Links, links_of_scope
from core.uploads.store import store_upload
from users.models import User
from users.tests.factories import make_superuser, make_user

TEXT = b"0123456789"


class LinkTestCase(TestCase):
    client: APIClient

    def setUp(self) -> None:
        use_own_storage(self)
        self.owner = make_user()
        self.client = APIClient()
        self.upload = store_upload(
            sent("Ein Plan ü.txt", TEXT, "text/plain"), prefix="uploads", owner=self.owner
        )
        self.link = self.link_for(self.owner)

    def link_for(self, viewer: User) -> str:
        return Links(viewer.pk, "http://testserver").to(self.upload.key)

    def open(self, link: str = "", **headers: str) -> Any:
        return self.client.get(link or self.link, headers=headers)

    def status(self, link: str = "", **headers: str) -> int:
        response = self.open(link, **headers)
        b"".join(response)  # read to its end the file is closed
        return int(response.status_code)


class FormTests(LinkTestCase):
    def test_it_is_one_that_the_spa_can_use(self) -> None:
        """B87: absolute, with the real extension at its end, no query, nothing that ends a CSS string."""
        self.assertRegex(self.link, r"^http://testserver/media/[\w-]+/uploads/[0-9a-f]{32}\.txt$")
        self.assertEqual(re.findall(r"['\")\s?]", self.link), [])

    def test_it_is_the_same_for_about_an_hour(self) -> None:
        with time_machine.travel("2027-01-01T10:00:01Z", tick=False):
            first = self.link_for(self.owner)
        with time_machine.travel("2027-01-01T10:59:59Z", tick=False):
            self.assertEqual(self.link_for(self.owner), first)
        with time_machine.travel("2027-01-01T11:00:01Z", tick=False):
            self.assertNotEqual(self.link_for(self.owner), first)

    @override_settings(MEDIA_PUBLIC_BASE_URL="https://files.example.org")
    def test_it_may_lie_on_an_origin_of_its_own(self) -> None:
        scope: dict[str, Any] = {"headers": [(b"host", b"api.example.org")], "scheme": "ws"}

        self.assertEqual(links_of_scope(scope, 1).base, "https://files.example.org")

    def test_at_a_socket_it_leads_to_where_the_socket_came_in(self) -> None:
        headers = [(b"host", b"api.example.org"), (b"x-forwarded-proto", b"https")]
        for proxies, scheme, base in ((0, "ws", "http"), (0, "wss", "https"), (1, "ws", "https")):
            with self.subTest(proxies=proxies, scheme=scheme), override_settings(TRUSTED_PROXY_COUNT=proxies):
                links = links_of_scope({"headers": headers, "scheme": scheme}, 1)
                self.assertEqual(links.base, f"{base}://api.example.org")


class RightTests(LinkTestCase):
    def test_it_opens_without_a_header_and_with_ones_own(self) -> None:
        self.assertEqual(self.status(), 200)
        self.client = signed_in_client(self.owner)
        self.assertEqual(self.status(), 200)

    def test_somebody_else_who_is_signed_in_gets_nothing(self) -> None:
        """D19: by token, and by a session of the admin site."""
        self.client = signed_in_client(make_user())
        self.assertEqual(self.status(), 404)
        self.client = APIClient()
        self.client.force_login(make_superuser())
        self.assertEqual(self.status(), 404)

    def test_a_token_that_is_no_longer_good_is_said_so(self) -> None:
        self.assertEqual(self.status(authorization="Bearer x.y.z"), 401)

    def test_who_may_not_open_it_gets_nothing_by_a_link_of_their_own(self) -> None:
        """B86."""
        self.assertEqual(self.status(self.link_for(make_user())), 404)
        self.assertEqual(self.status(self.link_for(make_superuser())), 404)

    def test_the_app_whose_file_it_is_is_asked_at_each_click(self) -> None:
        friend, may = make_user(), [True]
        with patch.dict(file_rights.entries, {"uploads": lambda *_: may[0]}):
            link = self.link_for(friend)
            self.assertEqual(self.status(link), 200)
            may[0] = False
            self.assertEqual(self.status(link), 404)

    def test_nothing_of_it_can_be_altered(self) -> None:
        other = store_upload(sent("b.txt", b"x", "text/plain"), prefix="uploads", owner=self.owner)
        start, token, key = re.fullmatch(r"(.*/media/)([\w-]+)/(.*)", self.link).groups()  # type: ignore[union-attr]
        viewer, hour, mac = token.split("-", 2)
        for name, link in {
            "key": f"{start}{token}/{other.key}",
            "viewer": f"{start}{make_user().pk}-{hour}-{mac}/{key}",
            "hour": f"{start}{viewer}-zzzz-{mac}/{key}",
            "signature": f"{start}{viewer}-{hour}-{mac[:-1]}{'A' if mac[-1] != 'A' else 'B'}/{key}",
            "shape": f"{start}{viewer}/{key}",
            "folders": f"{start}{token}/uploads/../{key}",
            "Unicode": f"{start}{viewer}-{hour}-ü/{key}",
        }.items():
            with self.subTest(name):
                self.assertEqual(self.status(link), 404)

    @override_settings(FILE_LINK_HOURS=12)
    def test_it_dies_after_twelve_hours(self) -> None:
        for hours, status in ((11.9, 200), (13.1, 404)):
            with (
                self.subTest(hours=hours),
                time_machine.travel(timezone.now() + timedelta(hours=hours), tick=False),
            ):
                self.assertEqual(self.status(), status)

    def test_it_outlives_a_new_secret_while_the_old_one_is_kept(self) -> None:
        with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            self.assertEqual(self.status(), 200)
        with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[]):
            self.assertEqual(self.status(), 404)

    def test_who_is_suspended_or_gone_gets_nothing(self) -> None:
        User.objects.filter(pk=self.owner.pk).update(status="inactive")
        self.assertEqual(self.status(), 404)
        self.owner.delete()
        self.assertEqual(self.status(), 404)

    def test_what_is_gone_or_in_quarantine_is_not_served(self) -> None:
        Upload.objects.update(state=Upload.State.QUARANTINED)
        self.assertEqual(self.status(), 404)
        Upload.objects.all().delete()
        self.assertEqual(self.status(), 404)

    def test_a_file_that_is_lost_is_a_404(self) -> None:
        remove_files([self.upload.key])
        self.assertEqual(self.status(), 404)


class AnswerTests(LinkTestCase):
    def test_it_is_saved_and_never_run(self) -> None:
        response = self.open(accept="image/*")

        self.assertEqual(b"".join(response), TEXT)
        expected = {
            "Content-Type": "text/plain",
            "Content-Length": "10",
            "Content-Disposition": "attachment; filename*=utf-8''Ein%20Plan%20%C3%BC.txt",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, no-cache",
            "Accept-Ranges": "bytes",
        }
        self.assertEqual({name: response.headers[name] for name in expected}, expected)

    def test_the_spa_may_fetch_it_with_credentials(self) -> None:
        response = self.open(origin="http://localhost:5173")
        b"".join(response)

        self.assertEqual(response.headers["Access-Control-Allow-Origin"], "http://localhost:5173")
        self.assertEqual(response.headers["Access-Control-Allow-Credentials"], "true")

    def test_a_part_of_it_can_be_had(self) -> None:
        for asked, status, content, said in (
            ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
            ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
            ("bytes=-2", 206, b"89", "bytes 8-9/10"),
            ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
            ("bytes=-99", 206, TEXT, "bytes 0-9/10"),
            ("bytes=10-", 416, b"", "bytes */10"),
            ("bytes=-0", 416, b"", "bytes */10"),
            ("bytes=3-2", 200, TEXT, None),
            ("bytes=0-1,4-5", 200, TEXT, None),
            ("bytes=-", 200, TEXT, None),
            ("lines=1-2", 200, TEXT, None),
            (f"bytes={'9' * 30}-", 200, TEXT, None),
        ):
            with self.subTest(asked):
                response = self.open(range=asked)
                body = b"".join(response) if response.status_code != 416 else response.content
                self.assertEqual((response.status_code, body), (status, content))
                self.assertEqual(response.headers.get("Content-Range"), said)
                if status == 206:
                    self.assertEqual(response.headers["Content-Length"], str(len(content)))

    def etag(self) -> str:
        response = self.open()
        b"".join(response)
        return str(response.headers["ETag"])

    def test_a_copy_is_asked_about_and_not_sent_again(self) -> None:
        etag = self.etag()

        self.assertEqual(self.status(if_none_match=etag), 304)
        self.assertEqual(self.status(range="bytes=0-1", if_range=etag), 206)
        self.assertEqual(self.status(range="bytes=0-1", if_range='"other"'), 200)

    @override_settings(FILE_DELIVERY="accel")
    def test_the_proxy_may_send_it(self) -> None:
        response = self.open()

        self.assertEqual((response.status_code, response.content), (200, b""))
        self.assertEqual(response.headers["X-Accel-Redirect"], f"/_files/{self.upload.key}")
        self.assertEqual(response.headers["Content-Type"], "text/plain")

    def test_only_the_begin_of_a_download_is_noted(self) -> None:
        noted: list[Any] = []
        with patch.dict(file_opened.entries, {"uploads": lambda viewer, key: noted.append((viewer, key))}):
            b"".join(self.client.head(self.link))
            self.status(range="bytes=5-")
            self.assertEqual(noted, [])
            self.status()
            self.status(range="bytes=0-")

        self.assertEqual(noted, [(self.owner, self.upload.key)] * 2)

    def test_the_storage_itself_is_not_open(self) -> None:
        self.assertEqual(self.status(f"/media/{self.upload.key}"), 404)
        self.assertEqual(self.status(f"/media/x/{self.upload.key}"), 404)
